import subprocess
import sys

import numpy as np
import pytest
from evaluation_helpers import assert_same, by_sklearn, patient, predictions
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score

from search.evaluation import Target, direction, names, predict, score


@patient
@given(predictions(complete=True))
def test_score_equals_scikit_learn(drawn):
    labels, probabilities = drawn
    target = Target(probabilities.shape[1], ordered=True)
    scores = score(labels, probabilities, target=target)
    expected = by_sklearn(labels, probabilities)
    assert_same(scores, expected)
    assert tuple(scores) == names(target)
    assert set(scores) == {*expected, "expected_calibration_error"}


@patient
@given(predictions(classes=2, complete=True), st.floats(0, 1))
def test_score_at_a_threshold_equals_scikit_learn(drawn, threshold):
    labels, probabilities = drawn
    scores = score(labels, probabilities, threshold, Target(2, ordered=True))
    assert_same(scores, by_sklearn(labels, probabilities, threshold))


@patient
@given(predictions())
def test_only_what_a_missing_class_leaves_undefined_is_nan(drawn):
    labels, probabilities = drawn
    k = probabilities.shape[1]
    undefined = {name for name, value in score(labels, probabilities).items() if np.isnan(value)}
    expected = set()
    if len(set(labels)) < k:
        if k == 2:
            expected |= {"macro_precision", "macro_recall", "macro_f1"}
        if len(set(labels)) == 1:
            expected |= {"roc_auc"}
        if k == 2 and 1 not in labels:
            expected |= {"precision", "recall", "f1", "average_precision"}
    assert undefined == expected


def test_metrics_of_ordered_classes_are_there_for_these_alone():
    labels = np.array([0, 1, 2, 3])
    plain, ordered = (score(labels, np.eye(4)[[0, 0, 3, 3]], target=one) for one in (None, Target(4, ordered=True)))
    assert ordered == plain | {"mae": 0.5, "quadratic_kappa": pytest.approx(1 - 2 / 14)}
    assert set(ordered) - set(plain) == {"mae", "quadratic_kappa"}


def test_kappa_of_one_class_alone_is_undefined_and_of_one_prediction_zero():
    def kappa(labels):
        return score(np.array(labels), np.eye(3)[[1] * 3], target=Target(3, ordered=True))["quadratic_kappa"]

    assert np.isnan(kappa([1, 1, 1])) and kappa([0, 1, 2]) == 0


def test_calibration_error_by_hand():
    # Bin 11 of 15, (0.667, 0.733]: two rows, one right; bin 14, (0.867, 0.933]: two rows, both right.
    probabilities = np.array([[0.7, 0.3], [0.3, 0.7], [0.9, 0.1], [0.1, 0.9]])
    labels = np.array([0, 0, 0, 1])
    expected = (2 * abs(0.5 - 0.7) + 2 * abs(1 - 0.9)) / 4
    assert score(labels, probabilities)["expected_calibration_error"] == pytest.approx(expected)
    assert score(labels, probabilities, 0.99)["expected_calibration_error"] == pytest.approx(expected)


def test_calibration_error_of_probabilities_that_are_true_is_small():
    random = np.random.default_rng(0)
    positive = random.random(100_000)
    labels = (random.random(100_000) < positive).astype(np.int64)
    probabilities = np.column_stack([1 - positive, positive])
    assert score(labels, probabilities)["expected_calibration_error"] < 0.01
    sure = np.eye(2)[predict(probabilities)]
    assert score(labels, sure)["expected_calibration_error"] == pytest.approx(0.25, abs=0.01)


def test_rows_of_a_class_that_the_model_does_not_know_are_errors():
    labels, probabilities = np.array([0, 1, 1, 2]), np.array([[0.9, 0.1], [0.2, 0.8], [0.4, 0.6], [0.3, 0.7]])
    found = score(labels, probabilities, 0.5)
    assert found["accuracy"] == 0.75 and found["recall"] == 1 and found["precision"] == pytest.approx(2 / 3)
    assert found["macro_f1"] == pytest.approx(f1_score(labels, [0, 1, 1, 1], average="macro"))
    assert found["brier"] == pytest.approx((0.01 + 0.04 + 0.16 + (0.09 + 0.49 + 1) / 2) / 4)
    assert found["average_precision"] == pytest.approx(average_precision_score(labels == 1, probabilities[:, 1]))


def test_means_are_over_the_classes_that_are_there():
    labels, probabilities = np.array([0, 1, 1]), np.array([[0.6, 0.2, 0.2], [0.1, 0.2, 0.7], [0.1, 0.8, 0.1]])
    found = score(labels, probabilities)
    assert found["macro_recall"] == pytest.approx(0.75)
    assert found["roc_auc"] == pytest.approx(np.mean([roc_auc_score(labels == k, probabilities[:, k]) for k in (0, 1)]))


def test_a_certain_error_costs_a_finite_log_loss():
    assert score(np.array([1]), np.array([[1.0, 0.0]]))["log_loss"] == pytest.approx(36.04, abs=0.01)


def test_predict_takes_the_most_probable_or_what_reaches_the_threshold():
    probabilities = np.array([[0.5, 0.5], [0.8, 0.2], [0.1, 0.9]])
    assert predict(probabilities).tolist() == [0, 0, 1]
    assert predict(probabilities, 0.5).tolist() == [1, 0, 1]
    assert predict(probabilities, 0.2).tolist() == [1, 1, 1]
    assert predict(np.array([[0.2, 0.3, 0.5]])).tolist() == [2]
    with pytest.raises(ValueError, match="two classes"):
        predict(np.array([[0.2, 0.3, 0.5]]), 0.5)


@pytest.mark.parametrize(
    ("labels", "probabilities"),
    [
        ([], np.zeros((0, 2))),
        ([0], [[1.0]]),
        ([0, 1], [[0.5, 0.5]]),
        ([0], [0.5]),
        ([-1], [[0.5, 0.5]]),
        ([0], [[np.nan, 0.5]]),
        ([0], [[np.inf, 0.5]]),
    ],
)
def test_arrays_that_do_not_fit_are_refused(labels, probabilities):
    with pytest.raises(ValueError, match=r"Expected .* Received"):
        score(np.array(labels, dtype=np.int64), np.array(probabilities))


@pytest.mark.parametrize("classes", [2, 3, 6])
def test_every_metric_is_best_for_perfect_predictions_in_its_direction(classes):
    labels = np.arange(10 * classes) % classes
    noisy = np.random.default_rng(0).dirichlet(np.ones(classes), len(labels))
    target = Target(classes, ordered=True)
    perfect, poor = (score(labels, found, target=target) for found in (np.eye(classes)[labels], noisy))
    for name in names(target):
        better, worse = (1.0, poor[name]) if direction(name) == "max" else (poor[name], 0.0)
        assert perfect[name] == pytest.approx(1.0 if direction(name) == "max" else 0.0)
        assert better > worse


def test_direction_knows_the_loss_and_no_other_names():
    assert direction("loss") == "min"
    with pytest.raises(ValueError, match="f1_score"):
        direction("f1_score")


def test_importing_the_room_loads_no_library_but_numpy():
    code = (
        "import search.evaluation, sys;print({'tensorflow', 'keras', 'sklearn', 'pandas', 'scipy'} & set(sys.modules))"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "set()"
