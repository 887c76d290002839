"""The decision threshold of a binary classifier."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

NEUTRAL = 0.5
"""The threshold where none was chosen."""
_LEAST_F1 = 0.1


def chosen_threshold(
    labels: NDArray[np.integer], probabilities: NDArray[np.float64]
) -> float | tuple[float, ...] | None:
    """The threshold that validation chooses: of two classes, of each of several labels, or of more classes none.

    Args:
        labels: int [n], or [n, labels] of several labels.
        probabilities: float [n, classes].
    """
    if labels.ndim == 2:
        return tuple(_label_threshold(own, given) for own, given in zip(labels.T, probabilities.T, strict=True))
    return best_threshold(labels, probabilities) if probabilities.shape[1] == 2 else None


def _label_threshold(labels: NDArray[np.integer], probabilities: NDArray[np.float64]) -> float:
    """The threshold of one of several labels.

    After Yang, 2001, A Study of Thresholding Strategies for Text Categorization: where the best F1 is next to nothing,
    as that of a label with a single row among many that are as probable, it is the highest probability. Else a label
    that hardly any row has would be predicted for most of them.
    """
    threshold = best_threshold(labels, np.column_stack([1 - probabilities, probabilities]))
    predicted = probabilities >= threshold
    hits = int(labels[predicted].sum())
    if 2 * hits >= _LEAST_F1 * (int(labels.sum()) + int(predicted.sum())):
        return threshold
    return float(probabilities.max())


def best_threshold(labels: NDArray[np.integer], probabilities: NDArray[np.float64]) -> float:
    """The threshold with the highest F1 of the positive class, over all cuts.

    It lies midway between the two neighbouring scores that it separates, so that rounding puts no row on the other
    side. Of cuts with the same F1 it is the one nearest to 0.5, of two as near the lower.

    Args:
        labels: int [n], 0 or 1.
        probabilities: float [n, 2].

    Returns:
        The threshold: positive where `probabilities[:, 1] >= threshold`. 0.5 where no label is positive.

    Raises:
        ValueError: There are not two classes, or no rows.
    """
    if probabilities.ndim != 2 or probabilities.shape[1] != 2 or len(probabilities) == 0:
        raise ValueError(f"Expected the probabilities of two classes. Received: shape {probabilities.shape}")
    scores = np.asarray(probabilities[:, 1], dtype=np.float64)
    positives = int(labels.sum())
    if positives == 0:
        return NEUTRAL
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    ends = np.append(np.flatnonzero(np.diff(ranked)), len(ranked) - 1)  # equal scores fall on one side
    hits = np.cumsum(labels[order])[ends]
    f1 = 2 * hits / (ends + 1 + positives)
    # Below the lowest score lies 0, unless it is itself the lowest: then the threshold is 0 and takes every row.
    upper, lower = ranked[ends], np.append(ranked[ends[:-1] + 1], 0.0)
    thresholds = lower + (upper - lower) / 2
    thresholds = np.where(thresholds > lower, thresholds, upper)  # neighbouring floats have no middle
    best = np.flatnonzero(f1 == f1.max())
    distance = np.abs(thresholds[best] - NEUTRAL)
    return float(thresholds[best[distance == distance.min()]].min())
