"""The details behind the metrics: confusion, curves over all thresholds, calibration."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import precision_recall_curve, roc_curve

from search.evaluation.weighted import CALIBRATION_BINS

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Curve:
    """Points of a curve in drawing order, each float64 [points]."""

    x: Floats
    y: Floats


@dataclass(frozen=True)
class Reliability:
    """The bins of the expected calibration error that are not empty, each [bins].

    Attributes:
        confidence: Mean of the highest probability, float64.
        accuracy: Share of right answers, float64.
        rows: Rows in the bin, int64.
    """

    confidence: Floats
    accuracy: Floats
    rows: NDArray[np.int64]


def confusion(labels: NDArray[np.integer], predicted: NDArray[np.integer], classes: int) -> NDArray[np.int64]:
    """Counts rows by true and predicted class, int64 [classes, classes], a row per true class."""
    counts: NDArray[np.int64] = np.bincount(labels * classes + predicted, minlength=classes**2)
    return counts.reshape(classes, classes)


def precision_recall(positive: NDArray[np.bool_], scores: Floats, step: float = 0.0) -> Curve:
    """Recall (x) and precision (y) at every threshold, from the highest threshold to the lowest.

    Args:
        positive: Which rows are of the class, bool [n], at least one.
        scores: Probability of the class, float [n].
        step: See `thinned`.
    """
    precision, recall, _ = precision_recall_curve(positive, scores)
    # The last point, recall 0 at precision 1, is scikit-learn's convention: no threshold gives it.
    return thinned(Curve(recall[-2::-1], precision[-2::-1]), step)


def roc(positive: NDArray[np.bool_], scores: Floats, step: float = 0.0) -> Curve:
    """False positive rate (x) and true positive rate (y) at every threshold.

    Args:
        positive: Which rows are of the class, bool [n]; some are, some are not.
        scores: Probability of the class, float [n].
        step: See `thinned`.
    """
    false_positive, true_positive, _ = roc_curve(positive, scores, drop_intermediate=True)
    return thinned(Curve(false_positive, true_positive), step)


def thinned(curve: Curve, step: float) -> Curve:
    """Leaves out points that are within `step` of one that stays, in x and y."""
    if step <= 0 or len(curve.x) < 3:
        return curve
    kept, last_x, last_y = [0], curve.x[0], curve.y[0]
    for i, (x, y) in enumerate(zip(curve.x.tolist(), curve.y.tolist(), strict=True)):
        if abs(x - last_x) > step or abs(y - last_y) > step:
            kept.append(i)
            last_x, last_y = x, y
    kept += [len(curve.x) - 1] * (kept[-1] != len(curve.x) - 1)
    return Curve(curve.x[kept], curve.y[kept])


def reliability(labels: NDArray[np.integer], probabilities: Floats) -> Reliability:
    """The accuracy of the most probable class by its predicted probability.

    The bins are those of `expected_calibration_error`, which is the mean of |accuracy - confidence| weighted by rows.

    Args:
        labels: int [n].
        probabilities: float [n, classes].
    """
    top = probabilities.argmax(axis=1)
    confidence = probabilities[np.arange(len(top)), top]
    bins = np.clip(np.ceil(confidence * CALIBRATION_BINS).astype(np.int64) - 1, 0, CALIBRATION_BINS - 1)
    rows = np.bincount(bins, minlength=CALIBRATION_BINS)
    filled = rows > 0
    sums = [np.bincount(bins, weights=what, minlength=CALIBRATION_BINS) for what in (confidence, top == labels)]
    return Reliability(sums[0][filled] / rows[filled], sums[1][filled] / rows[filled], rows[filled])


def wilson(hits: Floats, rows: NDArray[np.int64], z: float = 1.96) -> tuple[Floats, Floats]:
    """Interval of a share from counts: Wilson, 1927, Probable Inference, JASA 22; 95 % at the default z.

    Args:
        hits: Number of rows that count [k].
        rows: Number of all rows, above 0 [k].
        z: Quantile of the normal distribution.

    Returns:
        Lower and upper ends, each float64 [k].
    """
    share = hits / rows
    spread = z * np.sqrt(share * (1 - share) / rows + z**2 / (4 * rows**2))
    middle, scale = share + z**2 / (2 * rows), 1 + z**2 / rows
    return np.clip((middle - spread) / scale, 0, 1), np.clip((middle + spread) / scale, 0, 1)
