"""A trained model leaves nothing behind."""

import gc
import weakref

import keras
import numpy as np

from search.utils.memory import released_graphs


def train_one():
    keras.utils.set_random_seed(0)  # asked for where another test has made TensorFlow deterministic
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.compile("adam", "mse")
    model.fit(np.zeros((8, 3)), np.zeros((8, 2)), verbose=0)
    return weakref.ref(model.layers[0])


def alive(reference):
    keras.backend.clear_session()
    gc.collect()
    return reference() is not None


def graphs():
    gc.collect()
    return sum(type(thing).__name__ == "FuncGraph" for thing in gc.get_objects())


def test_graphs_of_a_training_are_released():
    with released_graphs():
        alive(train_one())
    before = graphs()
    for _ in range(3):
        with released_graphs():
            reference = train_one()
        assert not alive(reference)
    assert graphs() <= before


def test_without_it_they_would_stay():
    # When this fails, Keras or TensorFlow has mended the leak and search/utils/memory.py can go.
    before = graphs()
    for _ in range(3):
        train_one()
    assert graphs() > before
