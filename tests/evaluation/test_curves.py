import numpy as np
import pytest
from evaluation_helpers import patient, predictions
from hypothesis import given
from sklearn import metrics as sk

from search.evaluation import predict, score
from search.evaluation.curves import Curve, confusion, precision_recall, reliability, roc, thinned, wilson


@patient
@given(predictions())
def test_the_confusion_matrix_is_scikit_learns(made):
    labels, probabilities = made
    k = probabilities.shape[1]
    predicted = predict(probabilities)
    np.testing.assert_array_equal(
        confusion(labels, predicted, k), sk.confusion_matrix(labels, predicted, labels=range(k))
    )


@patient
@given(predictions(classes=2, complete=True))
def test_the_curves_enclose_the_areas_of_the_metrics(made):
    labels, probabilities = made
    scores = score(labels, probabilities)
    found = roc(labels == 1, probabilities[:, 1])
    assert np.trapezoid(found.y, found.x) == pytest.approx(scores["roc_auc"])
    found = precision_recall(labels == 1, probabilities[:, 1])
    steps = np.diff(found.x, prepend=0) * found.y
    assert steps.sum() == pytest.approx(scores["average_precision"])


@patient
@given(predictions())
def test_the_bins_make_up_the_expected_calibration_error(made):
    labels, probabilities = made
    found = reliability(labels, probabilities)
    error = (np.abs(found.accuracy - found.confidence) * found.rows).sum() / len(labels)
    assert error == pytest.approx(score(labels, probabilities)["expected_calibration_error"], abs=1e-9)
    assert found.rows.sum() == len(labels) and (found.rows > 0).all()


def test_thinning_moves_no_point_further_than_asked():
    random = np.random.default_rng(0)
    x = np.sort(random.random(5000))
    curve = Curve(x, np.clip(1 - x + random.normal(0, 0.002, 5000), 0, 1))
    thin = thinned(curve, 0.01)
    assert len(thin.x) < 300
    assert thin.x[0] == curve.x[0] and thin.x[-1] == curve.x[-1]
    away = np.maximum(np.abs(curve.x[:, None] - thin.x), np.abs(curve.y[:, None] - thin.y)).min(axis=1)
    assert away.max() <= 0.01
    assert thinned(curve, 0) is curve


def test_wilson_by_its_formula():
    low, high = wilson(np.array([0.0, 5.0]), np.array([10, 10]))
    assert low == pytest.approx([0, 0.2366], abs=1e-4)
    assert high == pytest.approx([0.2775, 0.7634], abs=1e-4)
