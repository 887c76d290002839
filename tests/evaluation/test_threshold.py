import numpy as np
import pytest
from evaluation_helpers import patient, predictions
from hypothesis import given

from search.evaluation import best_threshold, score


def f1_at(labels, scores, threshold):
    predicted = scores >= threshold
    return 2 * (predicted & (labels == 1)).sum() / (predicted.sum() + labels.sum())


def binary(scores):
    return np.column_stack([1 - np.asarray(scores), scores])


@patient
@given(predictions(classes=2))
def test_no_other_threshold_gives_a_higher_f1(drawn):
    labels, probabilities = drawn
    scores = probabilities[:, 1]
    threshold = best_threshold(labels, probabilities)
    if labels.sum():
        best = max(f1_at(labels, scores, candidate) for candidate in [*scores, 0.0, 0.5, 1.0])
        assert f1_at(labels, scores, threshold) == best == score(labels, probabilities, threshold)["f1"]


@patient
@given(predictions(classes=2))
def test_a_rounding_of_the_scores_flips_no_row(drawn):
    labels, probabilities = drawn
    threshold = best_threshold(labels, probabilities)
    if labels.sum():
        rounded = probabilities[:, 1].astype(np.float32).astype(np.float64)
        assert ((rounded >= threshold) == (probabilities[:, 1] >= threshold)).all()


@pytest.mark.parametrize(
    ("labels", "scores", "threshold"),
    [
        ([0, 0, 1, 1], [0.1, 0.3, 0.7, 0.9], 0.5),  # midway
        ([1, 1], [0.4, 0.8], 0.2),  # all positive: midway to 0
        ([1, 0], [0.0, 0.0], 0.0),  # the lowest score is 0 itself
        ([0, 0], [0.2, 0.7], 0.5),  # no positive: neutral
        ([1, 0, 0, 1, 1, 1], [0.9, 0.8, 0.7, 0.6, 0.5, 0.4], 0.2),
        ([1, 0, 0, 1], [0.9, 0.8, 0.5, 0.4], 0.2),  # F1 2/3 at 0.85 too, further from 0.5
        ([1, 0, 0, 1], [0.7, 0.6, 0.3, 0.1], 0.65),  # F1 2/3 at 0.05 too
    ],
)
def test_the_cut_and_its_ties_by_hand(labels, scores, threshold):
    assert best_threshold(np.array(labels), binary(scores)) == pytest.approx(threshold)


def test_between_neighbouring_floats_there_is_no_middle_and_no_error():
    low = 0.3
    high = np.nextafter(low, 1)
    threshold = best_threshold(np.array([0, 1]), binary([low, high]))
    assert low < threshold <= high


def test_more_than_two_classes_have_no_threshold():
    with pytest.raises(ValueError, match="two classes"):
        best_threshold(np.array([0, 1, 2]), np.eye(3))
