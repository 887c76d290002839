"""Models that their first batch builds are promoted, resumed and loaded like those that are made with weights."""

import keras
import keras_tuner
import numpy as np
import pytest
from toy import Watcher

from search.models.weights import model_weights
from search.training.keras_training import build_from_shapes
from search.tuning import Hyperband
from search.tuning.record import TrialRecord

KINDS = ("sequential", "subclassed", "two inputs")  # the last is nested, too


def layers(units):
    return [keras.layers.Dense(units, "relu"), keras.layers.BatchNormalization(), keras.layers.Dropout(0.2)]


class Subclassed(keras.Model):
    def __init__(self, units):
        super().__init__()
        self.hidden, self.last = layers(units), keras.layers.Dense(2, "softmax")

    def call(self, inputs, training=False):
        values = inputs
        for layer in self.hidden:
            values = layer(values, training=training)
        return self.last(values)


class Nested(keras.Model):
    def __init__(self, units):
        super().__init__()
        self.hidden, self.last = keras.Sequential(layers(units)), keras.layers.Dense(2, "softmax")

    def call(self, inputs, training=False):
        return self.last(self.hidden(inputs, training=training))


class TwoInputs(Nested):
    def call(self, inputs, training=False):
        return super().call(keras.ops.concatenate([inputs["left"], inputs["right"]], axis=1), training=training)


def make(kind, units):
    if kind == "made with weights":
        return keras.Sequential([keras.Input((8,)), *layers(units), keras.layers.Dense(2, "softmax")])
    if kind == "sequential":
        return keras.Sequential([*layers(units), keras.layers.Dense(2, "softmax")])
    return {"subclassed": Subclassed, "two inputs": TwoInputs}[kind](units)


def builder(kind, run_eagerly=True):
    def build(hp):
        model = make(kind, hp.Int("units", 4, 64))
        rate = hp.Float("rate", 1e-3, 1e-1, sampling="log")
        # Tracing would take longer than training.
        model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", run_eagerly=run_eagerly)
        return model

    return build


@pytest.fixture(scope="module")
def data():
    random = np.random.default_rng(0)
    inputs = random.normal(size=(48, 8)).astype("float32")
    return inputs, (inputs[:, 0] + inputs[:, 1] ** 2 > 1).astype("int64")


def of_kind(kind, inputs):
    return {"left": inputs[:, :3], "right": inputs[:, 3:]} if kind == "two inputs" else inputs


def tuner(folder, kind, run_eagerly=True, **settings):
    objective = keras_tuner.Objective("val_loss", "min")
    at = {"directory": str(folder), "project_name": "trials"}
    return Hyperband(builder(kind, run_eagerly), objective, max_epochs=4, factor=4, seed=0, **at, **settings)


def searched(folder, kind, data, **settings):
    inputs, labels = data
    found = tuner(folder, kind, **settings)
    held_out = of_kind(kind, inputs[32:]), labels[32:]
    found.search(
        of_kind(kind, inputs[:32]), labels[:32], validation_data=held_out, batch_size=16, shuffle=False, verbose=0
    )
    return found


def table(tuner):
    return [(record.trial_id, record.status, record.values, record.score) for record in tuner.records.values()]


@pytest.fixture(scope="module")
def made_with_weights(tmp_path_factory, data):
    return searched(tmp_path_factory.mktemp("made"), "made with weights", data)


@pytest.mark.parametrize("kind", KINDS)
def test_they_are_promoted_and_loaded_bit_for_bit(tmp_path, data, made_with_weights, kind):
    found = searched(tmp_path, kind, data)
    assert any(record.parent for record in found.records.values())
    assert {record.parameters for record in found.records.values()} == {
        record.parameters for record in made_with_weights.records.values()
    }
    if kind == "sequential":  # the others draw their weights in another order
        assert table(found) == table(made_with_weights)
    assert {record.status for record in found.records.values()} == {"COMPLETED"}
    again = tuner(tmp_path, kind)
    best = again.ranking()[0]
    model = again.get_best_models()[0]
    loss = model.evaluate(of_kind(kind, data[0][32:]), data[1][32:], batch_size=16, verbose=0)
    assert loss == pytest.approx(best.score, rel=1e-6)


class Stops(Watcher):
    def on_epoch_end(self, record, epoch, metrics):
        super().on_epoch_end(record, epoch, metrics)
        if record.parent and epoch - record.initial_epoch == 1:
            raise KeyboardInterrupt


def test_an_interrupted_search_of_them_ends_as_an_undisturbed_one(tmp_path, data):
    undisturbed = searched(tmp_path / "undisturbed", "subclassed", data)
    with pytest.raises(KeyboardInterrupt):
        searched(tmp_path / "cut", "subclassed", data, observers=[Stops()])
    assert table(searched(tmp_path / "cut", "subclassed", data)) == table(undisturbed)


def test_one_that_is_too_large_fails_once_its_size_is_known(tmp_path, data):
    found = searched(tmp_path, "sequential", data, max_parameters=400)
    statuses = {record.parameters > 400: record.status for record in found.records.values()}
    assert statuses == {True: "FAILED", False: "COMPLETED"}


def test_one_that_its_shapes_do_not_build_is_told_what_it_lacks():
    class Picky(keras.Model):
        def build(self, input_shape):
            raise NotImplementedError

    with pytest.raises(ValueError, match=r"keras\.Input"):
        build_from_shapes(Picky(), {"input_shape": [None, 8]})


def test_shapes_survive_json(tmp_path):
    record = TrialRecord("0", {}, build={"shapes_dict": {"a": (None, 3), "b": [(2, 4), (None, 1)]}})
    record.write(tmp_path / "trial_0" / "record.json")
    model = make("sequential", 4)
    build_from_shapes(model, {"input_shape": [None, 8]})
    assert tuple(model_weights(model)[0].shape) == (8, 4)
    assert TrialRecord.read(tmp_path / "trial_0" / "record.json").build["shapes_dict"]["b"] == [[2, 4], [None, 1]]
