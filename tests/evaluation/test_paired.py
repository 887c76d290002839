import numpy as np
import pytest

from search.evaluation import score
from search.evaluation.paired import Predictions, paired_gains


def scored(labels, skill, seed):
    logit = skill * (2 * labels - 1) + np.random.default_rng(seed).normal(size=len(labels))
    positive = 1 / (1 + np.exp(-logit))
    return Predictions(np.column_stack([1 - positive, positive]), 0.5)


LABELS = np.random.default_rng(0).integers(0, 2, 400)


@pytest.mark.parametrize("metric", ["roc_auc", "f1", "log_loss"])
def test_gains_are_differences_of_the_scores_in_the_direction_of_better(metric):
    good, bad = scored(LABELS, 1.5, 1), scored(LABELS, 0.3, 2)
    gain = paired_gains(LABELS, good, {"bad": bad}, metric, seed=0)["bad"]
    difference = score(LABELS, *good)[metric] - score(LABELS, *bad)[metric]
    assert gain.gain == pytest.approx(abs(difference)) and gain.gain > 0
    assert gain.score == pytest.approx(score(LABELS, *bad)[metric])
    assert 0 < gain.interval[0] < gain.gain < gain.interval[1]
    assert gain.not_better == 0
    assert gain.score_interval[0] < gain.score < gain.score_interval[1]


@pytest.mark.parametrize("metric", ["macro_f1", "log_loss"])
def test_a_classifier_is_never_better_than_itself(metric):
    one = scored(LABELS, 1, 1)
    gain = paired_gains(LABELS, one, {"same": one}, metric, seed=0)["same"]
    assert gain.gain == 0 and gain.interval == (0, 0) and gain.not_better == 1
    assert "-0" not in gain.text


def test_pairing_makes_a_small_but_steady_gain_certain():
    one = scored(LABELS, 1, 1)
    worse = one.probabilities.copy()
    flipped = np.flatnonzero((one.probabilities[:, 1] >= 0.5) == LABELS)[:12]
    worse[flipped] = worse[flipped, ::-1]
    gain = paired_gains(LABELS, one, {"worse": Predictions(worse, 0.5)}, "accuracy", seed=0)["worse"]
    assert gain.not_better == 0  # a resample cannot make it better, though the two intervals overlap
    assert gain.score_interval[1] > score(LABELS, *one)["accuracy"] - gain.gain


def test_the_seed_decides():
    pair = scored(LABELS, 1, 1), {"other": scored(LABELS, 0.8, 2)}
    same = [paired_gains(LABELS, *pair, "f1", seed=seed) for seed in (3, 3, 4)]
    assert same[0] == same[1] != same[2]


def test_two_rows_may_leave_nothing_to_compare():
    one = Predictions(np.array([[0.4, 0.6], [0.3, 0.7]]), 0.5)
    gain = paired_gains(np.array([1, 1]), one, {"same": one}, "roc_auc", seed=0)["same"]
    assert gain.resamples == 0 and np.isnan(gain.not_better) and np.isnan(gain.interval).all()


def test_of_many_rows_fewer_resamples_are_drawn():
    labels = np.random.default_rng(0).integers(0, 2, 50_000)
    gain = paired_gains(labels, scored(labels, 1, 1), {"o": scored(labels, 0.9, 2)}, "accuracy", seed=0)["o"]
    assert 200 <= gain.resamples < 1000
