"""The features of a frozen module: a constant, computed once for each distinct text and kept on disk."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search.datasets.table import encoded
from search.errors import InputError, nearest
from search.features.found import FeaturePass, FoundRows
from search.features.passes import PassObserver, TextPass
from search.features.shared_pass import SharedPass
from search.features.store import KEY, ChunkStore
from search.utils.machine_memory import available_memory

__all__ = ["FeatureCache", "Features", "FeaturesOfSome", "PassObserver"]
# As in conf/config.yaml.
_DTYPES = ("float32", "float16")
_log = logging.getLogger(__name__)
# Features are held in memory up to this size, and up to a quarter of what is free.
MOST_MEMORY = 2 * 2**30


class Features:
    """Features of texts, float32 [n, dim]: in memory where they fit, else mapped from disk.

    Args:
        parts: Arrays [rows, dim] that hold them.
        part: Which of the arrays each text is in, int32 [n].
        row: Its row there, int64 [n].
        dimension: Width of the features.

    Raises:
        ValueError: A text is in none of the arrays.
    """

    def __init__(
        self,
        parts: Sequence[NDArray[np.floating[Any]]],
        part: NDArray[np.int32],
        row: NDArray[np.int64],
        dimension: int,
    ) -> None:
        if len(part) and not 0 <= part.min() <= part.max() < len(parts):
            raise ValueError(
                f"Expected features of all {len(part)} texts. Received: none of {np.sum(part < 0)} of them"
            )
        self.dimension = dimension
        self._parts, self._part, self._row = parts, part, row
        self._array: NDArray[np.float32] | None = None
        if len(row) * dimension * 4 <= min(MOST_MEMORY, available_memory() // 4):
            self._array = self._gathered(part, row)
            # Lets go of the files.
            self._parts = ()

    def __len__(self) -> int:
        return len(self._row)

    def take(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Features of some texts.

        Args:
            rows: Numbers of the texts, int64 [k].

        Returns:
            Their features, float32 [k, dim].
        """
        if self._array is not None:
            return np.take(self._array, rows, axis=0)
        return self._gathered(self._part[rows], self._row[rows])

    def of_some(self, texts: NDArray[np.int64]) -> FeaturesOfSome:
        """The features of some texts, int64 [k], read when they are asked for."""
        return FeaturesOfSome(self, texts)

    def array(self) -> NDArray[np.float32] | None:
        """All of them [n, dim], contiguous, if they are held in memory; else None."""
        return self._array

    def _gathered(self, part: NDArray[np.int32], row: NDArray[np.int64]) -> NDArray[np.float32]:
        gathered = np.empty((len(row), self.dimension), np.float32)
        order = np.argsort(part, kind="stable")
        bounds = np.searchsorted(part[order], np.arange(len(self._parts) + 1))
        for values, begin, end in zip(self._parts, bounds, bounds[1:], strict=False):
            if begin < end:
                rows = order[begin:end]
                gathered[rows] = values[row[rows]]
        return gathered


class FeaturesOfSome:
    """Features of a subset of texts, read when they are asked for.

    Args:
        features: The features of all texts.
        texts: Numbers of the subset, int64 [n].
    """

    def __init__(self, features: Features | FeaturesOfSome, texts: NDArray[np.int64]) -> None:
        self.dimension: int = features.dimension
        self._features, self._texts = features, texts

    def __len__(self) -> int:
        return len(self._texts)

    def take(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Features of some texts of the subset; see `Features.take`."""
        return self._features.take(self._texts[rows])

    def __getitem__(self, places: slice) -> NDArray[np.float32]:
        """Features of the texts at some positions, in their order."""
        return self._features.take(self._texts[places])


class FeatureCache:
    """Computes each distinct text through each frozen module once, ever.

    Args:
        folder: The folder of the features; any number of runs and processes may share it.
        dtype: The type to store them in, float32 or float16.
        max_bytes: Size of the folder above which the least recently used features are removed; None: no limit.

    Attributes:
        store: The files.

    Raises:
        InputError: There is no such type.
    """

    def __init__(self, folder: Path, dtype: str = "float32", max_bytes: int | None = 10 * 2**30) -> None:
        if dtype not in _DTYPES:
            raise InputError(f"Features cannot be kept as {dtype}. {nearest(dtype, _DTYPES)}")
        self.dtype = dtype
        self.store = ChunkStore(folder, max_bytes)

    def has_room(self, texts: int, dimension: int) -> bool:
        """Whether the features of so many texts fit within the limit, once all others are removed."""
        size = texts * dimension * np.dtype(self.dtype).itemsize
        return self.store.max_bytes is None or size <= self.store.max_bytes

    def features(
        self,
        module: Path,
        texts: NDArray[np.object_],
        observer: PassObserver | None = None,
        name: str | None = None,
    ) -> Features:
        """Gives the features of texts, computing those that are not known.

        Args:
            module: Folder of a SavedModel. It is loaded only if something must be computed.
            texts: Strings [n], in any order, with or without repetitions.
            observer: Observes the pass.
            name: The module's name in messages; None: its folder.

        Returns:
            A row for each text, in the order of `texts`.

        Raises:
            InputError: The module cannot be used, gives features that are not finite, or they cannot be written.
        """
        found, inverse = self.looked_up(TextPass(module, name, texts), texts, observer)
        return Features(found.parts, found.part[inverse], found.row[inverse], _dimension(found.parts, module))

    def looked_up(
        self, work: FeaturePass, texts: NDArray[np.object_], observer: PassObserver | None
    ) -> tuple[FoundRows, NDArray[np.int64]]:
        """Looks up what a pass gives for texts, and computes what is not there.

        Args:
            work: The pass.
            texts: Its strings [n].
            observer: Observes it.

        Returns:
            The places of distinct texts, and which of these each text is, int64 [n].

        Raises:
            MachineFault: The results cannot be written.
        """
        begun = time.monotonic()
        shelf = self.store.shelf(work.fingerprint, self.dtype)
        # In the order of their keys: the same texts make the same batches, whatever order they come in.
        keys, first, inverse = np.unique(text_keys(texts), return_index=True, return_inverse=True)
        found = FoundRows(keys, work.lengths[first])
        computed = SharedPass(work, found, first, inverse, self.store, shelf).run(observer)
        if len(keys):
            shelf.note_module(work.title, work.folder)
        if (over := self.store.evict(found.used)) > 0:
            _log.warning(
                "The features in %s are %s bytes over their limit: this run needs them.", shelf.path, f"{over:,}"
            )
        if observer is not None:
            observer.on_pass_end(computed, time.monotonic() - begun)
        return found, inverse


def text_keys(texts: NDArray[np.object_]) -> NDArray[np.bytes_]:
    """Keys of texts, 16 bytes each: equal for equal texts alone, as far as a hash of 128 bits can tell."""
    digests = b"".join([hashlib.blake2b(one, digest_size=KEY.itemsize).digest() for one in encoded(texts)])
    return np.frombuffer(digests, KEY)


def _dimension(parts: Sequence[NDArray[np.floating[Any]]], module: Path) -> int:
    if parts:
        return int(parts[0].shape[1])
    from search.backbones.hub.load import published

    return published(module).dimension
