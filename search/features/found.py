"""The features of distinct texts, looked up in the chunks of a store and computed where they are not there."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from search.features.store import Chunk


class FeaturePass(Protocol):
    """A pass of texts through a frozen module, or some of its layers, whose results can be kept."""

    @property
    def title(self) -> str:
        """The name in messages and in the list of the cache."""

    @property
    def folder(self) -> Path:
        """The module's SavedModel."""

    @property
    def fingerprint(self) -> str:
        """Identifies the results, by the content of the module and by its layers."""

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Rows of features of each text, int64 [n]; a text with none is not computed."""

    def rows_of(self, chunk: Chunk) -> tuple[NDArray[np.bytes_], NDArray[np.int64], NDArray[np.int64]]:
        """The texts of a chunk: their keys, sorted and distinct, where their rows begin, and how many those are."""

    def batches(self, rows: NDArray[np.int64]) -> list[NDArray[np.int64]]:
        """Cuts texts, int64 [k], into batches.

        Returns:
            Their places among `rows`; without those of one batch the others stay the same.
        """

    def computed(
        self, batches: Iterator[NDArray[np.int64]], dtype: str
    ) -> Generator[tuple[NDArray[np.int64], NDArray[np.floating[Any]]]]:
        """Computes batches of texts.

        Args:
            batches: Which texts each holds, int64 [batch]; asked for as they can be begun.
            dtype: Type to give, float32 or float16.

        Yields:
            Each batch, in their order, and what its texts have, one text after the other [rows, dim].
        """


class FoundRows:
    """The chunk and the first row there of each text, as chunks are looked through.

    Args:
        keys: Keys of the texts, sorted and distinct [n].
        lengths: Rows of each, int64 [n].

    Attributes:
        keys: The keys.
        part: Which of `parts` each text is in, int32 [n]; -1: none so far.
        row: Its first row there, int64 [n].
        parts: The features in the chunks that have some.
        used: The files of these.
        seen: The files that were looked through.
    """

    def __init__(self, keys: NDArray[np.bytes_], lengths: NDArray[np.int64]) -> None:
        self.lengths = lengths
        self.part = np.full(len(keys), -1, np.int32)
        self.row = np.zeros(len(keys), np.int64)
        self.parts: list[NDArray[np.floating[Any]]] = []
        self.used: set[Path] = set()
        self.seen: set[Path] = set()
        self.keys = keys

    def missing(self) -> NDArray[np.int64]:
        """The texts that no chunk had, int64 [k]."""
        return np.flatnonzero(self.lacks(slice(None)))

    def lacks(self, some: slice | NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether no chunk had it, for each of some texts."""
        lacks: NDArray[np.bool_] = (self.part[some] < 0) & (self.lengths[some] > 0)
        return lacks

    def take(self, chunk: Chunk, work: FeaturePass, is_sound: Callable[[Chunk], bool]) -> bool:
        """Takes from a chunk the texts that none before it had: of two that hold the same text, the older one decides.

        Args:
            chunk: The chunk.
            work: The pass that it is of.
            is_sound: Whether its values are those that were written; asked where there is something to take.

        Returns:
            Whether there was.
        """
        self.seen.add(chunk.path)
        keys, rows, counts = work.rows_of(chunk)
        if not len(self.keys) or not len(keys):
            return False
        at = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        fits = np.flatnonzero((self.keys[at] == keys) & (self.part[at] < 0) & (self.lengths[at] == counts))
        if not len(fits) or not is_sound(chunk):
            return False
        self.part[at[fits]], self.row[at[fits]] = len(self.parts), rows[fits]
        self.parts.append(chunk.values)
        self.used.add(chunk.path)
        return True
