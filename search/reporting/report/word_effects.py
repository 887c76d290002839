"""The words that drive a prediction, found by leaving each out once, since a module is a black box."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search.datasets.beside import joined
from search.datasets.text_columns import words_left_out

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


def leave_one_word_out(
    texts: Sequence[str],
    classes: Sequence[int],
    probabilities: Callable[[NDArray[np.object_]], NDArray[np.float64]],
    most_calls: int,
    beside: NDArray[Any] | None = None,
    columns: int = 1,
) -> list[dict[str, Any]]:
    """The drop in the probability of a class when a word is left out (Li, Monroe & Jurafsky, 2016).

    Args:
        texts: The texts.
        classes: For each text the class asked about.
        probabilities: Maps strings [n], or texts and columns (`joined`), to probabilities [n, classes].
        most_calls: The most texts to score in all; the last texts are left out if these do not suffice.
        beside: The columns beside each text, structured [n], which stay as they are; None: there are none.
        columns: Number of columns of texts, each of which has a line of a text.

    Returns:
        For each text its `probability`, its `words` and the drop for each: `drops`, null for words past the sixtieth.
    """
    variants: list[str] = []
    asked: list[tuple[list[str], int, int]] = []
    for text, of_class in zip(texts, classes, strict=True):
        words, without = words_left_out(text, columns, _WORDS)
        if len(variants) + 1 + len(without) > most_calls:
            break
        asked.append((words, of_class, len(without)))
        variants += [text, *without]
    if not asked:
        return []
    origins = np.repeat(np.arange(len(asked)), [1 + tried for _, _, tried in asked])
    others = None if beside is None else beside[origins]
    scores = probabilities(joined(np.array(variants, dtype=object), others))
    answers, at = [], 0
    for words, of_class, tried in asked:
        own = scores[at : at + 1 + tried, of_class].astype(float)
        drops = [*(own[0] - own[1:]).tolist(), *[None] * (len(words) - tried)]
        answers.append({"probability": float(own[0]), "words": words, "drops": drops})
        at += 1 + tried
    return answers
