"""One layer at a rate of its own, everything else as Keras does it."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from search.optimizers.optimizer_settings import OPTIMIZERS, OptimizerSettings, decays, make_optimizer

RATE = 0.01


def trained(optimizer_of, steps=3):
    keras.utils.set_random_seed(1)
    first, second = keras.layers.Dense(6, "tanh"), keras.layers.Dense(1)
    model = keras.Sequential([keras.Input((4,)), first, second])
    before = model.get_weights()
    # A single step is not worth being traced first.
    model.compile(optimizer_of(first), "mse", run_eagerly=steps == 1)
    random = np.random.default_rng(0)
    inputs, targets = random.normal(size=(8, 4)), random.normal(size=(8, 1))
    model.fit(inputs, targets, batch_size=8, epochs=steps, shuffle=False, verbose=0)
    return [after - start for after, start in zip(model.get_weights(), before, strict=True)]


def plain(name):
    return lambda layer: make_optimizer(OptimizerSettings(name, RATE), [])


def fine_tuning(name, rate, **more):
    return lambda layer: make_optimizer(
        OptimizerSettings(name, RATE, module_rate=rate, **more), layer.trainable_variables, [layer.trainable_variables]
    )


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_without_a_module_it_is_kerass_own(name):
    assert type(plain(name)(None)) is OPTIMIZERS[name]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_module_steps_by_its_own_rate_and_the_rest_as_before(name):
    full, slow = trained(plain(name), steps=1), trained(fine_tuning(name, RATE / 50), steps=1)
    for one, part in zip(full[:2], slow[:2], strict=True):
        np.testing.assert_allclose(part, one / 50, rtol=1e-3, atol=1e-7)
    for one, part in zip(full[2:], slow[2:], strict=True):
        np.testing.assert_array_equal(part, one)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_at_equal_rates_training_is_the_same(name):
    for one, other in zip(trained(plain(name)), trained(fine_tuning(name, RATE)), strict=True):
        np.testing.assert_allclose(other, one, rtol=1e-5, atol=1e-8)


def test_weight_decay_draws_each_matrix_at_its_own_rate_and_no_bias():
    keras.utils.set_random_seed(1)
    module, head = keras.layers.GRU(3), keras.layers.Dense(2)
    model = keras.Sequential([keras.Input((None, 4)), module, keras.layers.LayerNormalization(), head])
    weights = model.trainable_variables
    for weight in weights:
        weight.assign(keras.ops.ones(weight.shape))
    settings = OptimizerSettings("adamw", 0.1, weight_decay=0.5, module_rate=0.02, warmup_steps=2)
    optimizer = make_optimizer(settings, weights, [module.trainable_variables])
    optimizer.apply([keras.ops.zeros(weight.shape) for weight in weights], weights)
    # The GRU, whose bias has two rows; scale and offset of normalization; kernel and bias of the head.
    expected = [1 - 0.01 * 0.5, 1 - 0.01 * 0.5, 1, 1, 1, 1 - 0.1 * 0.5, 1]
    assert [weight.numpy().min() for weight in weights] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("name", "shape", "expected"),
    [
        ("transformer/layer_0/self_attention/query/kernel:0", (4, 2, 2), True),
        ("transformer/layer_0/self_attention/query/bias:0", (2, 2), False),
        ("layer_0_attention_query_bias_1", (2, 2), False),
        ("word_embeddings/embeddings:0", (9, 4), True),
        ("layer_norm/gamma:0", (4,), False),
        ("scale", (), False),
        ("unbiased_table", (9, 4), True),
    ],
)
def test_matrices_and_tables_decay(name, shape, expected):
    assert decays(tf.Variable(tf.zeros(shape), name=name.removesuffix(":0"))) == expected


def test_the_rate_of_the_module_grows_over_the_warm_up():
    """Plain descent without momentum in the first step: its length is the rate."""
    full = trained(fine_tuning("sgd", RATE), steps=1)
    warming = trained(fine_tuning("sgd", RATE, warmup_steps=4), steps=1)
    for one, other in zip(full[:2], warming[:2], strict=True):
        np.testing.assert_allclose(other, one / 4, rtol=1e-3, atol=1e-7)
    np.testing.assert_array_equal(full[2], warming[2])
    rates = [OptimizerSettings("sgd", RATE, module_rate=0.1, warmup_steps=4).module_rate_at(i) for i in range(1, 7)]
    np.testing.assert_allclose(rates, [0.025, 0.05, 0.075, 0.1, 0.1, 0.1])


def test_all_rates_fall_to_zero_where_they_are_told_to():
    given = OptimizerSettings("sgd", RATE, module_rate=0.1, warmup_steps=2, decay_steps=4)
    np.testing.assert_allclose([given.module_rate_at(i) for i in range(1, 7)], [0.05, 0.075, 0.05, 0.025, 0, 0])
    np.testing.assert_allclose([given.rate_at(i) / RATE for i in range(1, 7)], [1, 0.75, 0.5, 0.25, 0, 0])
    falling = fine_tuning("adamw", RATE, decay_steps=2, weight_decay=0.1)
    for one, other in zip(trained(falling, steps=2), trained(falling, steps=5), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_row_that_comes_up_twice_in_a_batch_has_one_gradient(name):
    """Keras alone would square its two halves one by one."""
    layer = keras.layers.Dense(2, use_bias=False)
    layer.build((3, 3))
    (table,) = layer.trainable_variables
    start = table.numpy()
    optimizer = fine_tuning(name, RATE)(layer)
    halves = tf.IndexedSlices([[1.0, 2.0], [3.0, 4.0]], [1, 1], [3, 2])
    optimizer.apply([halves], [table])
    optimizer.apply([halves], [table])
    came = table.numpy()
    table.assign(start)
    reference = fine_tuning(name, RATE)(layer)
    reference.apply([tf.convert_to_tensor(halves)], [table])
    reference.apply([tf.convert_to_tensor(halves)], [table])
    np.testing.assert_allclose(came, table.numpy(), rtol=1e-6)
