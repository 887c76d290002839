"""Columns beside the texts in models: as a layer they are what scikit-learn's preprocessing makes of them."""

from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf
from declared import backbones, hyperparameters
from reviews import make_reviews

from search.datasets import Column, Examples, Subset
from search.datasets.beside import beside
from search.evaluation.metric_list import Target
from search.features.cache import FeatureCache
from search.inference.labels import Labels
from search.inference.predictor import Predictor, load_model
from search.models.beside.encoder import ColumnEncoder
from search.models.classifier import Classifier
from search.models.scorer import scorer
from search.models.weights import assign, model_weights
from search.models.wide.words import Words
from search.training.base import NOTHING_KNOWN
from search.training.fast_trainers import EmbeddingBagTrainer, HeadTrainer, SparseRowTrainer
from search.training.refit import refit
from search.training.trainable import TrainableHyperModel
from search.training.trainers import KERAS, choose
from search.utils.batched import tensors
from spaces import space_from

COLUMNS = (
    Column("price", "number", "price"),
    Column("brand", "category", "brand"),
    Column("since", "date", "since", "ISO8601"),
)


def rows_of(count, seed, brands=("acme", "umbrella", "", "rare")):
    """Reviews whose brand says as much as their words."""
    texts, labels = make_reviews(count, seed=seed)
    random = np.random.default_rng(seed)
    codes = np.array([label == "good" for label in labels], np.int64)
    price = np.where(random.random(count) < 0.1, np.nan, 1e6 + random.normal(size=count) * 20)
    brand = np.where(random.random(count) < 0.8, np.array(brands[:2])[codes], random.choice(brands, count))
    days = [f"20{10 + k % 15}-0{1 + k % 9}-1{k % 7}T0{k % 10}:30:00" for k in range(count)]
    values = {"price": price, "brand": brand, "since": [None if k % 11 == 0 else day for k, day in enumerate(days)]}
    columns = beside(COLUMNS, values, range(count), "t")
    return Examples(np.array(texts, object), codes, np.arange(1, count + 1), columns)


TRAIN, VALID = rows_of(160, 1), rows_of(70, 2, ("acme", "umbrella", "unseen", "new"))


@pytest.fixture
def make(word_module, tmp_path):
    def make(cached=True, **ranges):
        settings = {"modules": ["words"], "units": 8, "batch_size": 32, "learning_rate": 0.01, "wide": ["none"]}
        space = space_from({**settings, **ranges})
        standing = backbones(space, {"words": word_module})
        cache = FeatureCache(tmp_path / "features") if cached else None
        columns = ColumnEncoder(COLUMNS, TRAIN.beside)
        return TrainableHyperModel(space, standing, Target(2), 0, cache, Words(TRAIN.texts), 3, columns)

    return make


@pytest.mark.parametrize("train", [TRAIN, TRAIN.take(np.arange(9))])
def test_the_layer_is_what_scikit_learn_fitted(train):
    encoder = ColumnEncoder(COLUMNS, train.beside)
    inputs, vectors = encoder.symbolic()
    layer = keras.Model(inputs, vectors)
    for split in (TRAIN, VALID):
        expected = encoder.vectors(split).array()
        assert np.isfinite(expected).all()
        np.testing.assert_allclose(scorer(layer)(tensors(split.beside)), expected, rtol=1e-6, atol=1e-6)


def test_what_is_learned_of_columns_follows_from_the_training_rows_alone():
    encoder = ColumnEncoder(COLUMNS, TRAIN.beside)
    fold = Subset.of(TRAIN, np.arange(80))
    ours = encoder.learning_from(fold).vectors(VALID).array()
    np.testing.assert_array_equal(ours, ColumnEncoder(COLUMNS, TRAIN.beside[:80]).vectors(VALID).array())
    assert ours.shape != encoder.vectors(VALID).array().shape or (ours != encoder.vectors(VALID).array()).any()


