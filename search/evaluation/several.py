"""The metrics of several labels per row, under any number of weightings of the rows at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from search.evaluation.metric_list import Target
from search.evaluation.threshold import NEUTRAL
from search.evaluation.weighted import (
    Floats,
    Threshold,
    WeightedScorer,
    areas,
    decide,
    mean_of_defined,
    rank,
    ratio,
)


def scorer_of(
    labels: ArrayLike, probabilities: ArrayLike, threshold: Threshold = None, *, curves: bool = True
) -> WeightedScorer | SeveralScorer:
    """The scorer of one label per text, or of several where labels are [n, labels]: see `WeightedScorer`."""
    make = SeveralScorer if np.ndim(labels) == 2 else WeightedScorer
    return make(labels, probabilities, threshold, curves=curves)


class SeveralScorer:
    """Scores one set of predictions of several labels per text under any number of weightings of its rows.

    Args:
        labels: int [n, labels], 1 where a row has the label.
        probabilities: float [n, labels].
        threshold: The probability of each label from which it is predicted; None: 0.5.
        curves: See `WeightedScorer`.

    Raises:
        ValueError: The arrays do not fit each other, or a probability is not finite.
    """

    def __init__(
        self, labels: ArrayLike, probabilities: ArrayLike, threshold: Threshold = None, *, curves: bool = True
    ) -> None:
        right, probabilities = np.asarray(labels, dtype=np.float64), np.asarray(probabilities, dtype=np.float64)
        if right.shape != probabilities.shape or right.ndim != 2 or not len(right):
            raise ValueError(
                "Expected labels and probabilities [n, labels], at least one row. "
                f"Received: {right.shape} and {probabilities.shape}"
            )
        if not np.isfinite(probabilities).all():
            raise ValueError("Expected finite probabilities. Received NaN or infinity: the model diverged")
        self.classes = right.shape[1]
        self.target = Target(self.classes, several=True)
        predicted = decide(probabilities, thresholds(threshold, self.classes)).astype(np.float64)
        wrong = right != predicted
        tiny = np.finfo(np.float64).eps
        losses = -np.log(np.clip(np.where(right == 1, probabilities, 1 - probabilities), tiny, 1 - tiny))
        rows = np.column_stack([~wrong.any(axis=1), wrong.mean(axis=1), losses.mean(axis=1)])
        self._columns = np.hstack([right, predicted, right * predicted, rows])
        self._rankings = [rank(right[:, k], probabilities[:, k]) for k in range(self.classes)] if curves else []

    def __call__(self, weights: Floats) -> dict[str, Floats]:
        """Every metric under each weighting.

        Args:
            weights: float [weightings, n], not negative.

        Returns:
            Name to float64 [weightings]. Means over labels are over those that a row with weight has.
        """
        sums, k = weights @ self._columns, self.classes
        support, predicted, hits = sums[:, :k], sums[:, k : 2 * k], sums[:, 2 * k : 3 * k]
        of_labels = np.where(support > 0, ratio(2 * hits, support + predicted), np.nan)
        scores = {
            "micro_f1": ratio(2 * hits.sum(axis=1), (support + predicted).sum(axis=1)),
            "macro_f1": mean_of_defined(of_labels),
        }
        of_rows = sums[:, 3 * k :] / weights.sum(axis=1)[:, None]
        scores |= dict(zip(("subset_accuracy", "hamming_loss", "log_loss"), of_rows.T, strict=True))
        if self._rankings:
            found = np.array([areas(ranking, weights) for ranking in self._rankings])
            scores["roc_auc"], scores["average_precision"] = mean_of_defined(np.moveaxis(found, 0, -1))
        return scores


def thresholds(threshold: Threshold, labels: int) -> tuple[float, ...]:
    """The threshold of each label: as given, the same for all of them, or neutral."""
    if threshold is None or isinstance(threshold, int | float):
        return (NEUTRAL if threshold is None else float(threshold),) * labels
    return tuple(threshold)


def one_against_rest(labels: NDArray[np.integer], classes: int) -> NDArray[np.bool_]:
    """Which rows are of each class, or have each label, bool [n, classes], from [n] or [n, classes]."""
    return np.asarray(labels == 1 if labels.ndim == 2 else labels[:, None] == np.arange(classes))
