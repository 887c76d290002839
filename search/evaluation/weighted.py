"""Every metric of one set of predictions under many weightings of its rows at once.

A bootstrap resample is a weighting: how often each row was drawn. So the work that does not depend on the draw
(sorting, losses of rows, decisions) is done once. Each resample then takes one matrix product, which gives all counts
and means, and running sums along the sorted scores, which give the curves.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from search.evaluation.metric_list import Target

Floats = NDArray[np.float64]

CALIBRATION_BINS = 15


Threshold: TypeAlias = "float | Sequence[float] | None"
"""The probability from which the second of two classes is predicted, or each of several labels, whose thresholds are a
sequence; None: the most probable class is."""


def decide(probabilities: Floats, threshold: Threshold) -> NDArray[np.integer]:
    """The class of each row: the most probable, or 1 where its probability reaches the threshold.

    With a sequence of thresholds int8 [n, labels]: 1 where the probability of a label reaches its own.
    """
    if isinstance(threshold, Sequence):
        return (probabilities >= np.asarray(threshold, np.float64)).astype(np.int8)
    if threshold is None:
        most_probable: NDArray[np.int64] = probabilities.argmax(axis=1)
        return most_probable
    if probabilities.shape[1] != 2:
        raise ValueError(f"Expected two classes where there is a threshold. Received: {probabilities.shape[1]}")
    return (probabilities[:, 1] >= threshold).astype(np.int64)


class _Ranking(NamedTuple):
    """The rows by falling score of one class."""

    order: NDArray[np.intp]
    positive: Floats
    """1 where the row is of the class, in that order."""
    ends: NDArray[np.intp]
    """The last position of each group of equal scores, where a threshold can cut."""


class WeightedScorer:
    """Scores one set of predictions under any number of weightings of its rows.

    Args:
        labels: int [n]; those from `classes` on are of classes that the model doesn't know: errors, whatever it says.
        probabilities: float [n, classes].
        threshold: Two classes only: the probability from which the second is predicted; None: the most probable is.
        curves: Whether to give the areas under curves, by far the most expensive where there are many classes.

    Raises:
        ValueError: The arrays do not fit each other, or a probability is not finite.
    """

    def __init__(
        self, labels: ArrayLike, probabilities: ArrayLike, threshold: Threshold = None, *, curves: bool = True
    ) -> None:
        labels, probabilities = _checked(labels, probabilities)
        rows, self.classes = probabilities.shape
        self.target = Target(self.classes)
        decided = decide(probabilities, threshold)
        probabilities = padded(probabilities, labels)
        self._columns_of_classes = probabilities.shape[1]
        right = np.zeros(probabilities.shape)
        right[np.arange(rows), labels] = 1
        predicted = np.zeros(probabilities.shape)
        predicted[np.arange(rows), decided] = 1
        self._columns = np.hstack(
            [
                *(right, predicted, right * predicted),
                *(_losses(right, probabilities, self.classes), _calibration(right, probabilities)),
            ]
        )
        apart = np.abs(labels - decided).astype(np.float64)
        self._apart = np.column_stack([apart, apart**2])
        ranked = [1] if self.classes == 2 else list(range(probabilities.shape[1]))
        self._rankings = [] if not curves else [rank(right[:, k], probabilities[:, k]) for k in ranked]

    def __call__(self, weights: Floats) -> dict[str, Floats]:
        """Every metric under each weighting.

        Args:
            weights: float [weightings, n], not negative.

        Returns:
            Name to float64 [weightings]. Of more than two classes, means over classes are over those with weight; NaN
            where a class without weight leaves the metric undefined. Those of ordered classes are there in any case.
        """
        sums = weights @ self._columns
        total = weights.sum(axis=1)
        k = self._columns_of_classes
        support, predicted = sums[:, :k], sums[:, k : 2 * k]
        scores = _confusion_scores(support, predicted, sums[:, 2 * k : 3 * k], self.classes == 2)
        scores |= _distance_scores(support, predicted, weights @ self._apart)
        scores["log_loss"], scores["brier"] = (sums[:, 3 * k : 3 * k + 2] / total[:, None]).T
        scores["expected_calibration_error"] = np.abs(sums[:, 3 * k + 2 :]).sum(axis=1) / total
        if self._rankings:
            found = np.array([areas(ranking, weights) for ranking in self._rankings])
            scores["roc_auc"], scores["average_precision"] = mean_of_defined(np.moveaxis(found, 0, -1))
        return scores


def _checked(labels: ArrayLike, probabilities: ArrayLike) -> tuple[NDArray[np.int64], Floats]:
    label_array, probability_array = np.asarray(labels), np.asarray(probabilities, dtype=np.float64)
    rows, classes = probability_array.shape if probability_array.ndim == 2 else (0, 0)
    if rows == 0 or classes < 2 or label_array.shape != (rows,):
        raise ValueError(
            "Expected labels [n] and probabilities [n, classes], at least one row and two classes. "
            f"Received: {label_array.shape} and {probability_array.shape}"
        )
    if label_array.min() < 0:
        raise ValueError(f"Expected labels from 0 on. Received: {label_array.min()}")
    if not np.isfinite(probability_array).all():
        raise ValueError("Expected finite probabilities. Received NaN or infinity: the model diverged")
    return label_array.astype(np.int64), probability_array


def padded(probabilities: Floats, labels: NDArray[np.integer]) -> Floats:
    """Probabilities with a column of zeros for each class that only the labels know."""
    unknown = int(labels.max()) + 1 - probabilities.shape[1]
    return np.pad(probabilities, ((0, 0), (0, unknown))) if unknown > 0 else probabilities


def _losses(right: Floats, probabilities: Floats, classes: int) -> Floats:
    """Log loss and Brier score of each row, [n, 2]."""
    tiny = np.finfo(np.float64).eps  # as scikit-learn clips: a certain error costs 36 nats, not infinitely many
    log_loss = -np.log(np.clip((probabilities * right).sum(axis=1), tiny, 1 - tiny))
    squares = (probabilities - right) ** 2
    brier = squares.sum(axis=1)
    if classes == 2:  # half the sum
        brier = squares[:, 1] if right.shape[1] == 2 else brier / 2
    return np.column_stack([log_loss, brier])


def _calibration(right: Floats, probabilities: Floats) -> Floats:
    """Right or wrong less the confidence, in the column of the confidence's bin, [n, bins]."""
    rows = np.arange(len(right))
    top = probabilities.argmax(axis=1)
    confidence = probabilities[rows, top]
    bins = np.clip(np.ceil(confidence * CALIBRATION_BINS).astype(np.int64) - 1, 0, CALIBRATION_BINS - 1)
    gaps = np.zeros((len(right), CALIBRATION_BINS))
    gaps[rows, bins] = right[rows, top] - confidence
    return gaps


