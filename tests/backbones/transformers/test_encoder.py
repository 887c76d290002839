import json

import numpy as np
import pytest
import tensorflow as tf
from made_encoders import ARCHITECTURES, PIECES, forward, write_encoder, write_sentence_transformer

from search.backbones.catalog import ModulePlaces
from search.backbones.hub.examine import examine
from search.backbones.hub.layer_groups import GROUPS, read_groups
from search.backbones.hub.load import published
from search.backbones.resolve import origin, resolve_modules
from search.backbones.transformers.byte_pairs import _written_bytes
from search.backbones.transformers.checkpoint_weights import encoder_tensors
from search.backbones.transformers.distances import _buckets
from search.backbones.transformers.encoder import read_encoder
from search.backbones.transformers.layout import is_transformer, read_layout
from search.backbones.transformers.sentence_piece import unigram_model
from search.backbones.transformers.slices import in_slices
from search.commands import modules as command
from search.config import ModuleConfig
from search.errors import InputError
from search.utils.checksums import SEAL

BYTES = _written_bytes()
TEXTS = ["A film was good!", "the wörld", "films", ""]
# [CLS], the tokens and [SEP]; "wörld" loses its accent, and "the world was goood" has a word that is unknown.
IDS = [[2, 5, 6, 8, 9, 11, 3], [2, 7, 12, 3], [2, 6, 10, 3], [2, 3]]


@pytest.fixture
def built(tmp_path):
    """Builds a folder's SavedModel as a search does."""

    def build(folder, **settings):
        return resolve_modules([str(folder)], ModulePlaces(ModuleConfig(**settings), tmp_path / "modules"))[str(folder)]

    return build


def cosines(first, second):
    lengths = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
    return (first * second).sum(axis=1) / lengths


def read(folder, prompt=None):
    return read_encoder(read_layout(folder, "made", prompt))


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_an_encoder_gives_what_its_formulas_say(tmp_path, architecture):
    config, weights = write_encoder(tmp_path / "encoder", architecture)
    loaded = read(tmp_path / "encoder")
    expected = np.stack([forward(config, weights, ids).mean(0) for ids in IDS])
    given = loaded(tf.constant(TEXTS)).numpy()
    assert cosines(given, expected).min() > 0.99999
    np.testing.assert_allclose(given, expected, atol=1e-4)
    # A text's vector is its own, whatever the batch is padded to.
    np.testing.assert_allclose(loaded(tf.constant(TEXTS[2:3])).numpy(), given[2:3], atol=1e-5)
    assert loaded(tf.constant([], tf.string)).shape[0] == 0


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_weights_are_found_by_the_names_of_files_with_a_head_too(tmp_path, architecture):
    for folder, prefix in (("alone", ""), ("with_head", f"{architecture}.")):
        write_encoder(tmp_path / folder, architecture, prefix=prefix)
    alone, with_head = encoder_tensors(tmp_path / "alone"), encoder_tensors(tmp_path / "with_head")
    assert alone.keys() == with_head.keys()
    assert all((alone[name] == with_head[name]).all() for name in alone)


def test_distances_are_counted_in_the_buckets_of_the_paper():
    buckets = dict(zip(range(-200, 201), _buckets(200, 32), strict=True))
    known = {0: 0, -1: 1, -7: 7, -8: 8, -11: 8, -12: 9, -16: 10, -32: 12, -64: 14, -90: 14, -91: 15, -200: 15}
    assert {apart: buckets[apart] for apart in known} == known
    assert all(buckets[apart] == 16 + buckets[-apart] for apart in range(1, 201))


