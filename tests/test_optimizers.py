"""One layer at a rate of its own, everything else as Keras does it."""

import keras
import numpy as np
import pytest

from search.optimizers import OPTIMIZERS, make_optimizer

RATE = 0.01


def trained(optimizer_of, steps=3):
    keras.utils.set_random_seed(1)
    first, second = keras.layers.Dense(6, "tanh"), keras.layers.Dense(1)
    model = keras.Sequential([keras.Input((4,)), first, second])
    before = model.get_weights()
    model.compile(optimizer_of(first), "mse")
    random = np.random.default_rng(0)
    inputs, targets = random.normal(size=(8, 4)), random.normal(size=(8, 1))
    model.fit(inputs, targets, batch_size=8, epochs=steps, shuffle=False, verbose=0)
    return [after - start for after, start in zip(model.get_weights(), before, strict=True)]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_without_a_slower_layer_it_is_kerass_own(name):
    assert type(make_optimizer(name, RATE)) is OPTIMIZERS[name]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_slower_layer_steps_by_the_ratio_and_the_rest_as_before(name):
    plain = trained(lambda layer: make_optimizer(name, RATE), steps=1)
    slow = trained(lambda layer: make_optimizer(name, RATE, layer, RATE / 50), steps=1)
    if name == "adamw":  # it decays the weights besides, but not the slower layer's
        plain[:2] = trained(lambda layer: make_optimizer("adam", RATE), steps=1)[:2]
    for full, part in zip(plain[:2], slow[:2], strict=True):
        np.testing.assert_allclose(part, full / 50, rtol=1e-3, atol=1e-7)
    for full, part in zip(plain[2:], slow[2:], strict=True):
        np.testing.assert_array_equal(part, full)


@pytest.mark.parametrize("name", [name for name in OPTIMIZERS if name != "adamw"])
def test_at_equal_rates_training_is_the_same(name):
    plain = trained(lambda layer: make_optimizer(name, RATE))
    same = trained(lambda layer: make_optimizer(name, RATE, layer, RATE))
    for one, other in zip(plain, same, strict=True):
        np.testing.assert_allclose(other, one, rtol=1e-5, atol=1e-8)
