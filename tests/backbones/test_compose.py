"""What is composed, when, and what is said where parts do not fit."""

import errno
import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from shapes import (
    DIMENSION,
    LENGTH,
    TEXTS,
    as_dict,
    bert,
    bert_outputs,
    expected,
    mean,
    numbers,
    plain,
    preprocessor,
    published,
    ragged,
    token_mask,
    token_vectors,
    trained_bert,
)

from search.backbones.catalog import ModulePlaces
from search.backbones.hub import compose, load
from search.backbones.hub.layer import TextEmbedding
from search.backbones.hub.pooling import pool
from search.backbones.resolve import resolve_modules
from search.config import ModuleConfig
from search.errors import InputError

SOME = ["good film", "a b c d", ""]


@pytest.fixture
def module(tmp_path):
    return tmp_path / "module"


def resolved(folder, **settings):
    given = str(folder)
    top = folder.parent
    return resolve_modules([given], ModulePlaces(ModuleConfig(**settings), top / "modules", [top / "conf"]))[given]


def refused(folder, **settings):
    with pytest.raises(InputError) as raised:
        resolved(folder, **settings)
    assert "\n" not in str(raised.value)
    assert not (folder.parent / "modules").exists()
    return str(raised.value)


def embedded(folder, texts=SOME):
    return load.published(folder)(tf.constant(texts)).numpy()


def test_what_needs_nothing_stays_where_it_is(module, tmp_path):
    published(module, plain)
    settings = preprocessor(tmp_path / "preprocessor")
    assert resolved(module, **settings) == module
    assert resolved(module, pooling="max") == module


def test_is_composed_once(module, tmp_path, monkeypatch):
    trained_bert(module)
    settings = preprocessor(tmp_path / "preprocessor")
    first = resolved(module, **settings)
    monkeypatch.setattr(compose, "load_parts", lambda *_: pytest.fail("composed again"))
    assert resolved(module, **settings) == first
    # Wherever the parts lie.
    assert resolved(module.rename(tmp_path / "moved"), **settings) == first


def test_another_choice_or_another_part_is_another_module(module, tmp_path):
    trained_bert(module)
    one = preprocessor(tmp_path / "one")
    other = preprocessor(tmp_path / "other", signatures=True)
    chosen = [(one, "auto"), (one, "max"), (one, "first"), (other, "auto")]
    folders = [resolved(module, **given, pooling=pooling) for given, pooling in chosen]
    assert len(set(folders)) == 4
    for (_, pooling), folder in zip(chosen, folders, strict=True):
        pooling = pooling.replace("auto", "mean")
        np.testing.assert_allclose(embedded(folder), expected(SOME, pooling), atol=1e-6)


def test_the_catalog_names_a_preprocessor(module, tmp_path):
    trained_bert(module)
    named = preprocessor(tmp_path / "named")["preprocessor"]
    (tmp_path / "conf" / "module").mkdir(parents=True)
    entry = {"name": "mine", "handle": str(module), "dimension": 4, "licence": "MIT", "language": "en"}
    (tmp_path / "conf" / "module" / "mine.yaml").write_text(json.dumps(entry | {"preprocessor": named}))
    settings = ModuleConfig(preprocessor="/none/such")
    found = resolve_modules(["mine"], ModulePlaces(settings, tmp_path / "modules", [tmp_path / "conf"]))
    np.testing.assert_allclose(embedded(found["mine"]), expected(SOME, "mean"), atol=1e-6)


def test_a_choice_of_pooling_wins_over_the_vector_of_a_text(module):
    published(module, as_dict("default", sequence_output=token_vectors, input_mask=token_mask))
    assert resolved(module) == module
    np.testing.assert_allclose(embedded(module), expected(SOME, "mean"), atol=1e-6)
    np.testing.assert_allclose(embedded(resolved(module, pooling="max")), expected(SOME, "max"), atol=1e-6)


