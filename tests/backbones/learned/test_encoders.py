"""Encoders are tuned, promoted, taken up again and saved like everything else."""

import keras
import keras_tuner
import numpy as np
import pytest
import tensorflow as tf
from declared import backbones, hyperparameters
from reviews import make_reviews

from search.config.tuner import TunerConfig
from search.datasets import Examples
from search.evaluation.metric_list import Target
from search.models.weights import assign, model_weights
from search.training.trainable import TrainableHyperModel
from search.training.trainers import KERAS
from search.tuning.oracles import make_oracle
from search.tuning.tuner import Tuner
from spaces import ENCODERS, space_from

OBJECTIVE = keras_tuner.Objective("val_average_precision", "max")


def make_examples(rows, seed):
    texts, labels = make_reviews(rows, seed=seed)
    codes = np.array([label == "good" for label in labels], np.int64)
    return Examples(np.array(texts, object), codes, np.arange(1, rows + 1))


TRAIN, VALID = make_examples(120, seed=1), make_examples(60, seed=2)


@pytest.fixture
def make(word_module):
    def make(**ranges):
        settings = {
            **{"modules": "gru", "embedding_size": 8, "encoder_units": 4, "layers": 1, "units": 8, "batch_size": 32},
            **{"learning_rate": 0.01, "dropout": 0.3, "class_weight": "none", **ranges},
        }
        space = space_from(settings)
        return TrainableHyperModel(space, backbones(space, {"words": word_module}, TRAIN.texts), Target(2), seed=0)

    return make


def scores_of(training, epochs):
    told = []
    training.run(range(epochs), lambda epoch, metrics: told.append(metrics) and False)
    return told


@pytest.mark.parametrize(("module", "embedding"), [*((module, "learned") for module in ENCODERS), ("mean", "words")])
def test_weights_learned_from_numbers_of_tokens_are_those_of_the_model_of_texts(make, module, embedding):
    hypermodel = make(modules=module, embedding=embedding, trainable=[False])
    hp = hyperparameters(hypermodel)
    training = hypermodel.training(hp, TRAIN, VALID)
    keras.utils.set_random_seed(9)
    model = hypermodel.build(hp)
    learned = model_weights(model)
    assert [weight.shape for weight in learned] == [array.shape for array in training.weights()]
    assert training.parameters == sum(array.size for array in training.weights())
    assign(learned, training.weights())
    ids = hypermodel.prepared_inputs(hypermodel.space.declare(hp), VALID)
    texts = tf.constant(VALID.texts.tolist())
    np.testing.assert_array_equal(model(texts), training.model(ids))
    # The vectors of a frozen embedding are none of the weights, and there all the same.
    table = model.get_layer("embedding").embeddings
    assert table.shape[1] == (16 if embedding == "words" else 8)
    assert any(weight is table for weight in learned) is (embedding == "learned")
    assert np.isfinite(model(tf.constant(["", "!", "zebra"])).numpy()).all()


@pytest.mark.slow
def test_both_ways_of_training_are_the_same(make):
    hypermodel = make(modules="mean")
    hp = hyperparameters(hypermodel)
    fast = hypermodel.training(hp, TRAIN, VALID)
    model = hypermodel.build(hp)
    general = KERAS.training_of(model, hypermodel.task(hp, TRAIN, VALID))
    assign([*model_weights(model), model.get_layer("dropout_1").seed_generator.state], [
        *fast.weights(), fast.model.get_layer("dropout_1").seed_generator.state.numpy()
    ])  # fmt: skip
    assert scores_of(fast, 2) == scores_of(general, 2)
    for came, expected in zip(fast.weights(), general.weights(), strict=True):
        np.testing.assert_array_equal(came, expected)


@pytest.mark.slow
@pytest.mark.parametrize("trainable", [False, True])
def test_the_start_of_an_embedding_moves_where_it_is_trainable(make, trainable):
    hypermodel = make(modules="mean", embedding="words", trainable=trainable)
    training = hypermodel.training(hyperparameters(hypermodel), TRAIN, VALID)
    table = training.model.get_layer("embedding").embeddings
    before = table.numpy()
    scores_of(training, 1)
    assert np.array_equal(table.numpy(), before) is not trainable


class Interrupted:
    """Presses Ctrl-C after an epoch."""

    def __init__(self, at):
        self.at = at

    def on_epoch_end(self, record, epoch, metrics):
        if epoch == self.at:
            raise KeyboardInterrupt

    def on_trial_begin(self, record):
        pass

    on_trial_end = on_trial_resumed = on_trial_begin


def tuner_of(folder, name, hypermodel, observers=()):
    oracle = make_oracle(TunerConfig(name=name, max_epochs=9, factor=3), OBJECTIVE, seed=3)
    folders = {"directory": str(folder.parent), "project_name": folder.name}
    return Tuner(oracle, hypermodel, max_epochs=9, observers=observers, **folders)


def arrays(path):
    """All that a checkpoint holds but the record among its notes."""
    with np.load(path, allow_pickle=False) as saved:
        return [saved[name] for name in saved.files if name.isdigit()]


def ended(tuner):
    """What a search came to: the best score and metrics, and all that its last trial would go on from."""
    tuner.search(TRAIN, VALID, verbose=0)
    *_, last = tuner.records.values()
    best = max(tuner.records.values(), key=lambda record: record.score)
    return [best.score, best.metrics, *arrays(tuner.files.last(last.trial_id))]


@pytest.mark.slow
def test_one_and_two_and_six_epochs_are_nine(make, tmp_path):
    hypermodel = make(optimizer="adamw", embedding="words", trainable=True, class_weight="balanced")
    promoted = tuner_of(tmp_path / "promoted", "hyperband", hypermodel)
    for came, expected in zip(ended(promoted), ended(tuner_of(tmp_path / "one", "grid", hypermodel)), strict=True):
        np.testing.assert_equal(came, expected)
    assert [record.epochs for record in promoted.records.values()] == [1, 3, 9]
    *_, last = promoted.records.values()
    model = promoted.load_model(promoted.oracle.get_trial(last.trial_id))
    probabilities = model.predict(tf.constant(VALID.texts.tolist()), verbose=0)
    accuracy = (probabilities.argmax(axis=1) == VALID.labels).mean()
    assert accuracy == pytest.approx(last.metrics["val_accuracy"])


@pytest.mark.slow
def test_a_trial_that_was_killed_goes_on_as_if_it_had_not_been(make, tmp_path):
    hypermodel = make(modules="mean")
    with pytest.raises(KeyboardInterrupt):
        tuner_of(tmp_path / "cut", "grid", hypermodel, [Interrupted(4)]).search(TRAIN, VALID, verbose=0)
    again, whole = (tuner_of(tmp_path / name, "grid", hypermodel) for name in ("cut", "whole"))
    for came, expected in zip(ended(again), ended(whole), strict=True):
        np.testing.assert_equal(came, expected)