@pytest.mark.parametrize("architecture", ["bert", "roberta"])
def test_a_folder_of_keras_hub_gives_what_its_model_gives(tmp_path, architecture):
    import keras_hub

    settings = {"num_layers": 2, "num_heads": 2, "hidden_dim": 8, "intermediate_dim": 12, "max_sequence_length": 20}
    if architecture == "bert":
        model = keras_hub.models.BertBackbone(vocabulary_size=len(PIECES), **settings)
        tokenizer, ids = keras_hub.tokenizers.BertTokenizer(PIECES, lowercase=True), IDS
    else:
        tokens = ["<s>", "<pad>", "</s>", "<unk>", *BYTES, "zz", "<mask>"]
        model = keras_hub.models.RobertaBackbone(vocabulary_size=len(tokens), **settings)
        tokenizer = keras_hub.tokenizers.RobertaTokenizer({token: id_ for id_, token in enumerate(tokens)}, ["z z"])
        ids = [[0, *(tokens.index(BYTES[byte]) for byte in text.encode()), 2] for text in TEXTS]
    for one in model.weights:
        one.assign(np.random.default_rng(len(one.path)).normal(size=one.shape))
    for one in (model, tokenizer):
        one.save_to_preset(str(tmp_path / "preset"))
    assert is_transformer(tmp_path / "preset")
    given = read(tmp_path / "preset")(tf.constant(TEXTS)).numpy()
    for place, row in enumerate(ids):
        inputs = {"token_ids": [row], "segment_ids": [[0] * len(row)], "padding_mask": [[1] * len(row)]}
        outputs = model({name: tf.constant(inputs[name]) for name in model.input})
        vectors = outputs["sequence_output"] if architecture == "bert" else outputs
        np.testing.assert_allclose(given[place], vectors[0].numpy().mean(0), atol=1e-4)


def test_a_batch_of_any_size_is_cut_into_slices_of_like_length():
    rows = tf.ragged.constant(
        [[place] * length for place, length in enumerate((3, 700, 0, 900, 5, 1, 30, 2000))], tf.int32
    )
    seen = []

    def embed(ids):
        seen.append(ids.row_lengths().numpy().tolist())
        columns = ids.row_lengths(), tf.reduce_max(ids, axis=1)
        return tf.stack([tf.cast(column, tf.float32) for column in columns], axis=1)

    vectors = in_slices(rows, 2, embed).numpy()
    assert vectors[:, 0].tolist() == rows.row_lengths().numpy().tolist()
    assert vectors[[0, 1, 3, 4, 5, 6, 7], 1].tolist() == [0, 1, 3, 4, 5, 6, 7]
    assert seen == [[2000], [900], [700], [30, 5, 3, 1, 0]]


@pytest.mark.parametrize(("pooling", "normalized"), [("mean", True), ("cls", False), ("max", False)])
def test_pooling_is_the_folders_own(tmp_path, pooling, normalized):
    config, weights = write_encoder(tmp_path / "encoder")
    dense = np.random.default_rng(1).normal(size=(3, 8)).astype(np.float32)
    write_sentence_transformer(tmp_path / "encoder", pooling, normalized, dense)
    loaded = read(tmp_path / "encoder")
    pool = {"mean": lambda x: x.mean(0), "cls": lambda x: x[0], "max": lambda x: x.max(0)}[pooling]
    expected = np.tanh(np.stack([pool(forward(config, weights, ids)) for ids in IDS]) @ dense.T)
    if normalized:
        expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(loaded(tf.constant(TEXTS)).numpy(), expected, atol=1e-4)