def test_brings_its_vocabulary_and_its_state(module, tmp_path):
    trained_bert(module)
    folder = resolved(module, **preprocessor(tmp_path / "preprocessor"))
    assert (folder / "assets" / "vocabulary.txt").read_text() == "known\n"
    composed = load.published(folder)
    assert [variable.name for variable in composed.trainable_variables] == ["encoder/table:0"]
    assert [variable.name for variable in composed.other_variables] == ["steps:0"]
    layer = TextEmbedding(folder, trainable=True)
    layer(tf.constant(SOME), training=True)
    assert layer.non_trainable_variables[0].numpy() == 1
    table = layer.trainable_variables[0].numpy()
    assert float(layer.losses[0]) == pytest.approx(float(np.sum(table**2)))


def test_in_a_functional_model_on_an_empty_batch_of_ragged_tokens(module):
    published(module, ragged)
    folder = resolved(module)
    np.testing.assert_array_equal(embedded(folder, ["", ""]), np.zeros([2, DIMENSION]))
    assert TextEmbedding(folder)(keras.Input((), dtype="string")).shape == (None, DIMENSION)


@pytest.mark.parametrize("pooling", ["mean", "max", "first"])
def test_pooling_sees_what_the_mask_shows(pooling):
    tokens = np.random.default_rng(0).normal(size=(3, 5, 2)).astype(np.float32)
    lengths = np.array([5, 2, 0])
    mask = np.arange(5) < lengths[:, np.newaxis]
    tokens[~mask] = np.nan
    pooled = {"mean": lambda rows: rows.mean(0), "max": lambda rows: rows.max(0), "first": lambda rows: rows[0]}[
        pooling
    ]
    wanted = [pooled(rows[:length]) if length else np.zeros(2) for rows, length in zip(tokens, lengths, strict=True)]
    for given in (mask, mask.astype(np.int32), mask.astype(np.float32)):
        np.testing.assert_allclose(pool(tf.constant(tokens), tf.constant(given), pooling), wanted, rtol=1e-6)
    cut = tf.RaggedTensor.from_tensor(tokens, lengths)
    np.testing.assert_allclose(pool(cut, None, pooling), wanted, rtol=1e-6)
    np.testing.assert_array_equal(pool(tf.zeros([2, 0, 3]), tf.zeros([2, 0]), pooling), np.zeros([2, 3]))


def test_an_encoder_without_its_preprocessor(module):
    trained_bert(module)
    told = refused(module)
    assert "module.preprocessor=" in told and "input_mask: int32 [?, 6]" in told
    assert "https://tfhub.dev/tensorflow/bert_en_uncased_preprocess/3" in told


def test_another_encoder_without_its_preprocessor(module):
    ids = tf.TensorSpec([None, LENGTH], tf.int32)
    published(module, lambda encoder, given: mean(encoder.tokens(given["ids"]), given["ids"]), {"ids": ids})
    told = refused(module)
    assert "module.preprocessor=" in told and "ids: int32 [?, 6]" in told and "tfhub" not in told


def test_a_preprocessor_that_makes_something_else(module, tmp_path):
    spec = bert() | {"position_ids": tf.TensorSpec([None, LENGTH], tf.int32)}
    published(module, bert_outputs, spec)
    told = refused(module, **preprocessor(tmp_path / "preprocessor"))
    assert "does not give position_ids but {input_mask: int32 [2, 6]" in told


def test_a_preprocessor_that_makes_other_shapes(module, tmp_path):
    published(module, bert_outputs, bert())
    told = refused(module, **preprocessor(tmp_path / "preprocessor", length=4))
    assert "gives input_mask as int32 [2, 4]; it gives input_type_ids" in told


def test_tensors_that_cannot_be_told_apart(module, tmp_path):
    spec = [tf.TensorSpec([None, LENGTH], tf.int32), tf.TensorSpec([None, LENGTH], tf.int32)]
    published(module, lambda encoder, given: mean(encoder.tokens(given[0]), given[1]), spec)
    assert "cannot be told apart" in refused(module, **preprocessor(tmp_path / "preprocessor"))


def test_a_preprocessor_that_takes_no_texts(module):
    published(module, bert_outputs, bert())
    assert "is no preprocessor: expected one that takes string" in refused(module, preprocessor=str(module))


@pytest.mark.parametrize("handle", ["/no/such/folder", "unknown"])
def test_a_preprocessor_that_is_not_there(module, handle):
    published(module, bert_outputs, bert())
    assert refused(module, preprocessor=handle).startswith(f"module.preprocessor={handle}: ")


