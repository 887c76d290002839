"""Words are fitted at the optimum; what a head is trained beside comes from models that have not seen the row."""

import keras_tuner
import numpy as np
import pytest
from reviews import make_reviews
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from search.backbones.base import SavedModule
from search.backbones.of_space import made
from search.datasets import Examples, Fold, Subset
from search.evaluation.metric_list import Target
from search.evaluation.word_pairs import words_and_pairs
from search.models.weights import assign, model_weights
from search.models.wide.words import Words
from search.training.base import NOTHING_KNOWN
from search.training.cross_validation import CrossValidated
from search.training.refit import refit
from search.training.trainable import TrainableHyperModel
from search.training.wide.word_regression import WordRegression
from spaces import space_from


def examples(count, seed, classes=2):
    texts, labels = make_reviews(count, seed=seed)
    names = sorted(set(labels))
    numbers = np.array([names.index(label) for label in labels]) % classes
    noise = np.random.default_rng(seed).random(count) < 0.2
    return Examples(np.array(texts, object), np.where(noise, 0, numbers), np.arange(count))


TRAIN, VALID = examples(120, 1), examples(60, 2)


def hypermodel(words=TRAIN.texts, **ranges):
    space = space_from({"modules": ["tfidf"], "wide_l2": 0.25, "class_weight": "none", **ranges})
    return TrainableHyperModel(space, made(["tfidf"], {}, {}, TRAIN.texts), Target(2), 0, words=Words(words))


def probabilities(model, texts):
    import tensorflow as tf

    return model(tf.constant(texts.tolist())).numpy()


@pytest.mark.parametrize("class_weight", ["none", "balanced"])
def test_a_trial_of_words_alone_is_scikit_learns_logistic_regression(class_weight):
    whole, hp = hypermodel(class_weight=class_weight), keras_tuner.HyperParameters()
    told = []
    whole.training(hp, TRAIN, VALID).run(range(2), lambda epoch, metrics: told.append(metrics) and False)
    weight = None if class_weight == "none" else class_weight
    model = make_pipeline(words_and_pairs(), LogisticRegression(C=4, class_weight=weight, tol=1e-8, max_iter=1000))
    expected = model.fit(TRAIN.texts, TRAIN.labels).predict_proba(VALID.texts)
    np.testing.assert_allclose(told[0].scored.probabilities, expected, atol=5e-4)
    np.testing.assert_array_equal(told[1].scored.probabilities, told[0].scored.probabilities)
    refitted = refit(whole, hp, TRAIN, 1, NOTHING_KNOWN)
    np.testing.assert_allclose(probabilities(refitted, VALID.texts), expected, atol=5e-4)


def test_a_refit_learns_the_words_of_all_its_rows():
    more = Examples(
        *(np.concatenate([getattr(one, name) for one in (TRAIN, VALID)]) for name in ("texts", "labels", "rows"))
    )
    model = refit(hypermodel(), keras_tuner.HyperParameters(), more, 1, NOTHING_KNOWN)
    assert model.get_layer("wide")._terms == tuple(Words(more.texts).terms) != tuple(Words(TRAIN.texts).terms)


def test_each_fold_has_words_of_its_own():
    halves = np.arange(60), np.arange(60, 120)
    folds = [Fold(Subset.of(TRAIN, one), Subset.of(TRAIN, other), other) for one, other in (halves, halves[::-1])]
    crossed, hp = CrossValidated(hypermodel(), folds), keras_tuner.HyperParameters()
    told = []
    training = crossed.training(hp)
    training.run(range(1), lambda epoch, metrics: told.append(metrics) and False)
    scored = told[0].scored.probabilities
    for fold, model in zip(folds, crossed.load_models(hp, training.weights()), strict=True):
        assert model.get_layer("wide")._terms == tuple(Words(fold.train.texts).terms)
        np.testing.assert_allclose(probabilities(model, fold.valid.texts), scored[fold.at], atol=1e-6)


def test_held_out_logits_do_not_know_the_row():
    generator = np.random.default_rng(0)
    texts = np.array([" ".join(f"word{i}" for i in generator.integers(300, size=9)) for _ in range(200)], object)
    labels = generator.integers(2, size=200)
    rows = Examples(texts, labels, np.arange(200))
    found = WordRegression(Words(texts), rows, np.ones(200, np.float32), 0.125, 2)
    assert (found.logits(texts).argmax(1) == labels).mean() > 0.95
    assert (found.held_out.argmax(1) == labels).mean() < 0.65


@pytest.mark.parametrize("present", [[1], [0, 2], [0, 1, 2]])
def test_a_class_without_rows_is_the_least_probable(present):
    labels = np.array(present * 60)[:120]
    rows = Examples(TRAIN.texts, labels, TRAIN.rows)
    found = WordRegression(Words(TRAIN.texts), rows, np.ones(120, np.float32), 1.0, 3)
    for logits in (found.logits(VALID.texts), found.held_out):
        assert np.isfinite(logits).all()
        absent = [one for one in range(3) if one not in present]
        assert not absent or logits[:, absent].max() < logits[:, present].min()


def test_a_state_goes_on_and_weights_are_those_of_the_model(word_module):
    space = space_from({"modules": ["words"], "wide": "tfidf", "trainable": False, "layers": 1, "units": 4})
    whole = TrainableHyperModel(
        space,
        made(["words"], {"words": SavedModule("words", word_module)}, {}, TRAIN.texts),
        Target(2),
        0,
        words=Words(TRAIN.texts),
    )
    hp = keras_tuner.HyperParameters()
    through, first, second = (whole.training(hp, TRAIN, VALID) for _ in range(3))
    told = []
    through.run(range(3), lambda epoch, metrics: told.append(metrics) and False)
    first.run(range(1), lambda epoch, metrics: False)
    second.set_state(first.state())
    second.run(range(1, 3), lambda epoch, metrics: False)
    for one, other in zip(through.weights(), second.weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    model = whole.build(hp)
    assign(model_weights(model), through.weights())
    np.testing.assert_allclose(probabilities(model, VALID.texts), told[-1].scored.probabilities, atol=1e-5)
