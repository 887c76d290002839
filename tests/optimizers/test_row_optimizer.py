"""A step by the gradient of some rows of a table is the step by the whole gradient, with zeros in the other rows."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search.optimizers.flat import flat_optimizer
from search.optimizers.optimizer_settings import OPTIMIZERS, OptimizerSettings

WIDTH = 3


@pytest.mark.parametrize("name", OPTIMIZERS)
@settings(max_examples=30, deadline=None)
@given(
    # More than one block of them, too.
    rows=st.sampled_from([12, 50_000]),
    steps=st.integers(1, 5),
    density=st.sampled_from([0.0, 0.05, 1.0]),
    seed=st.integers(0, 1000),
    warmup=st.sampled_from([0, 3]),
)
def test_it_is_as_if_the_whole_gradient_were_given(name, rows, steps, density, seed, warmup):
    random = np.random.default_rng(seed)
    given = OptimizerSettings(name, 0.01, module_rate=0.02, warmup_steps=warmup)
    start = random.normal(size=rows * WIDTH)
    whole, by_row = start.copy(), start.copy()
    dense = flat_optimizer(given, whole, of_module=True)
    sparse = flat_optimizer(given, by_row, of_module=True)
    for _ in range(steps):
        touched = np.flatnonzero(random.random(rows) < density)
        part = random.normal(size=(len(touched), WIDTH))
        gradient = np.zeros((rows, WIDTH))
        gradient[touched] = part
        dense.step(gradient.reshape(-1))
        sparse.step(part, touched)
    np.testing.assert_allclose(by_row, whole, rtol=1e-12)
    np.testing.assert_allclose(sparse.slots, dense.slots, rtol=1e-12)