@pytest.mark.parametrize(
    ("trainer", "wide"),
    [
        (HeadTrainer, "none"),
        (HeadTrainer, "tfidf"),
        (EmbeddingBagTrainer, "none"),
        (SparseRowTrainer, "none"),
    ],
)
def test_every_way_of_training_learns_from_columns_as_keras_does(make, trainer, wide):
    hypermodel = make(trainable=trainer is not HeadTrainer, layers=1, dropout=0.0, wide=[wide], fine_tuning_rate=0.01)
    task = hypermodel.task(hyperparameters(hypermodel), TRAIN, VALID)
    assert isinstance(choose(task), HeadTrainer if trainer is HeadTrainer else EmbeddingBagTrainer)
    fast, model = trainer().train(task), hypermodel.model(task.values)
    general = KERAS.training_of(model, task)
    assign(model_weights(model), fast.weights())
    logs = {way: [] for way in (fast, general)}
    for way, told in logs.items():
        way.run(range(2), lambda epoch, metrics, told=told: told.append(metrics))
    for came, expected in zip(logs[fast], logs[general], strict=True):
        for name in ("loss", "val_loss", "val_brier"):
            assert came[name] == pytest.approx(expected[name], rel=1e-4), name
    assign(model_weights(model), fast.weights())
    features = hypermodel.constant_features(task.values, VALID)
    known = Classifier(model, ("bad", "good"), None).probabilities(VALID.inputs, features)
    np.testing.assert_allclose(known, scorer(model)(tensors(VALID.inputs)), atol=1e-6)


def test_where_no_fast_way_knows_columns_keras_does(make):
    for ranges in ({"modules": ["mean"]}, {"cached": False, "trainable": False}):
        hypermodel = make(layers=1, **ranges)
        task = hypermodel.task(hyperparameters(hypermodel), TRAIN, VALID)
        assert [one.name for one in hypermodel.model(task.values).inputs] == ["texts", "price", "brand", "since"]
        assert choose(task) is KERAS


def test_a_module_is_fine_tuned_under_a_head_with_columns(make):
    hypermodel = make(trainable=True, layers=1, head_first=[True])
    training = hypermodel.training(hyperparameters(hypermodel), TRAIN, VALID)
    told = []
    training.run(range(1), lambda epoch, metrics: told.append((epoch, metrics["val_loss"])))
    assert [epoch for epoch, _ in told] == [0, 1]


def test_a_saved_model_has_an_input_for_each_column(make, tmp_path):
    hypermodel = make(trainable=False, layers=1)
    model = refit(hypermodel, hyperparameters(hypermodel), TRAIN, 3, NOTHING_KNOWN)
    classifier = Classifier(model, ("bad", "good"), 0.4, COLUMNS)
    classifier.save(tmp_path / "model", tmp_path / "model.keras")
    expected = classifier.probabilities(VALID.inputs)
    labels = Labels.of(tmp_path)
    assert labels.columns == COLUMNS
    found = Predictor(load_model(tmp_path, labels), labels)(VALID.texts.tolist(), VALID.beside)
    np.testing.assert_allclose(found.probabilities, expected, atol=1e-6)
    served = tf.saved_model.load(str(tmp_path / "model")).signatures["serving_default"]
    given = {name: tf.constant(VALID.inputs[name].tolist()) for name in ("texts", "brand")}
    numbers = {name: tf.constant(VALID.inputs[name]) for name in ("price", "since")}
    answer = served(**given, **numbers)
    np.testing.assert_allclose(answer["probabilities"].numpy(), expected, atol=1e-6)
    assert [one.decode() for one in answer["predicted"].numpy()] == found.predicted
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(scorer(again)(tensors(VALID.inputs)), expected, atol=1e-6)
    # A brand says as much as a word: without the columns the model would not know of it.
    other = replace(VALID, beside=VALID.beside[::-1])
    assert np.abs(classifier.probabilities(other.inputs) - expected).max() > 0.05
