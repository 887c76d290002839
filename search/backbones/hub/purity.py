"""Checks on a few texts whether a module's vector of a text is a function of that text alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search.backbones.hub.answers import Call, answers, shown
from search.datasets.content import content_of

# Of the length of a text's vector. Batches of another shape are summed in another order, on a GPU with fewer digits.
_ALIKE = 1e-2
# Of the longest vector: where a vector is zero, or nearly so, that is what is left of larger numbers.
_NEARLY_ZERO = 1e-5
_LONGEST = 4000
_OF_EACH_KIND = 4


def impurity(module: Call, texts: Sequence[str] | Sequence[bytes], who: str, rows: int = 0) -> str:
    """Describes what besides a text decides about its vector.

    A module may pad to the longest text of a batch, sum over the batch, or count in it. So each text is given alone,
    with all others in two orders, and in pairs of a short and a long one.

    Args:
        module: Maps strings [n] to vectors, float32 [n, dim].
        texts: At least two distinct texts, of all lengths, with words and without; or encoded images.
        who: The module's name in messages.
        rows: Size of the largest batch, filled by repeating the texts; 0: as many as there are texts.

    Returns:
        A sentence; empty where nothing does, as far as these texts can show.

    Raises:
        InputError: The module cannot be used on one of the texts.
    """
    count = len(texts)
    alone = np.concatenate([answers(module, [text], who) for text in texts])
    everyone = list(range(count))
    by_length = sorted(everyone, key=lambda place: len(texts[place]))
    pairs = [[by_length[i], by_length[-1 - i]] for i in range(count // 2)]
    backwards = [place % count for place in reversed(range(max(rows, count)))]
    once = answers(module, texts, who)
    if worst := _difference(answers(module, texts, who), once):
        return f"it gives something else for the same texts the second time, {worst.told(texts, everyone)}"
    for batch in (everyone, backwards, *pairs):
        given = once if batch is everyone else answers(module, [texts[place] for place in batch], who)
        if worst := _difference(given, alone[batch]):
            return f"what it gives for a text depends on the other texts of the batch, {worst.told(texts, batch)}"
    return ""


@dataclass(frozen=True)
class _Difference:
    """The row in which two arrays differ most."""

    row: int
    size: float
    length: float

    def told(self, texts: Sequence[str] | Sequence[bytes], batch: Sequence[int]) -> str:
        return f"for {shown(texts[batch[self.row]])} by {self.size:.2g} where the vector is {self.length:.2g} long"


def _difference(vectors: NDArray[np.float32], others: NDArray[np.float32]) -> _Difference | None:
    """The difference of vectors [n, dim] from others; None where it is no more than rounding."""
    sizes, lengths = np.linalg.norm(vectors - others, axis=1), np.linalg.norm(others, axis=1)
    excess = sizes - _ALIKE * lengths - _NEARLY_ZERO * float(lengths.max())
    row = int(np.argmax(excess))
    return _Difference(row, float(sizes[row]), float(lengths[row])) if excess[row] > 0 else None


def telling(texts: NDArray[np.object_]) -> list[str] | list[bytes]:
    """Selects rows that show most about a module: without words, the shortest, long ones and some others.

    Args:
        texts: Texts or encoded images [n].

    Returns:
        Distinct rows, at most 16.
    """
    distinct = list(dict.fromkeys(texts.tolist()))
    by_length = sorted(distinct, key=len)
    has_words = content_of(texts).has_words
    wordless = [text for text in by_length if has_words and not any(letter.isalnum() for letter in text)]
    long = [text for text in reversed(by_length) if len(text) <= _LONGEST]
    others = distinct[:: max(1, len(distinct) // _OF_EACH_KIND)]
    chosen = [text for kind in (wordless, by_length, long, others) for text in kind[:_OF_EACH_KIND]]
    return list(dict.fromkeys(chosen))
