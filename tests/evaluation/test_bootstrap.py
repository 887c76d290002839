import numpy as np
import pytest
from evaluation_helpers import assert_same, by_sklearn, patient, predictions
from hypothesis import given
from hypothesis import strategies as st

from search.evaluation import Target, intervals, names, score
from search.evaluation.bootstrap import resampled
from search.evaluation.weighted import WeightedScorer


def made(rows, classes, seed=0, levels=None):
    """Labels and probabilities that know something of them."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, classes, rows)
    logits = random.normal(size=(rows, classes))
    logits[np.arange(rows), labels] += 1
    probabilities = np.exp(logits)
    if levels:
        probabilities = np.ceil(probabilities * levels)
    return labels, probabilities / probabilities.sum(axis=1, keepdims=True)


@pytest.mark.parametrize(("classes", "threshold"), [(2, None), (2, 0.3), (3, None), (6, None)])
@pytest.mark.parametrize("levels", [None, 2])
def test_each_resample_scores_as_scikit_learn_scores_it_with_weights(classes, threshold, levels):
    labels, probabilities = made(150, classes, levels=levels)
    weights = np.concatenate(list(resampled(150, 6, seed=1)))
    scores = WeightedScorer(labels, probabilities, threshold)(weights)
    for i, row in enumerate(weights):
        assert_same(
            {name: values[i] for name, values in scores.items()}, by_sklearn(labels, probabilities, threshold, row)
        )


@patient
@given(predictions(), st.integers(0, 9))
def test_a_weighting_scores_like_the_rows_it_repeats(drawn, seed):
    labels, probabilities = drawn
    weights = next(resampled(len(labels), 1, seed))
    chosen = np.repeat(np.arange(len(labels)), weights[0].astype(int))
    expected = score(labels[chosen], probabilities[chosen])
    scores = WeightedScorer(labels, probabilities)(weights)
    for name, value in expected.items():
        assert scores[name][0] == pytest.approx(value, rel=1e-9, abs=1e-12, nan_ok=True), name


def test_resamples_draw_as_many_rows_as_there_are_each_as_often():
    weights = np.concatenate(list(resampled(200, 5000, seed=3)))
    assert weights.shape == (5000, 200)
    assert (weights.sum(axis=1) == 200).all()
    assert weights.mean(axis=0) == pytest.approx(np.ones(200), abs=0.1)
    assert weights.var() == pytest.approx(1 - 1 / 200, abs=0.02)


def test_many_rows_come_in_chunks_that_fit_into_memory():
    chunks = list(resampled(300_000, 3, seed=0))
    assert [chunk.shape for chunk in chunks] == [(1, 300_000)] * 3
    assert (chunks[0] != chunks[1]).any()


@patient
@given(predictions(complete=True))
def test_intervals_are_ordered_and_cover_every_metric(drawn):
    labels, probabilities = drawn
    found = intervals(labels, probabilities, None, resamples=50, seed=0)
    assert tuple(found) == names(Target(probabilities.shape[1]))
    for low, high in found.values():
        assert np.isnan([low, high]).all() or low <= high


@pytest.mark.parametrize("classes", [2, 4])
def test_intervals_hold_the_score_and_shrink_with_confidence_and_rows(classes):
    few, many = made(200, classes), made(5000, classes)
    wide = intervals(*few, None, resamples=300, seed=0)
    narrow = intervals(*many, None, resamples=300, seed=0)
    half = intervals(*few, None, resamples=300, confidence=0.5, seed=0)
    point = score(*few)
    for name, (low, high) in wide.items():
        if name != "expected_calibration_error":  # resampling adds noise to each bin: biased upwards
            assert low < point[name] < high, name
        assert narrow[name][1] - narrow[name][0] < high - low
        assert low <= half[name][0] <= half[name][1] <= high


def test_the_same_seed_gives_the_same_intervals():
    data = made(100, 3)
    assert intervals(*data, None, resamples=50, seed=7) == intervals(*data, None, resamples=50, seed=7)
    assert intervals(*data, None, resamples=50, seed=7) != intervals(*data, None, resamples=50, seed=8)


def test_two_models_on_the_same_rows_are_weighed_by_the_same_draws():
    labels, better = made(400, 2)
    worse = 0.7 * better + 0.3 * made(400, 2, seed=9)[1]
    difference = np.concatenate(
        [
            WeightedScorer(labels, better)(weights)["log_loss"] - WeightedScorer(labels, worse)(weights)["log_loss"]
            for weights in resampled(400, 200, seed=0)
        ]
    )
    (low, high) = intervals(labels, better, None, resamples=200, seed=0)["log_loss"]
    assert difference.std() < (high - low) / 2


def test_an_interval_of_95_percent_holds_the_true_accuracy_in_about_95_of_100_samples():
    random = np.random.default_rng(0)
    samples, rows, accuracy = 300, 200, 0.8
    held = 0
    for seed in range(samples):
        labels = random.integers(0, 2, rows)
        right = random.random(rows) < accuracy
        probabilities = np.eye(2)[np.where(right, labels, 1 - labels)]
        low, high = intervals(labels, probabilities, 0.5, resamples=200, seed=seed)["accuracy"]
        held += low <= accuracy <= high
    # Three standard errors of a share of 300 about 0.945, what 200 rows of a binomial give.
    assert 0.905 <= held / samples <= 0.985


def test_a_metric_that_no_resample_defines_is_nan():
    labels, probabilities = np.zeros(20, dtype=np.int64), np.full((20, 2), 0.5)
    found = intervals(labels, probabilities, 0.5, resamples=20, seed=0)
    assert np.isnan(found["roc_auc"]).all() and np.isnan(found["f1"]).all()
    assert found["accuracy"] == (0.0, 0.0)
