"""Columns of texts embedded each by itself: the same numbers from features, in a model, and when it is saved."""

import keras
import numpy as np
import pytest
from declared import backbones, hyperparameters
from reviews import make_reviews

from search.datasets import Examples
from search.datasets.text_columns import column_texts, joined_text
from search.evaluation.metric_list import Target
from search.features.cache import FeatureCache
from search.inference.labels import Labels
from search.inference.predictor import Predictor, load_model
from search.models.classifier import Classifier
from search.models.scorer import scorer
from search.models.weights import assign, model_weights
from search.models.wide.words import Words
from search.training.base import NOTHING_KNOWN
from search.training.fast_trainers import HeadTrainer
from search.training.refit import refit
from search.training.trainable import TrainableHyperModel
from search.training.trainers import KERAS, choose
from search.utils.batched import tensors
from spaces import space_from


def rows_of(count, seed):
    """Reviews in two columns, of which the second alone says the class; either may be missing."""
    first, _ = make_reviews(count, seed=seed + 10)
    second, labels = make_reviews(count, seed=seed)
    pairs = zip(first, second, strict=True)
    texts = [joined_text((None if k % 7 == 0 else a, None if k % 7 == 1 else b)) for k, (a, b) in enumerate(pairs)]
    codes = np.array([label == "good" for label in labels], np.int64)
    return Examples(np.array(texts, object), codes, np.arange(1, count + 1))


TRAIN, VALID = rows_of(120, 1), rows_of(60, 2)


@pytest.fixture
def make(word_module, tmp_path):
    def make(cached=True, **ranges):
        settings = {"modules": ["words"], "units": 8, "batch_size": 32, "learning_rate": 0.01, "wide": ["none"]}
        settings |= {"layers": 1, "dropout": 0.0, "trainable": False}
        space = space_from({**settings, "texts": ["apart"], **ranges}, text_columns=2)
        cache = FeatureCache(tmp_path / "features") if cached else None
        return TrainableHyperModel(
            space, backbones(space, {"words": word_module}), Target(2), 0, cache, Words(TRAIN.texts), 3
        )

    return make


@pytest.mark.parametrize("cached", [True, False])
def test_the_features_are_those_of_each_column_side_by_side(make, cached):
    hypermodel = make(cached)
    values = hypermodel.task(hyperparameters(hypermodel), TRAIN).values
    backbone = hypermodel.backbone(values)
    joined = hypermodel.backbones["words"]
    modules = backbone.frozen_features(values)
    rows = np.arange(len(VALID))
    found = hypermodel.features(modules, VALID).take(rows)
    each = [Examples(column_texts(VALID.texts, at, 2), VALID.labels, VALID.rows) for at in range(2)]
    of_one = joined.frozen_features(values)
    expected = [hypermodel.features(of_one, one).take(rows) for one in each]
    np.testing.assert_array_equal(found, np.concatenate(expected, axis=1))
    model = hypermodel.model(values)
    layer = keras.Model(model.inputs[0], model.get_layer("embedding").output)
    np.testing.assert_allclose(scorer(layer)(tensors(VALID.inputs)), found, atol=1e-6)
    told = backbone.describe(values)
    assert found.shape[1] == 2 * of_one[0].load().dimension
    assert told.parameters == joined.describe(values).parameters and told.frozen


@pytest.mark.parametrize("wide", ["none", "tfidf"])
def test_the_head_learns_as_keras_does(make, wide):
    hypermodel = make(wide=[wide])
    task = hypermodel.task(hyperparameters(hypermodel), TRAIN, VALID)
    assert isinstance(choose(task), HeadTrainer)
    fast, model = choose(task).train(task), hypermodel.model(task.values)
    general = KERAS.training_of(model, task)
    assign(model_weights(model), fast.weights())
    logs = {way: [] for way in (fast, general)}
    for way, told in logs.items():
        way.run(range(2), lambda epoch, metrics, told=told: told.append(metrics))
    for came, expected in zip(logs[fast], logs[general], strict=True):
        assert came["val_loss"] == pytest.approx(expected["val_loss"], rel=1e-4)
    assert choose(make(cached=False).task(hyperparameters(make()), TRAIN, VALID)) is KERAS


def test_a_saved_model_takes_the_joined_text(make, tmp_path):
    hypermodel = make()
    model = refit(hypermodel, hyperparameters(hypermodel), TRAIN, 3, NOTHING_KNOWN)
    classifier = Classifier(model, ("bad", "good"), 0.4)
    classifier.save(tmp_path / "model", tmp_path / "model.keras")
    values = hypermodel.task(hyperparameters(hypermodel), TRAIN).values
    expected = classifier.probabilities(VALID.inputs, hypermodel.constant_features(values, VALID))
    np.testing.assert_allclose(classifier.probabilities(VALID.inputs), expected, atol=1e-6)
    labels = Labels.of(tmp_path)
    found = Predictor(load_model(tmp_path, labels), labels)(VALID.texts.tolist())
    np.testing.assert_allclose(found.probabilities, expected, atol=1e-6)
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(scorer(again)(tensors(VALID.inputs)), expected, atol=1e-6)
    swapped = [joined_text(text.split("\n")[::-1]) for text in VALID.texts]
    other = classifier.probabilities(np.array(swapped, object))
    assert np.abs(other - expected).max() > 0.05, "each column has weights of its own"
