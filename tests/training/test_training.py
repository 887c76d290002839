"""The state of a Keras model in training is all that its next epoch depends on."""

from functools import partial

import keras
import numpy as np
import pytest

from search.models.weights import assign, model_weights
from search.training.keras_training import KerasTraining

ROWS, DIMENSION = 64, 5


def make_model(optimizer="adam", frozen=False, units=8):
    keras.utils.set_random_seed(3)
    first = keras.layers.Dense(units, "relu", trainable=not frozen)
    layers = [keras.Input((DIMENSION,)), first, keras.layers.BatchNormalization(), keras.layers.Dropout(0.5)]
    model = keras.Sequential([*layers, keras.layers.Dense(2, "softmax")])
    model.compile(optimizer, "sparse_categorical_crossentropy")
    return model


@pytest.fixture(scope="module")
def data():
    random = np.random.default_rng(0)
    return random.normal(size=(ROWS, DIMENSION)).astype("float32"), random.integers(0, 2, ROWS)


def training(data, *arguments, batch_size=16, **settings):
    model = make_model(*arguments, **settings)
    return KerasTraining(model, partial(model.fit, *data, batch_size=batch_size, shuffle=False, verbose=0))


def go_on(epoch, metrics):
    return False


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "rmsprop", "adagrad", "sgd"])
@pytest.mark.parametrize("frozen", [False, True])
def test_training_goes_on_as_if_it_had_never_stopped(data, optimizer, frozen):
    unbroken, first, second = (training(data, optimizer, frozen) for _ in range(3))
    unbroken.run(range(4), go_on)
    first.run(range(3), go_on)
    second.set_state(first.state())
    second.run(range(3, 4), go_on)
    for expected, came in zip(unbroken.model.get_weights(), second.model.get_weights(), strict=True):
        np.testing.assert_array_equal(came, expected)
    assert int(second.model.optimizer.iterations) == int(unbroken.model.optimizer.iterations) > 0


def test_it_tells_of_each_epoch_and_stops_when_told(data):
    told = []
    one = training(data)
    one.run(range(2, 9), lambda epoch, metrics: told.append((epoch, sorted(metrics))) or epoch == 5)
    assert told == [(3, ["loss"]), (4, ["loss"]), (5, ["loss"])]


def test_a_state_of_whole_batches_goes_on_in_halves(data):
    """A trial that goes on from another and runs out of memory is tried again with its batches cut in two."""
    halves = keras.optimizers.SGD(0.01, momentum=0.9, gradient_accumulation_steps=2)
    plain = keras.optimizers.SGD(0.01, momentum=0.9)
    whole, cut = training(data, plain), training(data, halves, batch_size=8)
    whole.run(range(2), go_on)
    cut.set_state(whole.state())
    assert int(cut.model.optimizer.iterations) == int(whole.model.optimizer.iterations)
    for slot, expected in zip(cut.model.optimizer.momentums, whole.model.optimizer.momentums, strict=True):
        np.testing.assert_array_equal(slot, expected)
    steps = int(cut.model.optimizer.iterations)
    cut.run(range(2, 3), go_on)
    assert int(cut.model.optimizer.iterations) == steps + ROWS // 16


def test_weights_alone_give_the_same_answers(data):
    one, other = training(data), make_model()
    one.run(range(2), go_on)
    assert not np.array_equal(other.predict(data[0], verbose=0), one.model.predict(data[0], verbose=0))
    assign(model_weights(other), one.weights())
    np.testing.assert_array_equal(other.predict(data[0], verbose=0), one.model.predict(data[0], verbose=0))


def test_a_frozen_layer_is_no_part_of_it(data):
    shapes = {frozen: [array.shape for array in training(data, frozen=frozen).weights()] for frozen in (False, True)}
    assert (DIMENSION, 8) in shapes[False]
    assert (DIMENSION, 8) not in shapes[True]


def test_the_state_of_another_model_is_refused(data):
    with pytest.raises(ValueError, match="another model"):
        training(data, units=9).set_state(training(data, units=8).state())


def test_rows_of_a_variable_are_put_where_they_belong():
    table, counts = keras.Variable(np.zeros((4, 2), "float32")), keras.Variable(np.arange(3), dtype="int64")
    bias = keras.Variable(np.zeros(2, "float32"))
    none = np.zeros(0, np.int64)
    rows, values = np.array([0, 2]), np.array([[1, 2], [3, 4]], np.float32)
    assign([table, counts, bias], [rows, values, none, none, np.ones(2, np.float32)])
    np.testing.assert_array_equal(table.numpy(), [[1, 2], [0, 0], [3, 4], [0, 0]])
    np.testing.assert_array_equal(counts.numpy(), [0, 1, 2])
    np.testing.assert_array_equal(bias.numpy(), [1, 1])
    # All rows of a vector, and a vector of whole numbers as a whole.
    assign([counts, bias], [np.array([5, 6, 7]), np.array([1, 0]), np.array([8, 9], np.float32)])
    np.testing.assert_array_equal(counts.numpy(), [5, 6, 7])
    np.testing.assert_array_equal(bias.numpy(), [9, 8])
    with pytest.raises(ValueError, match="another model"):
        assign([table, bias], [rows, values])
    with pytest.raises(ValueError, match="another model"):
        assign([table], [rows, values, values])