def test_long_texts_are_cut_and_prompts_put_before(tmp_path):
    folder = tmp_path / "encoder"
    config, weights = write_encoder(folder)
    (folder / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": 5}))
    prompts = {"prompts": {"query": "the "}, "default_prompt_name": "query"}
    (folder / "config_sentence_transformers.json").write_text(json.dumps(prompts))
    for module, first in ((read(folder), 7), (read(folder, "a "), 5)):
        expected = forward(config, weights, [2, first, 6, 8, 3]).mean(0)
        np.testing.assert_allclose(module(tf.constant(["film was good"])).numpy()[0], expected, atol=1e-4)


def test_a_search_can_use_it_frozen_and_fine_tuned(tmp_path, built):
    write_encoder(tmp_path / "encoder", "mpnet")
    folder = built(tmp_path / "encoder")
    found = examine(published(folder, "encoder"))
    assert (found.frozen, found.fine_tuned) == ("", "")
    assert (folder / SEAL).is_file() and GROUPS in json.loads((folder / SEAL).read_text())
    # Once: the second time it is there.
    before = (folder / "saved_model.pb").stat().st_mtime_ns
    assert built(tmp_path / "encoder") == folder and (folder / "saved_model.pb").stat().st_mtime_ns == before
    loaded, texts = tf.saved_model.load(str(folder)), tf.constant(TEXTS)
    np.testing.assert_allclose(loaded(texts).numpy(), read(tmp_path / "encoder")(texts).numpy(), atol=1e-6)
    # Dropout is on in training alone.
    first, second = (loaded(texts, training=True).numpy() for _ in range(2))
    assert not np.allclose(first, second)
    np.testing.assert_array_equal(loaded(texts).numpy(), loaded(texts).numpy())
    # The groups are the layers, from the output down.
    encoder = read_groups(folder)
    assert [group.name for group in encoder.groups] == ["transformer_layer_1", "transformer_layer_0", "embeddings"]
    assert [place for group in encoder.groups for place in group.variables] == list(range(36))
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(loaded(texts, training=True)[:, 0])
    gradients = tape.gradient(loss, loaded.trainable_variables)
    assert len(gradients) == 36 and all(gradient is not None for gradient in gradients)
    shapes = [tuple(loaded.trainable_variables[place].shape) for place in encoder.groups[2].variables]
    assert (len(PIECES), 8) in shapes


def test_the_command_exports_and_checks_one(tmp_path, capfd):
    write_encoder(tmp_path / "encoder", "xlm-roberta")
    (tmp_path / "encoder" / "vocab.txt").unlink()
    pieces = [(piece, 0.0) for piece in ("<unk>", "<s>", "</s>", "▁A", "▁film", "▁", "a", "b", "c")]
    (tmp_path / "encoder" / "sentencepiece.bpe.model").write_bytes(unigram_model(pieces, "unknown"))
    kept = f"paths.modules={tmp_path / 'kept'}"
    assert command.main(["export", "format=transformers", f"path={tmp_path / 'encoder'}", "name=mine", kept]) == 0
    assert "space.modules=[mine]" in capfd.readouterr().out
    assert command.main(["check", "mine", kept]) == 0
    out = capfd.readouterr().out
    assert "xlm-roberta, 3 groups of layers" in out and "Unigram, 12 in all" in out


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"model_type": "deberta-v2"}, "expected albert, bert, .*mpnet, roberta, xlm-roberta"),
        ({"hidden_act": "swish"}, "activation 'swish' is unknown"),
        ({"position_embedding_type": "relative_key"}, "positions are not absolute"),
        ({"max_position_embeddings": None}, "cannot be read"),
    ],
)
def test_what_cannot_be_read_is_told_before_tensorflow_is_needed(tmp_path, change, told):
    config, _ = write_encoder(tmp_path / "encoder")
    (tmp_path / "encoder" / "config.json").write_text(json.dumps(config | change))
    with pytest.raises(InputError, match=told) as raised:
        origin(str(tmp_path / "encoder"), {})
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda folder: (folder / "model.safetensors").write_bytes(b"\xff" * 40), "damaged or no safetensors"),
        (lambda folder: (folder / "model.safetensors").unlink(), "has no model.safetensors"),
        (lambda folder: (folder / "vocab.txt").unlink(), "neither tokenizer.json nor"),
        (lambda folder: (folder / "tokenizer.json").write_text("[1]"), "expected an object"),
        (
            lambda folder: (folder / "tokenizer.json").write_text('{"model": {"type": "Unigram", "vocab": []}}'),
            "Unigram",
        ),
        (lambda folder: (folder / "modules.json").write_text('[{"type": "x.LSTM", "path": ""}]'), "part 'LSTM'"),
        (lambda folder: (folder / "modules.json").write_text('[{"type": "x.Pooling", "path": "../.."}]'), "leads out"),
    ],
)
def test_a_damaged_folder_is_one_line(tmp_path, built, spoil, told):
    write_encoder(tmp_path / "encoder")
    spoil(tmp_path / "encoder")
    with pytest.raises(InputError, match=told) as raised:
        built(tmp_path / "encoder")
    assert "\n" not in str(raised.value)
