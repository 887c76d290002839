"""Words beside a head are the words that scikit-learn sees, wherever the model runs."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from search.backbones.words_alone import WordsAlone
from search.datasets import Examples
from search.evaluation.metric_list import Target
from search.models.classifier import Classifier
from search.models.hypermodel import TextClassifierHyperModel
from search.models.keras_model import linear_words
from search.models.wide.words import Words
from spaces import space_from

TEXTS = np.array(
    [
        "The film was good, good, GOOD",
        "the film was not good: don't go",
        "Das schöne Straßenfest und die Straße",
        "das SCHÖNE Straßenfest",
        "очень хороший фильм",
        "Очень плохой фильм",
        "この映画は とても良い この映画は",
        "この映画は ひどい",
        "emoji 🎉🎉 and é, e\u0301 snake_case x y z",
        "emoji 🎉 and snake_case 42",
        "",
        "!",
    ],
    object,
)
OTHERS = np.array([*TEXTS, "unknown words", "good film, schöne фильм この映画は\u2028emoji and"], object)


def random_layer(words):
    layer = words.layer(3)
    generator = np.random.default_rng(0)
    layer.kernel.assign(generator.normal(size=layer.kernel.shape))
    layer.bias.assign(generator.normal(size=3))
    return layer


def test_the_layer_weighs_words_as_scikit_learn_does():
    words = Words(TEXTS)
    layer = random_layer(words)
    assert words.matrix(OTHERS).nnz > 20 and "film was" in words.terms and "das schöne" in words.terms
    expected = words.matrix(OTHERS) @ layer.kernel.numpy().astype(np.float64) + layer.bias.numpy()
    np.testing.assert_allclose(layer(tf.constant(OTHERS.tolist())).numpy(), expected, atol=1e-6)


@pytest.mark.parametrize("texts", [["!", ""], ["one alone", "two of them"], [""]])
def test_few_or_no_words_are_no_fault(texts):
    words = Words(np.array(texts, object))
    layer = random_layer(words)
    assert words.matrix(TEXTS).shape == (len(TEXTS), len(words.terms))
    expected = words.matrix(TEXTS) @ layer.kernel.numpy().astype(np.float64) + layer.bias.numpy()
    np.testing.assert_allclose(layer(tf.constant(TEXTS.tolist())).numpy(), expected, atol=1e-6)


@pytest.fixture(scope="module")
def model():
    """Words and nothing else, with random weights."""
    space = space_from({"modules": ["tfidf"], "wide_l2": 1.0})
    hypermodel = TextClassifierHyperModel(space, {"tfidf": WordsAlone("tfidf")}, Target(3), 0, words=Words(TEXTS))
    made = hypermodel.model({"module": "tfidf", "tfidf_l2": 1.0, "layers": 0, "optimizer": "adam", **_HEADLESS})
    for variable, value in zip(linear_words(made).weights, random_layer(Words(TEXTS)).weights, strict=True):
        variable.assign(value)
    return made


_HEADLESS = {"learning_rate": 0.1, "clip_norm": 0.0}


def test_a_saved_model_gives_the_same_without_this_package(model, tmp_path):
    given = model(tf.constant(OTHERS.tolist())).numpy()
    assert np.ptp(given, axis=0).min() > 0.01
    Classifier(model, ("a", "b", "c"), None).save(tmp_path / "model", tmp_path / "model.keras")
    saved = tf.saved_model.load(str(tmp_path / "model"))
    np.testing.assert_allclose(saved(tf.constant(OTHERS.tolist())).numpy(), given, atol=1e-6)
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(again(tf.constant(OTHERS.tolist())).numpy(), given, atol=1e-6)
    again.save(tmp_path / "again.keras")
    assert keras.models.load_model(tmp_path / "again.keras").layers[1]._terms == model.layers[1]._terms


def test_other_training_texts_have_other_words():
    words = Words(TEXTS)
    others = OTHERS[-2:].copy()
    assert words.learning_from(TEXTS) is words
    assert words.learning_from(others) is words.learning_from(others)
    assert set(words.learning_from(others).terms) != set(words.terms)


def test_rows_of_examples_are_counted_once():
    words, rows = Words(TEXTS), Examples(OTHERS, np.zeros(len(OTHERS), np.int64), np.arange(len(OTHERS)))
    assert words.matrix(rows.texts) is words.matrix(rows.texts)