def test_a_preprocessor_that_fails(module, tmp_path):
    published(module, bert_outputs, bert())
    published(tmp_path / "broken", lambda _, texts: tf.strings.to_number(texts))
    assert "broken fails on texts: " in refused(module, preprocessor=str(tmp_path / "broken"))


def test_tokens_that_nothing_marks(module):
    published(module, token_vectors)
    assert "module.pooling=first" in (told := refused(module)) and "mean" in told
    assert "module.pooling=max needs it" in refused(module, pooling="max")
    with pytest.raises(InputError, match=r"one for each token.*module.pooling=mean, max or first"):
        load.published(module)


def test_outputs_that_nobody_knows(module):
    published(module, as_dict("first", "second"))
    assert "{first: float32 [2, 4], second: float32 [2, 4]}" in refused(module)


def test_outputs_that_embed_nothing(module):
    published(module, lambda _, texts: {"default": numbers(texts)})
    assert "got {default: int32 [2, 6]}" in refused(module)


def test_an_encoder_that_embeds_nothing(module, tmp_path):
    published(module, lambda _, given: {"ids": given["input_word_ids"]}, bert())
    assert "got {ids: int32 [2, 6]}" in refused(module, **preprocessor(tmp_path / "preprocessor"))


def test_signatures_of_which_none_is_the_usual_one(module):
    published(module, plain, listed=False, signatures=["one", "two"])
    assert "signatures: one, two" in refused(module)


def test_what_tensorflow_1_saved(module):
    graph = tf.Graph()
    with graph.as_default(), tf.compat.v1.Session(graph=graph) as session:
        texts = tf.compat.v1.placeholder(tf.string, [None])
        vectors = tf.cast(tf.strings.length(texts), tf.float32)[:, tf.newaxis]
        v1 = tf.compat.v1.saved_model
        signature = v1.predict_signature_def({"text": texts}, {"default": vectors})
        builder = v1.Builder(str(module))
        builder.add_meta_graph_and_variables(session, ["serve"], {"default": signature})
        builder.save()
    assert "TensorFlow 1" in refused(module)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES])
def test_a_full_disk_leaves_nothing(module, monkeypatch, number):
    published(module, ragged)

    def full(*_):
        kinds = {errno.ENOSPC: tf.errors.ResourceExhaustedError, errno.EACCES: tf.errors.PermissionDeniedError}
        raise kinds[number](None, None, "refused")

    monkeypatch.setattr(tf.saved_model, "save", full)
    with pytest.raises(InputError, match=r"paths\.modules"):
        resolved(module)
    assert list((module.parent / "modules").iterdir()) == []


def test_an_unknown_pooling_is_told(search_command):
    outcome = search_command("module.pooling=sum")
    assert outcome.code == 2 and "module.pooling=sum is unknown" in outcome.err and "mean" in outcome.err


def test_real_tokens(module, tmp_path):
    """With the operations of tensorflow-text, which a module of BERT's kind needs."""
    text = pytest.importorskip("tensorflow_text")
    words = tmp_path / "words.txt"
    words.write_text("\n".join(["[PAD]", "[UNK]", "good", "film", "##s"]) + "\n")

    class Tokens(tf.train.Checkpoint):
        def __init__(self):
            super().__init__()
            self.tokenizer = text.BertTokenizer(str(words), lower_case=True)

        @tf.function(input_signature=[TEXTS])
        def __call__(self, texts):
            ids = self.tokenizer.tokenize(texts).merge_dims(1, 2).to_tensor(shape=[None, LENGTH])
            ids = tf.cast(ids, tf.int32)
            return {"input_mask": tf.sign(ids), "input_type_ids": tf.zeros_like(ids), "input_word_ids": ids}

    tf.saved_model.save(Tokens(), str(tmp_path / "preprocessor"))
    published(module, bert_outputs, bert(length=None))
    folder = resolved(module, preprocessor=str(tmp_path / "preprocessor"))
    table = load.published(folder).trainable_variables[0].numpy()
    np.testing.assert_allclose(embedded(folder, ["Good films"]), [table[2:5].mean(0)], atol=1e-6)
