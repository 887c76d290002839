"""The vectors of a text's tokens in one row, whatever shape the module comes in, and taken apart again."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from shapes import (
    DIMENSION,
    LENGTH,
    SHAPES,
    TABLE,
    as_dict,
    numbers,
    plain,
    preprocessor,
    published,
    ragged,
    token_vectors,
    tokens_with_zeros,
    trained_bert,
)

from search.backbones.hub import load
from search.backbones.hub.parts import Preprocessor
from search.backbones.tokens import token_module
from search.backbones.tokens.token_module import NoTokens, TokenModule
from search.backbones.tokens.token_vectors import TokenVectors
from search.errors import InputError

SOME = ["good film", "a b c d e f g h", "", "film"]
COUNTS = [2, LENGTH, 0, 1]
OF_TOKENS = [name for name in SHAPES if "tokens" in name or "BERT" in name]


def made(folder, length, settings=None):
    """The module of tokens that is made of the one in a folder."""
    given = (settings or {}).get("preprocessor")
    fitting = None if given is None else Preprocessor("preprocessor", folder.parent / given)
    return token_module.token_module(folder, "mine", fitting, length, folder.parent / "modules")


def rows_of(module, texts=SOME):
    rows = load.published(module.folder)(tf.constant(texts)).numpy()
    return rows[:, :-1].reshape(len(texts), module.length, module.width), rows[:, -1]


@pytest.mark.parametrize("name", OF_TOKENS)
def test_every_shape_gives_the_vectors_of_its_tokens(name, tmp_path):
    settings = SHAPES[name].build(tmp_path / "module")
    module = made(tmp_path / "module", 3, settings)
    assert module == TokenModule(module.folder, "mine", 3, DIMENSION) == TokenModule.read(module.folder)
    vectors, counts = rows_of(module)
    # A text without tokens counts as one of zeros: means and recurrent layers have no answer for nothing.
    assert counts.tolist() == [2, 3, 1, 1]
    ids = numbers(tf.constant(SOME)).numpy()
    for text, count in enumerate(COUNTS):
        there = min(count, 3)
        np.testing.assert_allclose(vectors[text, :there], TABLE[ids[text, :there]], atol=1e-6)
        assert not vectors[text, there:].any()
    alone, _ = rows_of(module, SOME[:1])
    np.testing.assert_array_equal(alone[0], vectors[0])


def test_a_module_longer_than_its_texts_is_padded(tmp_path):
    published(tmp_path / "module", ragged)
    vectors, counts = rows_of(made(tmp_path / "module", 9))
    assert counts.tolist() == [2, LENGTH, 1, 1] and not vectors[:, LENGTH:].any()


def test_what_is_asked_for_the_length_can_count_the_tokens_of_texts(tmp_path):
    trained_bert(tmp_path / "module")
    told = []

    def longest(outputs):
        told.extend(outputs.counts(np.array(SOME, object)))
        return int(max(told))

    assert made(tmp_path / "module", longest, preprocessor(tmp_path / "preprocessor")).length == LENGTH
    assert told == COUNTS


def test_is_made_once_for_a_length(tmp_path, monkeypatch):
    published(tmp_path / "module", ragged)
    first = made(tmp_path / "module", 3)
    assert made(tmp_path / "module", 4) != first
    monkeypatch.setattr(token_module, "load_parts", lambda *_: pytest.fail("made again"))
    assert made(tmp_path / "module", 3) == first


def test_fine_tuning_reaches_the_tokens_that_are_there_alone(tmp_path):
    settings = SHAPES["BERT of tokens alone"].build(tmp_path / "module")
    module = load.published(made(tmp_path / "module", 3, settings).folder)
    (table,) = module.trainable_variables
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(module(tf.constant(["good film"]), training=True))
    moved = np.flatnonzero(tf.convert_to_tensor(tape.gradient(loss, table)).numpy().any(axis=1))
    assert sorted(moved) == sorted({*numbers(tf.constant(["good film"])).numpy()[0, :2]})


@pytest.mark.parametrize("function", [plain, as_dict("default", ids=lambda _, texts: numbers(texts))])
def test_a_module_without_tokens_is_told(tmp_path, function):
    published(tmp_path / "module", function)
    with pytest.raises(NoTokens, match=r"mine gives no vector for each token.*float32 \[2, 4\]"):
        made(tmp_path / "module", 3)
    assert not (tmp_path / "modules").exists()


def test_tokens_that_nothing_tells_from_padding_are_told(tmp_path):
    published(tmp_path / "module", token_vectors)
    with pytest.raises(InputError, match="mask"):
        made(tmp_path / "module", 3)

    def longer_beside_others(encoder, texts):
        vectors = tokens_with_zeros(encoder, texts)
        return vectors + tf.cast(tf.shape(texts)[0], tf.float32) * tf.cast(vectors != 0, tf.float32)

    published(tmp_path / "other", longer_beside_others)
    with pytest.raises(InputError, match="mask"):
        made(tmp_path / "other", 3)


def test_outputs_with_the_names_of_elmo(tmp_path):
    words = as_dict("default", elmo=ragged, word_emb=ragged)
    published(tmp_path / "module", words)
    assert made(tmp_path / "module", 3).width == DIMENSION


def layer_over(length, masked=True):
    return TokenVectors(DIMENSION, length, masked, name="tokens")


@pytest.mark.parametrize("length", [1, 2, 3])
def test_the_layer_gives_the_first_tokens_and_which_there_are(length):
    random = np.random.default_rng(0).normal(size=(4, 3 * DIMENSION)).astype(np.float32)
    rows = np.concatenate([random, [[2], [3], [1], [1]]], axis=1).astype(np.float32)
    inputs = keras.Input((3 * DIMENSION + 1,))
    tokens = layer_over(length)(inputs)
    model = keras.Model(inputs, [tokens, keras.layers.GlobalAveragePooling1D()(tokens)])
    vectors, means = model(rows)
    expected = random.reshape(4, 3, DIMENSION)[:, :length]
    np.testing.assert_array_equal(vectors, expected)
    counts = np.minimum([2, 3, 1, 1], length)
    np.testing.assert_allclose(means, [one[:n].mean(0) for one, n in zip(expected, counts, strict=True)], atol=1e-6)
    again = TokenVectors.from_config(layer_over(length, masked=False).get_config())
    np.testing.assert_array_equal(again(rows), expected)
    assert again.compute_mask(rows) is None and layer_over(length).compute_mask(rows).shape == (4, length)
