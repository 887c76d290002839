"""The features of distinct texts, looked up in the chunks of a store and computed where they are not there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from search.features.store import Chunk

if TYPE_CHECKING:
    from search.features.passes import PassObserver

Write = Callable[[NDArray[np.bytes_], NDArray[np.floating[Any]]], Chunk]
"""Stores rows of features [n, dim] by the keys of their texts [n], and returns the chunk that holds them."""


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

    def computed(
        self, rows: NDArray[np.int64], keys: NDArray[np.bytes_], dtype: str, write: Write, observer: PassObserver | None
    ) -> Iterator[Chunk]:
        """Computes texts and writes the results, so that a process that is killed loses less than a chunk.

        Args:
            rows: Which of the texts, int64 [k].
            keys: Their keys [k].
            dtype: Type to store, float32 or float16.
            write: Writes a chunk.
            observer: Observes the progress.

        Yields:
            Chunks as they are complete.
        """


class FoundRows:
    """The chunk and the first row there of each text, as chunks are looked through.

    Args:
        keys: Keys of the texts, sorted and distinct [n].
        lengths: Rows of each, int64 [n].

    Attributes:
        part: Which of `parts` each text is in, int32 [n]; -1: none so far.
        row: Its first row there, int64 [n].
        parts: The features in the chunks that have some.
        used: The files of these.
    """

    def __init__(self, keys: NDArray[np.bytes_], lengths: NDArray[np.int64]) -> None:
        self.lengths = lengths
        self.part = np.full(len(keys), -1, np.int32)
        self.row = np.zeros(len(keys), np.int64)
        self.parts: list[NDArray[np.floating[Any]]] = []
        self.used: set[Path] = set()
        self._keys = keys

    def missing(self) -> NDArray[np.int64]:
        """The texts that no chunk had, int64 [k]."""
        return np.flatnonzero((self.part < 0) & (self.lengths > 0))

    def take(self, chunk: Chunk, work: FeaturePass, is_sound: Callable[[Chunk], bool]) -> bool:
        """Takes from a chunk the texts that none before it had: of two that hold the same text, the older one decides.

        Args:
            chunk: The chunk.
            work: The pass that it is of.
            is_sound: Whether its values are those that were written; asked where there is something to take.

        Returns:
            Whether there was.
        """
        keys, rows, counts = work.rows_of(chunk)
        if not len(self._keys) or not len(keys):
            return False
        at = np.minimum(np.searchsorted(self._keys, keys), len(self._keys) - 1)
        fits = np.flatnonzero((self._keys[at] == keys) & (self.part[at] < 0) & (self.lengths[at] == counts))
        if not len(fits) or not is_sound(chunk):
            return False
        self.part[at[fits]], self.row[at[fits]] = len(self.parts), rows[fits]
        self.parts.append(chunk.values)
        self.used.add(chunk.path)
        return True
