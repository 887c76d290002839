"""The activations and their slopes are Keras's."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from search.training.head.activations import ACTIVATIONS
from spaces import settings


def test_every_activation_of_the_space_is_there():
    assert set(ACTIVATIONS) == set(settings.ACTIVATIONS)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_values_and_slopes_are_those_of_keras(name):
    sums = np.concatenate([np.linspace(-12, 12, 997), [0.0, -1e-6, 1e-6, 40, -40]]).astype(np.float32).reshape(2, -1)
    inputs = tf.constant(sums)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        expected = keras.activations.get(name)(inputs)
    slopes = tape.gradient(expected, inputs)
    values, came = sums.copy(), np.full_like(sums, np.nan)
    ACTIVATIONS[name](values, came)
    np.testing.assert_allclose(values, expected, rtol=2e-6, atol=2e-6)
    np.testing.assert_allclose(came, slopes, rtol=2e-6, atol=2e-6)
