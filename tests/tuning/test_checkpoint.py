"""A state on disk is all that the next epoch depends on."""

import keras
import numpy as np
import pytest

from search.tuning.checkpoint import is_whole, read_notes, restore_state, restore_weights, save_state, save_weights

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


def train(model, data, epochs):
    model.fit(*data, batch_size=16, epochs=epochs, shuffle=False, verbose=0)


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "rmsprop", "adagrad", "sgd"])
@pytest.mark.parametrize("frozen", [False, True])
def test_training_goes_on_as_if_it_had_never_stopped(tmp_path, data, optimizer, frozen):
    unbroken = make_model(optimizer, frozen)
    train(unbroken, data, 4)
    first = make_model(optimizer, frozen)
    train(first, data, 3)
    save_state(tmp_path / "last.npz", first, {"epochs": 3})
    second = make_model(optimizer, frozen)
    assert read_notes(tmp_path / "last.npz") == {"epochs": 3}
    restore_state(tmp_path / "last.npz", second)
    train(second, data, 1)
    for expected, came in zip(unbroken.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(came, expected)
    assert int(second.optimizer.iterations) == int(unbroken.optimizer.iterations) > 0


def test_weights_alone_give_the_same_answers(tmp_path, data):
    model = make_model()
    train(model, data, 2)
    save_weights(tmp_path / "best.npz", model)
    other = make_model()
    assert not np.array_equal(other.predict(data[0], verbose=0), model.predict(data[0], verbose=0))
    restore_weights(tmp_path / "best.npz", other)
    np.testing.assert_array_equal(other.predict(data[0], verbose=0), model.predict(data[0], verbose=0))


def test_a_frozen_layer_is_not_written(tmp_path, data):
    sizes = {}
    for frozen in (False, True):
        model = make_model(frozen=frozen, units=2000)
        save_weights(tmp_path / "best.npz", model)
        with np.load(tmp_path / "best.npz") as saved:
            sizes[frozen] = [saved[name].shape for name in saved.files if name.isdigit()]
    assert (DIMENSION, 2000) in sizes[False]
    assert (DIMENSION, 2000) not in sizes[True]


def test_weights_of_another_model_are_refused(tmp_path):
    save_weights(tmp_path / "best.npz", make_model(units=8))
    with pytest.raises(ValueError, match="another model"):
        restore_weights(tmp_path / "best.npz", make_model(units=9))


def test_damage_is_found(tmp_path):
    path = tmp_path / "best.npz"
    assert not is_whole(path)
    save_weights(path, make_model())
    assert is_whole(path)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    assert not is_whole(path)
    path.write_bytes(content[:200] + bytes([content[200] ^ 1]) + content[201:])
    assert not is_whole(path)
