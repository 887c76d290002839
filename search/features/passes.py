"""One pass of texts through a frozen module, kept chunk by chunk."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from search.backbones.hub.identity import fingerprint
from search.datasets.content import content_of
from search.datasets.table import encoded
from search.errors import InputError
from search.features.store import Chunk

if TYPE_CHECKING:  # it imports TensorFlow, which features that are cached do without
    from search.backbones.hub.load import Module

# Small batches cost calls, large ones memory: padded to the longest, a batch has at most this many characters.
_LARGEST_BATCH = 1024
_BATCH_CHARACTERS = 65_536
_BATCH_BYTES = 32
"""Rows of a batch of what is no text: their bytes do not tell what they take in memory."""
# Batches computed side by side. String operations use one core each; an encoder's use all, and its memory grows.
_MOST_WORKERS = 4

_Values = NDArray[np.floating[Any]]


class PassObserver(Protocol):
    """An observer of a pass over texts; a pass that fails has no `on_pass_end`."""

    def on_pass_begin(self, module: str, texts: int, cached: int) -> None:
        """The distinct texts are counted; the features of `cached` of them are known."""

    def on_pass_progress(self, done: int) -> None:
        """`done` of the others have been computed."""

    def on_pass_end(self, computed: int, seconds: float) -> None:
        """All are known; `computed` of them were computed now."""


@runtime_checkable
class ObservesPasses(Protocol):
    """A HyperModel whose passes of texts through modules can be observed."""

    def observe_passes(self, observer: PassObserver) -> None:
        """Sets the observer of its passes from now on."""


@dataclass(frozen=True, eq=False)
class TextPass:
    """A pass of texts through a module: a row of features for each; see `FeaturePass`.

    Attributes:
        folder: A SavedModel. It is loaded only if something must be computed.
        name: Its name in messages; None: its folder.
        texts: Strings [n].
    """

    folder: Path
    name: str | None
    texts: NDArray[np.object_]

    @property
    def title(self) -> str:
        """The module's name."""
        return self.name or self.folder.name

    @property
    def fingerprint(self) -> str:
        """The module's content."""
        return fingerprint(self.folder)

    @property
    def lengths(self) -> NDArray[np.int64]:
        """One row for each text."""
        return np.ones(len(self.texts), np.int64)

    def rows_of(self, chunk: Chunk) -> tuple[NDArray[np.bytes_], NDArray[np.int64], NDArray[np.int64]]:
        """The texts of a chunk, one after the other."""
        rows = np.arange(len(chunk.keys))
        return chunk.keys, rows, np.ones_like(rows)

    def batches(self, rows: NDArray[np.int64]) -> list[NDArray[np.int64]]:
        """Cuts texts into batches: see `FeaturePass.batches`."""
        return batches(self.texts[rows])

    def computed(
        self, batches: Iterator[NDArray[np.int64]], dtype: str
    ) -> Generator[tuple[NDArray[np.int64], _Values]]:
        """Computes batches: see `FeaturePass.computed`.

        Raises:
            InputError: The module cannot be used, or gives features that are not finite.
        """
        return embed(self.folder, self.name, self.texts, dtype, batches)


def batches(texts: NDArray[np.object_]) -> list[NDArray[np.int64]]:
    """Cuts texts into batches of like length.

    Args:
        texts: Strings [n].

    Returns:
        Batches that hold every row once, the longest texts first.
    """
    if not content_of(texts).has_words:
        return [np.arange(len(texts))[at : at + _BATCH_BYTES] for at in range(0, len(texts), _BATCH_BYTES)]
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    order = np.argsort(-lengths, kind="stable")
    found, begin = [], 0
    while begin < len(order):
        size = max(1, min(_LARGEST_BATCH, _BATCH_CHARACTERS // max(1, int(lengths[order[begin]]))))
        found.append(order[begin : begin + size])
        begin += size
    return found


def embed(
    folder: Path, name: str | None, texts: NDArray[np.object_], dtype: str, batches: Iterable[NDArray[np.int64]]
) -> Generator[tuple[NDArray[np.int64], _Values]]:
    """Computes features, some batches at a time side by side.

    Args:
        folder: A SavedModel.
        name: Its name in messages; None: its folder.
        texts: Strings [n].
        dtype: float32 or float16.
        batches: Which of them to compute together; asked for one batch more than there are threads.

    Yields:
        Each batch, in order, with its features [batch, dim] of that type.

    Raises:
        InputError: The module cannot be used, or gives features that are no finite numbers of that type.
    """
    import tensorflow as tf

    from search.backbones.hub.load import published

    module = published(folder, name)
    # More than TensorFlow has would wait for each other, and for what other processes could be at.
    threads = min(_MOST_WORKERS, tf.config.threading.get_inter_op_parallelism_threads() or os.cpu_count() or 1)
    ahead: deque[tuple[NDArray[np.int64], Future[_Values]]] = deque()
    pool = ThreadPoolExecutor(threads, "embed")
    try:
        for batch in batches:
            ahead.append((batch, pool.submit(_stored, module, texts[batch], dtype)))
            # One more than there are threads, so that none waits for the reader of the features.
            if len(ahead) > threads:
                done, features = ahead.popleft()
                yield done, features.result()
        while ahead:
            done, features = ahead.popleft()
            yield done, features.result()
    finally:
        pool.shutdown(cancel_futures=True)


def _stored(module: Module, texts: NDArray[np.object_], dtype: str) -> NDArray[np.floating[Any]]:
    """The features of a batch in the type of the store."""
    features = _embedded(module, encoded(texts))
    if features.dtype == dtype:
        return features
    with np.errstate(over="ignore"):
        stored = features.astype(dtype)
    too_large = np.flatnonzero(~np.isfinite(stored).all(axis=1))
    if len(too_large):
        from search.backbones.hub.answers import shown

        raise InputError(
            f"module {module.name} gives numbers too large for {dtype} for the text {shown(texts[too_large[0]])}: keep "
            "its features as float32."
        )
    return stored


def _embedded(module: Module, texts: list[bytes]) -> NDArray[np.float32]:
    import tensorflow as tf

    from search.backbones.hub.answers import answers

    try:
        return answers(module, texts, f"module {module.name}")
    except tf.errors.ResourceExhaustedError:
        if len(texts) == 1:
            raise
    half = len(texts) // 2
    return np.concatenate([_embedded(module, texts[:half]), _embedded(module, texts[half:])])
