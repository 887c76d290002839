"""The model that hyperparameters describe, built and trained by KerasTuner's own tuners too."""

import keras
import keras_tuner
import numpy as np
import pytest
import tensorflow as tf
from declared import backbones
from reviews import make_reviews

from search.datasets import Examples
from search.evaluation import score
from search.evaluation.metric_list import Target
from search.features.cache import FeatureCache
from search.models.keras_model import above_embedding, linear_words
from search.models.weights import assign, model_weights
from search.models.wide.words import Words
from search.training.base import TrialState
from search.training.keras_training import KerasTraining
from search.training.sample_weight import sample_weight
from search.training.trainable import TrainableHyperModel
from search.training.trainers import KERAS, choose
from spaces import space_from


def make_examples(rows, seed):
    texts, labels = make_reviews(rows, seed=seed)
    codes = np.array([label == "good" for label in labels], dtype=np.int64)
    return Examples(np.array(texts, dtype=object), codes, np.arange(1, rows + 1))


TRAIN, VALID = make_examples(160, seed=1), make_examples(80, seed=2)


@pytest.fixture
def make(word_module):
    def make(cache=None, on_pass=None, **ranges):
        settings = {"modules": ["words"], "units": 8, "batch_size": 32, "learning_rate": 0.01, **ranges}
        space = space_from(settings)
        standing = backbones(space, {"words": word_module})
        words = Words(TRAIN.texts)
        hypermodel = TrainableHyperModel(space, standing, Target(2), seed=0, features=cache, words=words)
        if on_pass is not None:
            hypermodel.observe_passes(on_pass)
        return hypermodel

    return make


def built(hypermodel, seed=7, **values):
    hp = keras_tuner.HyperParameters()
    hp.values.update(values)
    keras.utils.set_random_seed(seed)
    return hp, hypermodel.build(hp)


def hyperparameters(**values):
    hp = keras_tuner.HyperParameters()
    hp.values.update(values)
    return hp


class Passes:
    """Counts the texts that go through a module."""

    def __init__(self):
        self.computed = []

    def on_pass_begin(self, module, texts, cached):
        assert module == "words"

    def on_pass_progress(self, done):
        pass

    def on_pass_end(self, computed, seconds):
        self.computed.append(computed)


def embedding_weights(model):
    return [variable.numpy() for variable in model.get_layer("embedding")._module.saved.variables]


@pytest.mark.parametrize(("trainable", "wide"), [(False, "none"), (True, "none"), (True, "tfidf")])
def test_only_a_trainable_module_moves_under_kerastuners_own_tuner(make, tmp_path, trainable, wide):
    seen = []

    class Watched(TrainableHyperModel):
        def fit(self, hp, model, *args, **kwargs):
            before = embedding_weights(model)
            history = super().fit(hp, model, *args, **kwargs)
            seen.append((before, embedding_weights(model)))
            # What was trained is the model that was given, with its words.
            loss = score(VALID.labels, model(tf.constant(VALID.texts.tolist())).numpy())["log_loss"]
            assert loss == pytest.approx(history.history["val_loss"][-1], rel=1e-4)
            assert (linear_words(model) is not None) == (wide == "tfidf")
            return history

    plain = make(trainable=trainable, layers={"min": 0, "max": 2}, wide=wide)
    hypermodel = Watched(plain.space, plain.backbones, plain.target, plain.seed, words=plain.words)
    objective = keras_tuner.Objective("val_average_precision", "max")
    tuner = keras_tuner.RandomSearch(hypermodel, objective, max_trials=2, seed=1, directory=tmp_path)
    tuner.search(TRAIN, VALID, epochs=2, verbose=0)
    (first, _), *_ = seen
    assert len(seen) == 2
    for before, after in seen:
        # Every trial starts from the published weights, whatever the trials before it did.
        for start, published in zip(before, first, strict=True):
            np.testing.assert_array_equal(start, published)
        moved = any(not np.array_equal(one, other) for one, other in zip(before, after, strict=True))
        assert moved is trainable


@pytest.mark.parametrize("layers", [0, 1, 3])
def test_the_head_is_as_deep_and_wide_as_asked(make, layers):
    hypermodel = make(layers={"min": 0, "max": 3}, units=[8, 16], activation="tanh")
    _, model = built(hypermodel, layers=layers, units_1=16, units_2=8, units_3=16)
    hidden = [layer for layer in model.layers if layer.name.startswith("hidden")]
    assert [layer.units for layer in hidden] == [16, 8, 16][:layers]
    assert all(layer.activation is keras.activations.tanh for layer in hidden)
    assert model.output_shape == (None, 2)


def test_the_module_learns_at_its_own_rate(make):
    moved = {}
    for rate in (1e-6, 1e-2):
        hp, model = built(make(trainable=True, layers=1, dropout=0.0, fine_tuning_rate=rate))
        before = embedding_weights(model)[0]
        make(trainable=True, layers=1, dropout=0.0, fine_tuning_rate=rate).fit(hp, model, TRAIN, epochs=1)
        moved[rate] = np.abs(embedding_weights(model)[0] - before).max()
    assert 0 < moved[1e-6] < 1e-4 < moved[1e-2]


def test_every_epoch_logs_the_metrics_of_both_splits(make):
    hypermodel = make(trainable=False)
    hp, model = built(hypermodel, layers=1)
    history = hypermodel.fit(hp, model, TRAIN, VALID, epochs=2).history
    probabilities = model.predict(tf.constant(VALID.texts.tolist()), verbose=0)
    expected = score(VALID.labels, probabilities.astype(np.float64))
    for name, value in expected.items():
        assert len(history[name]) == len(history[f"val_{name}"]) == 2
        assert history[f"val_{name}"][-1] == pytest.approx(value, abs=1e-6), name
    assert history["val_loss"] == history["val_log_loss"]


