"""Tokens of texts after the layers of a module that stay as published: computed once, kept on disk."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from search.features.cache import MOST_MEMORY, FeatureCache
from search.features.found import Write
from search.features.passes import PassObserver
from search.utils.machine_memory import available_memory
from search.utils.ragged import TOKENS_AT_ONCE, RaggedRows

if TYPE_CHECKING:  # it imports TensorFlow
    from search.backbones.hub.layers import ModuleLayers
    from search.features.store import Chunk

# Texts are sorted by length within blocks: the same texts make the same batches wherever a pass was interrupted.
_BLOCK = 4096
_CHUNK_BYTES = 2**27
_EARLY_SECONDS = 20.0


@dataclass(frozen=True, eq=False)
class TokenPass:
    """A pass of the tokens of texts through layers.

    Attributes:
        layers: The module; tokens pass the layers below those that learn.
        tokens: Numbers of tokens of the texts [n].
    """

    layers: ModuleLayers
    tokens: RaggedRows

    @property
    def folder(self) -> Path:
        """The module's SavedModel."""
        return self.layers.module.folder

    @property
    def lengths(self) -> NDArray[np.int64]:
        """A row for each token."""
        return self.tokens.lengths

    @property
    def fingerprint(self) -> str:
        """Identifies the results, by the module's content and its layers."""
        kept = f"{self.layers.module.fingerprint} {self.layers.constant}"
        return hashlib.sha256(kept.encode()).hexdigest()

    @property
    def title(self) -> str:
        """The module, and how far tokens pass through it."""
        return f"{self.layers.module.name} up to layer {self.layers.constant}"

    def elements(self) -> int:
        """Numbers in the results of all texts."""
        return int(self.tokens.lengths.sum()) * self.layers.width

    def rows_of(self, chunk: Chunk) -> tuple[NDArray[np.bytes_], NDArray[np.int64], NDArray[np.int64]]:
        """The texts of a chunk of tokens."""
        keys, starts, counts = np.unique(chunk.keys, return_index=True, return_counts=True)
        return keys, starts.astype(np.int64), counts.astype(np.int64)

    def computed(
        self, rows: NDArray[np.int64], keys: NDArray[np.bytes_], dtype: str, write: Write, observer: PassObserver | None
    ) -> Iterator[Chunk]:
        """Computes texts; what is written has the key of its text for each token, and the token's vector."""
        pending: list[tuple[NDArray[np.bytes_], NDArray[np.floating[Any]]]] = []
        done, written, size = 0, time.monotonic(), 0
        for places, values in self._vectors(rows):
            pending.append((np.repeat(keys[places], self.tokens.lengths[rows[places]]), values.astype(dtype)))
            done += len(places)
            size += pending[-1][1].nbytes
            if observer is not None:
                observer.on_pass_progress(done)
            if done == len(rows) or size >= _CHUNK_BYTES or time.monotonic() - written >= _EARLY_SECONDS:
                yield write(*(np.concatenate(arrays) for arrays in zip(*pending, strict=True)))
                pending, size, written = [], 0, time.monotonic()

    def _vectors(self, rows: NDArray[np.int64]) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
        """Computes some texts, int64 [k].

        Yields:
            Places among `rows`, and the vectors of their tokens, one text after the other, float32 [tokens, width].
        """
        import tensorflow as tf

        ids = tf.TensorSpec([None, None], tf.int32)
        below = tf.function(self.layers.below, input_signature=[ids, tf.TensorSpec([None], tf.int32)])
        for start in range(0, len(rows), _BLOCK):
            block = rows[start : start + _BLOCK]
            for places in self.tokens.slices(block, TOKENS_AT_ONCE):
                values, lengths = self.tokens.take(block[places])
                given = below(tf.constant(values), tf.constant(lengths)).numpy()
                there = np.arange(given.shape[1]) < lengths[:, np.newaxis]
                yield start + places, given[there]


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
    found, inverse = cache.looked_up(work, texts, observer)
    parts = found.parts or [np.zeros((0, work.layers.width), cache.dtype)]
    part = np.maximum(found.part, 0)  # a text without tokens is nowhere
    size = int(found.lengths.sum()) * parts[0].itemsize * work.layers.width
    if size <= min(MOST_MEMORY, available_memory() // 4):
        # Reading them is letting go of the files.
        parts = [np.array(one) for one in parts]
    return RaggedRows(parts, part[inverse], found.row[inverse], found.lengths[inverse])
