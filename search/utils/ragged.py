"""Rows of different lengths."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

TOKENS_AT_ONCE = 1024
"""Tokens that go through layers in one call: what a layer gives for them fits into a processor's caches. Modules that
were built hold it."""


@dataclass(frozen=True, eq=False)
class RaggedRows:
    """Rows of different lengths, each of which lies in one piece in one of some arrays.

    Attributes:
        parts: Arrays [elements, …] of one type, in memory or mapped from disk.
        part: Which of the arrays each row is in, int32 [n].
        starts: Where it begins there, int64 [n].
        lengths: Its elements, int64 [n].
        padding: What a row is filled up with that is shorter than another one.
    """

    parts: Sequence[NDArray[Any]]
    part: NDArray[np.int32]
    starts: NDArray[np.int64]
    lengths: NDArray[np.int64]
    padding: int = 0

    @classmethod
    def of_lengths(cls, values: NDArray[Any], lengths: NDArray[np.int64], padding: int = 0) -> RaggedRows:
        """Makes rows of elements that follow each other in one array."""
        return cls([values], np.zeros(len(lengths), np.int32), np.cumsum(lengths) - lengths, lengths, padding)

    def __len__(self) -> int:
        return len(self.lengths)

    def of_some(self, rows: NDArray[np.int64]) -> RaggedRows:
        """Some of the rows, int64 [k], over the same elements."""
        return replace(self, part=self.part[rows], starts=self.starts[rows], lengths=self.lengths[rows])

    def take(self, rows: NDArray[np.int64], dtype: type | None = None) -> tuple[NDArray[Any], NDArray[np.int32]]:
        """Some rows, filled up to the longest of them.

        Args:
            rows: Which, int64 [k].
            dtype: Type of what is given; None: that of the elements.

        Returns:
            Their elements [k, longest, …], and their lengths, int32 [k].
        """
        lengths = self.lengths[rows]
        first = self.parts[0]
        taken = np.full((len(rows), int(lengths.max(initial=0)), *first.shape[1:]), self.padding, dtype or first.dtype)
        for place, row in enumerate(rows):
            start = self.starts[row]
            taken[place, : lengths[place]] = self.parts[self.part[row]][start : start + lengths[place]]
        return taken, lengths.astype(np.int32)

    def slices(self, rows: NDArray[np.int64], elements: int) -> list[NDArray[np.int64]]:
        """Cuts rows, int64 [k], into slices of like length that have at most so many elements when they are filled up.

        Returns:
            Their places among `rows`, the longest rows first; a row that is longer stands alone.
        """
        order = np.argsort(-self.lengths[rows], kind="stable")
        slices, begin = [], 0
        while begin < len(order):
            size = max(1, elements // max(1, int(self.lengths[rows[order[begin]]])))
            slices.append(order[begin : begin + size])
            begin += size
        return slices
