"""The cache of tokens after some layers of a module: see `search.features.cache`, whose folder it shares."""

from __future__ import annotations

import time
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search.features.cache import MOST_MEMORY, FeatureCache, text_keys
from search.features.passes import PassObserver
from search.features.store import Chunk, Shelf, mark_used
from search.features.token_features import TokenPass, chunks, rows_of
from search.utils.machine_memory import available_memory
from search.utils.ragged import RaggedRows


def token_features(
    cache: FeatureCache, work: TokenPass, texts: NDArray[np.object_], observer: PassObserver | None
) -> RaggedRows | None:
    """Gives the tokens of texts after some layers, computing those that are not known.

    Args:
        cache: The cache.
        work: The pass.
        texts: Strings [n], whose tokens the pass takes.
        observer: Observes the pass.

    Returns:
        The vectors of each text's tokens, float32 or float16; None: there is no room for as many.

    Raises:
        MachineFault: They cannot be written.
    """
    if not cache.has_room(work.elements(), 1):
        return None
    begun = time.monotonic()
    keys, first, inverse = np.unique(text_keys(texts), return_index=True, return_inverse=True)
    found = _Found(keys, work.tokens.lengths[first])
    shelf = cache.store.shelf(work.fingerprint, cache.dtype)
    missing = found.look_up(cache, shelf)
    with cache.store.computing(shelf) if len(missing) else nullcontext():
        missing = found.look_up(cache, shelf) if len(missing) else missing
        if observer is not None:
            observer.on_pass_begin(work.name, len(keys), len(keys) - len(missing))
        write = partial(cache.write, shelf, found.used)
        for chunk in chunks(work, first[missing], keys[missing], cache.dtype, write, observer):
            found.add(chunk, cache)
    shelf.note_module(work.name, work.layers.module.folder)
    cache.store.evict(found.used)
    if observer is not None:
        observer.on_pass_end(len(missing), time.monotonic() - begun)
    return found.rows(inverse, cache.dtype, work.layers.width)


class _Found:
    """Where the tokens of distinct texts are.

    Args:
        keys: Keys of the texts, sorted and distinct [n].
        lengths: Tokens of each, int64 [n].
    """

    def __init__(self, keys: NDArray[np.bytes_], lengths: NDArray[np.int64]) -> None:
        self._keys, self._lengths = keys, lengths
        self.part = np.full(len(keys), -1, np.int32)
        self._starts = np.zeros(len(keys), np.int64)
        self._parts: list[NDArray[np.floating[Any]]] = []
        self.used: set[Path] = set()

    def look_up(self, cache: FeatureCache, shelf: Shelf) -> NDArray[np.int64]:
        """Adds the tokens that the shelf has, and returns the positions of the texts that it has not."""
        for chunk in cache.store.chunks(shelf):
            self.add(chunk, cache)
        return np.flatnonzero((self.part < 0) & (self._lengths > 0))

    def add(self, chunk: Chunk, cache: FeatureCache) -> None:
        """Takes from a chunk the texts that none before it had."""
        keys, starts, counts = rows_of(chunk)
        if not len(self._keys) or not len(keys):
            return
        at = np.minimum(np.searchsorted(self._keys, keys), len(self._keys) - 1)
        fits = np.flatnonzero((self._keys[at] == keys) & (self.part[at] < 0) & (self._lengths[at] == counts))
        if len(fits) and cache.store.is_sound(chunk):
            mark_used(chunk.path)
            self.part[at[fits]], self._starts[at[fits]] = len(self._parts), starts[fits]
            self._parts.append(chunk.values)
            self.used.add(chunk.path)

    def rows(self, texts: NDArray[np.int64], dtype: str, width: int) -> RaggedRows:
        """The tokens of texts, by their places among the distinct ones, int64 [n]: in memory where they fit."""
        parts = self._parts or [np.zeros((0, width), dtype)]
        part = np.maximum(self.part, 0)  # a text without tokens is nowhere
        size = int(self._lengths.sum()) * parts[0].itemsize * width
        if size <= min(MOST_MEMORY, available_memory() // 4):
            # Reading them is letting go of the files.
            parts = [np.array(one) for one in parts]
        return RaggedRows(parts, part[texts], self._starts[texts], self._lengths[texts])
