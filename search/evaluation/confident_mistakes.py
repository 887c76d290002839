"""The most confident mistakes of a classifier, of several labels per text those of each."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from search.evaluation.weighted import padded


class Question(NamedTuple):
    """A question that a classifier answers for each row: its class, or whether it has one of several labels.

    Attributes:
        labels: The true answers, int [n].
        predicted: Those of the classifier, int [n].
        probabilities: float [n, answers].
    """

    labels: NDArray[np.integer]
    predicted: NDArray[np.integer]
    probabilities: NDArray[np.float64]


def questions(
    labels: NDArray[np.integer], predicted: NDArray[np.integer], probabilities: NDArray[np.float64]
) -> list[Question]:
    """The one question of a class, int [n], or the question of each of several labels, [n, labels]: no 0, yes 1."""
    if labels.ndim == 1:
        return [Question(labels, predicted, probabilities)]
    return [
        Question(labels[:, k].astype(np.int64), predicted[:, k], np.column_stack([1 - there, there]))
        for k, there in enumerate(probabilities.T)
    ]


def confident_mistakes(
    labels: NDArray[np.integer], predicted: NDArray[np.integer], probabilities: NDArray[np.float64], most: int
) -> NDArray[np.int64]:
    """Positions of the most confident mistakes of a classifier.

    Args:
        labels: int [n].
        predicted: int [n].
        probabilities: float [n, classes].
        most: The most to return.

    Returns:
        int64 [at most `most`]. Two classes: false negatives, the most confident first, then false positives, half of
        each as far as there are. More classes: by the margin of the predicted class's probability over the true one's.
    """
    at = np.flatnonzero(labels != predicted)
    if probabilities.shape[1] == 2:
        # Each kind by itself: where the threshold is low, false negatives would never be among the surest.
        of_kind = [at[predicted[at] == k] for k in (0, 1)]
        of_kind = [rows[np.argsort(-probabilities[rows, k], kind="stable")] for k, rows in enumerate(of_kind)]
        half = [max(most // 2, most - len(of_kind[1 - k])) for k in (0, 1)]
        return np.concatenate([rows[:some] for rows, some in zip(of_kind, half, strict=True)])
    probabilities = padded(probabilities, labels)
    margin = probabilities[at, predicted[at]] - probabilities[at, labels[at]]
    surest: NDArray[np.int64] = at[np.argsort(-margin, kind="stable")][:most]
    return surest