def _confusion_scores(support: Floats, predicted: Floats, hits: Floats, binary: bool) -> dict[str, Floats]:
    """The metrics of decisions, from the weights of labels, predictions and right predictions, each [weightings, k]."""
    total = support.sum(axis=1)
    precision = ratio(hits, predicted)
    recall = ratio(hits, support)
    f1 = ratio(2 * hits, support + predicted)
    scores = {"accuracy": hits.sum(axis=1) / total}
    present = support > 0
    for name, values in (("precision", precision), ("recall", recall), ("f1", f1)):
        if binary:
            scores[name] = np.where(present[:, 1], values[:, 1], np.nan)
        macro = mean_of_defined(np.where(present, values, np.nan))
        scores[f"macro_{name}"] = np.where(present[:, :2].all(axis=1), macro, np.nan) if binary else macro
        scores[f"weighted_{name}"] = (support * values).sum(axis=1) / total
    # Gorodkin, 2004, Comparing two K-category assignments by a K-category correlation coefficient.
    covariance = hits.sum(axis=1) * total - (support * predicted).sum(axis=1)
    spread = (total**2 - (predicted**2).sum(axis=1)) * (total**2 - (support**2).sum(axis=1))
    scores["mcc"] = ratio(covariance, np.sqrt(spread))
    return scores


def _distance_scores(support: Floats, predicted: Floats, apart: Floats) -> dict[str, Floats]:
    """The metrics of ordered classes, from the sums of distances and of squared ones, [weightings, 2]."""
    total = support.sum(axis=1)
    places = np.arange(support.shape[1], dtype=np.float64)
    # The sum of squared distances that predictions would have by chance, times the total.
    squares = ((support + predicted) @ places**2) * total
    by_chance = squares - 2 * (support @ places) * (predicted @ places)
    kappa = 1 - ratio(apart[:, 1] * total, by_chance, undefined=np.nan)
    return {"mae": apart[:, 0] / total, "quadratic_kappa": kappa}


def rank(positive: Floats, scores: Floats) -> _Ranking:
    """Ranks rows by the scores of one class."""
    order = np.argsort(-scores, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(scores[order])), len(order) - 1)
    return _Ranking(order, positive[order], ends)


def areas(ranking: _Ranking, weights: Floats) -> tuple[Floats, Floats]:
    """Area under the ROC curve and average precision under each weighting, each [weightings]."""
    ranked = np.take(weights, ranking.order, axis=1)
    selected = np.cumsum(ranked, axis=1)[:, ranking.ends]
    ranked *= ranking.positive
    hits = np.cumsum(ranked, axis=1)[:, ranking.ends]
    positives, negatives = hits[:, -1], selected[:, -1] - hits[:, -1]
    false_alarms = selected - hits
    gained = np.diff(hits, axis=1, prepend=0)
    # Trapezoids under (false alarms, hits); the average precision is a sum of steps, without interpolation.
    trapezoids = np.diff(false_alarms, axis=1, prepend=0) * (hits - gained / 2)
    area = ratio(trapezoids.sum(axis=1), positives * negatives, undefined=np.nan)
    steps = gained * ratio(hits, selected)
    return area, ratio(steps.sum(axis=1), positives, undefined=np.nan)


def mean_of_defined(values: Floats) -> Floats:
    """Means along the last axis over what is not NaN; NaN where nothing else is."""
    defined = ~np.isnan(values)
    if defined.all():
        return np.asarray(values.mean(axis=-1))
    return ratio(np.where(defined, values, 0).sum(axis=-1), defined.sum(axis=-1).astype(np.float64), np.nan)


def ratio(numerator: Floats, denominator: Floats, undefined: float = 0.0) -> Floats:
    """Quotients, or what is undefined where the denominator is 0."""
    quotient = np.full(denominator.shape, undefined)
    np.divide(numerator, denominator, out=quotient, where=denominator > 0)
    return quotient
