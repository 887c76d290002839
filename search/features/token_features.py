"""Tokens of texts after the layers of a module that stay as published: computed once, kept on disk."""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from search.features.cache import MOST_MEMORY, FeatureCache
from search.features.passes import PassObserver
from search.utils.machine_memory import available_memory
from search.utils.ragged import RaggedRows

if TYPE_CHECKING:  # it imports TensorFlow
    from search.backbones.hub.layers import ModuleLayers
    from search.features.store import Chunk


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

    def batches(self, rows: NDArray[np.int64]) -> list[NDArray[np.int64]]:
        """Cuts texts into batches: see `FeaturePass.batches`."""
        return self.tokens.slices(rows, self.layers.encoder.at_once)

    def computed(
        self, batches: Iterator[NDArray[np.int64]], dtype: str
    ) -> Generator[tuple[NDArray[np.int64], NDArray[np.floating[Any]]]]:
        """Computes the vectors of the tokens of batches: see `FeaturePass.computed`."""
        import tensorflow as tf

        signature = [self.layers.token, tf.TensorSpec([None], tf.int32)]
        below = tf.function(self.layers.below, input_signature=signature)
        for rows in batches:
            values, lengths = self.tokens.take(rows)
            given = below(tf.constant(values), tf.constant(lengths)).numpy()
            there = np.arange(given.shape[1]) < lengths[:, np.newaxis]
            yield rows, given[there].astype(dtype)


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
