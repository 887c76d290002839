"""The rows of the test split whose words the report explains, and the effects of these."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search.datasets import Examples
from search.datasets.beside import joined
from search.datasets.table import object_array
from search.evaluation.metrics import predict
from search.reporting.explaining import Row, explained

_WORDS = 60
_PER_KIND = 2
_MOST_TEXTS = 12


def chosen_rows(
    labels: NDArray[np.integer], predicted: NDArray[np.integer], probabilities: NDArray[np.float64]
) -> list[int]:
    """Rows worth explaining: of each class the most confident mistakes, then the most confident right predictions.

    Args:
        labels: int [n].
        predicted: int [n].
        probabilities: float [n, classes].

    Returns:
        Positions, a dozen at most.
    """
    sureness = probabilities[np.arange(len(labels)), predicted]
    rows: list[int] = []
    for right in (False, True):
        of_kind: list[tuple[int, int]] = []
        for k in range(probabilities.shape[1]):
            fitting = np.flatnonzero((predicted == k) & ((labels == predicted) == right))
            surest = fitting[np.argsort(-sureness[fitting], kind="stable")][:_PER_KIND]
            of_kind += list(enumerate(surest.tolist()))
        # The surest of every class before the second of any.
        of_kind.sort(key=lambda place: (place[0], -sureness[place[1]]))
        rows += [row for _, row in of_kind[: _MOST_TEXTS // 2]]
    return rows


def word_effects(
    examples: Examples,
    positions: Sequence[int],
    predicted: NDArray[np.integer],
    classify: Callable[[NDArray[np.object_]], NDArray[np.float64]],
    most_calls: int,
    text_columns: int = 1,
) -> list[dict[str, Any]]:
    """The effect of each word on the predicted class, for the report.

    Args:
        examples: The texts, with the columns beside them.
        positions: Those to explain.
        predicted: The predicted class of each text [n].
        classify: Maps strings [n], or texts and columns (`joined`), to probabilities [n, classes].
        most_calls: The most texts to score in all; the last positions are left out if these do not suffice.
        text_columns: Number of columns of texts, each of which has a line of a text.

    Returns:
        For each text its `position`, its `probability`, its `words` and the effect of each: `drops`, null for words
        past the sixtieth.
    """
    beside = examples.beside
    rows = (
        Row(examples.texts[at], None if beside is None else beside[at : at + 1], int(predicted[at]))
        for at in _affordable(examples.texts, positions, most_calls)
    )
    found = explained(
        rows, lambda texts, others: classify(joined(object_array(texts), others)), predict, _WORDS, text_columns
    )
    return [
        {
            "position": at,
            "probability": one.probability,
            "words": one.words,
            "drops": [None if np.isnan(effect) else effect for effect in one.effects.tolist()],
        }
        for at, one in zip(positions, found, strict=False)
    ]


def _affordable(texts: NDArray[np.object_], positions: Sequence[int], most_calls: int) -> Iterator[int]:
    """The first positions whose texts, with and without each word, are so many at most."""
    for at in positions:
        most_calls -= 1 + min(len(texts[at].split()), _WORDS)
        if most_calls < 0:
            return
        yield at
