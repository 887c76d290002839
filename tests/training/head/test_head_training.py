"""Training a head is the same training as Keras's, and goes on where it stopped."""

import numpy as np
import pytest
from heads import fit_twin, keras_twin, make_labelled_rows, make_rows, make_training
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ks_2samp

from search.evaluation import Target, score
from spaces.settings import ACTIVATIONS, OPTIMIZERS

EPOCHS = 3
RATES = {"adam": 0.003, "adamw": 0.003, "rmsprop": 0.003, "sgd": 0.03, "adagrad": 0.03}


def losses_of(training, epochs):
    losses = []
    training.run(epochs, lambda epoch, metrics: losses.append(metrics["loss"]))
    return losses


def distance(came, expected):
    """The relative distance of two sets of weights, each array by its own length."""
    return max(np.linalg.norm(a - b) / np.linalg.norm(b) for a, b in zip(came, expected, strict=True))


def compare(classes, batch_size=32, weighted=False, several=False, **settings):
    rows = (make_labelled_rows if several else make_rows)(200, classes)
    sample_weight = np.random.default_rng(1).uniform(0.2, 3, 200).astype(np.float32) if weighted else None
    training = make_training(rows, classes=classes, batch_size=batch_size, sample_weight=sample_weight, **settings)
    twin = keras_twin(training, classes=classes, several=several, **settings)
    start = training.weights()
    expected = fit_twin(twin, rows, EPOCHS, sample_weight=sample_weight, batch_size=batch_size)
    np.testing.assert_allclose(losses_of(training, range(EPOCHS)), expected, rtol=1e-5)
    assert distance(training.weights(), twin.get_weights()) < 1e-5
    assert distance(start, training.weights()) > 1e-2  # they have moved


DEPTHS = ((), (16,), (16, 8), (16, 8, 12))
# Every pair of an optimizer and an activation once, each with every depth.
SHAPES = [
    (optimizer, activation, DEPTHS[(i + j) % 4])
    for i, optimizer in enumerate(OPTIMIZERS)
    for j, activation in enumerate(ACTIVATIONS)
]


@pytest.mark.slow
@pytest.mark.parametrize(("optimizer", "activation", "widths"), SHAPES)
def test_it_is_the_same_training_as_that_of_keras(optimizer, activation, widths):
    compare(2, optimizer=optimizer, activation=activation, widths=widths, rate=RATES[optimizer])


@pytest.mark.parametrize(
    ("classes", "batch_size", "weighted"), [(3, 32, False), (2, 7, True), (5, 200, True), (3, 1, False)]
)
def test_it_is_the_same_with_any_classes_batches_and_weights(classes, batch_size, weighted):
    compare(classes, batch_size, weighted, activation="tanh", rate=0.003)


def test_it_is_the_same_with_several_labels_per_row():
    compare(4, 30, weighted=True, several=True, rate=0.01)


@pytest.mark.parametrize("more", [{"optimizer": "adamw", "weight_decay": 0.5}, {"clip_norm": 0.05}])
def test_it_decays_and_clips_as_keras_does(more):
    compare(2, rate=0.01, **more)
    start = make_training(make_rows(200, 2), rate=0.01)
    losses_of(start, range(EPOCHS))
    other = make_training(make_rows(200, 2), **{"rate": 0.01, **more})
    losses_of(other, range(EPOCHS))
    assert distance(other.weights(), start.weights()) > 1e-2  # it does make a difference


@pytest.mark.slow
def test_with_dropout_scores_are_distributed_as_those_of_keras():
    """30 seeds each; a two-sample Kolmogorov-Smirnov test, which fails one time in 1,000 where nothing is wrong."""
    rows, valid = make_rows(400, 2), make_rows(300, 2, seed=1)
    shape = {"widths": (16,), "dropout": 0.8, "rate": 0.02}

    def ours(**changed):
        return [last_score(make_training(rows, valid, seed=seed, **{**shape, **changed})) for seed in range(30)]

    # One model for all seeds, traced once; its dropout goes on where the last seed's ended.
    twin = keras_twin(make_training(rows, valid, **shape), **shape)
    twin.optimizer.build(twin.trainable_variables)
    fresh = [variable.numpy() for variable in twin.optimizer.variables]

    def keras_own(seed):
        twin.set_weights(make_training(rows, valid, seed=seed, **shape).weights())
        for variable, value in zip(twin.optimizer.variables, fresh, strict=True):
            variable.assign(value)
        fit_twin(twin, rows, 4, seed=seed)
        return score(valid.labels, twin.predict(valid.inputs.array(), verbose=0).astype(np.float64))["log_loss"]

    expected = [keras_own(seed) for seed in range(30)]
    assert ks_2samp(ours(), expected).pvalue > 0.001
    # It can tell: with less dropout, and with none, the scores are others.
    for dropout in (0.0, 0.64):
        assert ks_2samp(ours(dropout=dropout), expected).pvalue < 0.001


def last_score(training):
    scores = []
    training.run(range(4), lambda epoch, metrics: scores.append(metrics["val_log_loss"]))
    return scores[-1]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 6), st.sampled_from(OPTIMIZERS), st.sampled_from(ACTIVATIONS), st.booleans())
def test_it_goes_on_as_if_it_had_never_stopped(first, optimizer, activation, drops):
    rows = make_rows(70, 3)
    shape = {"classes": 3, "optimizer": optimizer, "activation": activation, "dropout": 0.4 if drops else 0.0}
    unbroken, begun, gone_on = (make_training(rows, **shape) for _ in range(3))
    expected = losses_of(unbroken, range(7))
    losses = losses_of(begun, range(first))
    gone_on.set_state([array.copy() for array in begun.state()])
    losses += losses_of(gone_on, range(first, 7))
    assert losses == expected
    for came, weight in zip(gone_on.state(), unbroken.state(), strict=True):
        np.testing.assert_array_equal(came, weight)


def test_it_scores_as_evaluation_does_and_stops_when_told():
    rows, valid = make_rows(100, 3), make_rows(40, 3, seed=1)
    training = make_training(rows, valid, classes=3, ordered=True)
    told = []
    training.run(range(2, 9), lambda epoch, metrics: told.append((epoch, metrics)) or epoch == 5)
    assert [epoch for epoch, _ in told] == [3, 4, 5]
    probabilities = training.head.probabilities(valid.inputs, np.arange(40))
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-12)
    expected = score(valid.labels, probabilities, target=Target(3, ordered=True))
    last = told[-1][1]
    assert {name: last[f"val_{name}"] for name in expected} == expected
    assert last["val_loss"] == expected["log_loss"]
    assert set(expected) <= set(last)


def test_the_state_of_another_head_is_refused():
    rows = make_rows(50, 2)
    with pytest.raises(ValueError, match="another model"):
        make_training(rows, widths=(9,)).set_state(make_training(rows, widths=(8,)).state())


def test_weights_that_diverge_are_told_by_no_warning():
    training = make_training(make_rows(50, 2), optimizer="sgd", rate=1e30)
    # What has diverged is refused by the evaluation.
    with np.errstate(all="raise"), pytest.raises(ValueError, match="finite"):
        losses_of(training, range(5))