@pytest.mark.parametrize("trainable", [False, True])
def test_one_epoch_and_then_two_are_three(make, trainable):
    hypermodel = make(trainable=trainable, dropout=0.5, layers=1, fine_tuning_rate=0.01)
    hp, unbroken = built(hypermodel)
    hypermodel.fit(hp, unbroken, TRAIN, VALID, epochs=3)
    expected = unbroken.get_weights()
    hp, first = built(hypermodel)
    hypermodel.fit(hp, first, TRAIN, VALID, epochs=1)
    hp, second = built(hypermodel, seed=99)
    KerasTraining(second, hypermodel.fit).set_state(KerasTraining(first, hypermodel.fit).state())
    hypermodel.fit(hp, second, TRAIN, VALID, initial_epoch=1, epochs=3)
    for weight, came in zip(expected, second.get_weights(), strict=True):
        np.testing.assert_array_equal(came, weight)


def test_balanced_classes_weigh_the_same():
    labels = np.array([0] * 90 + [1] * 10)
    weights = sample_weight({"class_weight": "balanced"}, labels, 2)
    assert weights[labels == 0].sum() == pytest.approx(weights[labels == 1].sum())
    assert weights.mean() == pytest.approx(1)
    assert set(sample_weight({"class_weight": "none"}, labels, 2)) == {1.0}


@pytest.mark.parametrize("batch_size", [32, 13])
def test_half_batches_make_the_same_steps(make, batch_size):
    """With the rows of each batch cut in two and the gradients averaged, training comes out the same."""
    hypermodel = make(trainable=False, dropout=0.0, layers=1, optimizer="sgd", batch_size=batch_size)
    hp, whole = built(hypermodel)
    first = whole.get_weights()
    hypermodel.fit(hp, whole, TRAIN, epochs=2)
    cut = KERAS.train(hypermodel.task(hp, TRAIN, state=TrialState(accumulate=2)))
    halves = cut.model
    halves.set_weights(first)
    cut.run(range(2), lambda epoch, metrics: False)
    for weight, came in zip(whole.get_weights(), halves.get_weights(), strict=True):
        np.testing.assert_allclose(came, weight, atol=1e-5)


@pytest.mark.parametrize("class_weight", ["none", "balanced"])
@pytest.mark.parametrize("layers", [0, 2])
def test_both_ways_of_training_are_the_same(make, tmp_path, layers, class_weight):
    hypermodel = make(
        FeatureCache(tmp_path),
        trainable=False,
        layers=layers,
        dropout=0.0,
        class_weight=class_weight,
        activation="gelu",
    )
    hp, model = built(hypermodel)
    fast, general = (
        hypermodel.training(hp, TRAIN, VALID),
        KERAS.training_of(model, hypermodel.task(hp, TRAIN, VALID)),
    )
    assert fast.parameters == general.parameters
    assign(model_weights(model), fast.weights())
    logs = {way: [] for way in (fast, general)}
    for way, told in logs.items():
        way.run(range(3), lambda epoch, metrics, told=told: told.append(metrics))
    for came, expected in zip(logs[fast], logs[general], strict=True):
        assert set(came) == set(expected)
        for name in ("loss", "log_loss", "val_loss", "val_brier"):
            assert came[name] == pytest.approx(expected[name], rel=1e-5), name
    for came, weight in zip(fast.weights(), general.weights(), strict=True):
        np.testing.assert_allclose(came, weight, rtol=1e-4, atol=1e-6)


def test_each_text_is_embedded_once_whatever_the_trials(make, tmp_path):
    passes = Passes()
    hypermodel = make(FeatureCache(tmp_path), passes, trainable=False, layers={"min": 0, "max": 2})
    for layers in (0, 1, 2, 1):
        hypermodel.training(hyperparameters(layers=layers), TRAIN, VALID)
    assert sum(passes.computed) == len({*TRAIN.texts, *VALID.texts})
    # Another run finds them on disk.
    again = Passes()
    make(FeatureCache(tmp_path), again, trainable=False).training(hyperparameters(), TRAIN, VALID)
    assert sum(again.computed) == 0


@pytest.mark.parametrize("trainable", [False, True])
def test_what_needs_a_keras_model_takes_the_general_way(make, tmp_path, trainable):
    cache = FeatureCache(tmp_path)
    assert choose(make(cache, trainable=trainable).task(hyperparameters(), TRAIN)) is not KERAS
    assert (choose(make(None, trainable=trainable).task(hyperparameters(), TRAIN)) is KERAS) is not trainable
    callbacks = [keras.callbacks.TerminateOnNaN()]
    assert choose(make(cache, trainable=trainable).task(hyperparameters(), TRAIN, callbacks=callbacks)) is KERAS


def test_the_part_above_the_module_gives_the_same(make, tmp_path):
    hypermodel = make(FeatureCache(tmp_path), trainable=False, layers=2, dropout=0.3)
    _, model = built(hypermodel)
    features = hypermodel.constant_features({"module": "words", "trainable": False}, VALID).array()
    expected = model.predict(tf.constant(VALID.texts.tolist()), verbose=0)
    np.testing.assert_allclose(above_embedding(model).predict(features, verbose=0), expected, atol=1e-6)
