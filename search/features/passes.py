"""One pass of texts through a frozen module, kept chunk by chunk."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from search.backbones.hub.identity import fingerprint
from search.errors import InputError
from search.features.found import Write
from search.features.store import Chunk

if TYPE_CHECKING:  # it imports TensorFlow, which features that are cached do without
    from search.backbones.hub.load import Module

# Texts are sorted by length within blocks, not all together: each block takes about as long as the next, and a pass
# that was interrupted between two blocks goes on with the same batches as if it had not been.
_BLOCK = 4096
# Small batches cost calls, large ones memory: padded to the longest, a batch has at most this many characters.
_LARGEST_BATCH = 1024
_BATCH_CHARACTERS = 65_536
# Batches computed side by side. String operations use one core each; an encoder's use all, and its memory grows.
_MOST_WORKERS = 4
# Rows of a chunk: whole blocks of the pass; fewer where rows are as wide as those of all tokens of a text are.
_CHUNK_ROWS = 4 * _BLOCK
_CHUNK_BYTES = 2**28
# A slow module's chunk is written before it is full: at the end of a block if that comes in time, else between batches.
_EARLY_SECONDS, _LATE_SECONDS = 10.0, 20.0
_PROGRESS_SECONDS = 0.1

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


@dataclass(frozen=True)
class Batch:
    """Texts of like length.

    Attributes:
        rows: Which texts, int64 [batch].
        ends_block: Whether the pass can be interrupted after it without changing the batches to come.
    """

    rows: NDArray[np.int64]
    ends_block: bool


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

    def computed(
        self,
        rows: NDArray[np.int64],
        keys: NDArray[np.bytes_],
        dtype: str,
        write: Write,
        observer: PassObserver | None,
    ) -> Iterator[Chunk]:
        """Computes texts: see `FeaturePass.computed`.

        Raises:
            InputError: The module cannot be used, or gives features that are not finite.
        """
        texts = self.texts[rows]
        done, reported, written = 0, 0.0, time.monotonic()
        pending: list[tuple[NDArray[np.bytes_], _Values]] = []
        early: Chunk | None = None
        # While a chunk is written here, the pass goes on computing the next batches.
        with closing(embed(self.folder, self.name, texts, dtype)) as batches:
            for batch, values in batches:
                pending.append((keys[batch.rows], values))
                done += len(values)
                if observer is not None and (done == len(texts) or time.monotonic() - reported >= _PROGRESS_SECONDS):
                    observer.on_pass_progress(done)
                    reported = time.monotonic()
                held, size = (sum(sizes) for sizes in zip(*((len(one), one.nbytes) for _, one in pending), strict=True))
                complete = done == len(texts) or held >= _CHUNK_ROWS or size >= _CHUNK_BYTES
                if complete or time.monotonic() - written >= (_EARLY_SECONDS if batch.ends_block else _LATE_SECONDS):
                    chunk = write(*(np.concatenate(arrays) for arrays in zip(*pending, strict=True)))
                    if early is not None:
                        early.path.unlink(missing_ok=True)
                    early, written = chunk, time.monotonic()
                if complete:
                    yield chunk
                    pending, early = [], None


def batches(texts: NDArray[np.object_]) -> Iterator[Batch]:
    """Cuts texts into batches, within each block the longest texts first.

    Args:
        texts: Strings [n].

    Yields:
        Batches that hold every row once.
    """
    for start in range(0, len(texts), _BLOCK):
        lengths = np.fromiter(map(len, texts[start : start + _BLOCK]), np.int64)
        order = np.argsort(-lengths, kind="stable")
        begin = 0
        while begin < len(order):
            size = max(1, min(_LARGEST_BATCH, _BATCH_CHARACTERS // max(1, int(lengths[order[begin]]))))
            end = min(begin + size, len(order))
            yield Batch(start + order[begin:end], end == len(order))
            begin = end


def embed(
    folder: Path, name: str | None, texts: NDArray[np.object_], dtype: str
) -> Generator[tuple[Batch, NDArray[np.floating[Any]]]]:
    """Computes features, some batches at a time side by side.

    Args:
        folder: A SavedModel.
        name: Its name in messages; None: its folder.
        texts: Strings [n].
        dtype: float32 or float16.

    Yields:
        Each batch, in order, with its features [batch, dim] of that type.

    Raises:
        InputError: The module cannot be used, or gives features that are no finite numbers of that type.
    """
    from search.backbones.hub.load import published

    module = published(folder, name)
    workers = min(_MOST_WORKERS, os.cpu_count() or 1)
    ahead: deque[tuple[Batch, Future[NDArray[np.floating[Any]]]]] = deque()
    pool = ThreadPoolExecutor(workers, "embed")
    try:
        for batch in batches(texts):
            # One more than there are workers, so that none waits for the reader of the features.
            if len(ahead) > workers:
                done, features = ahead.popleft()
                yield done, features.result()
            ahead.append((batch, pool.submit(_stored, module, texts[batch.rows], dtype)))
        while ahead:
            done, features = ahead.popleft()
            yield done, features.result()
    finally:
        pool.shutdown(cancel_futures=True)


def _stored(module: Module, texts: NDArray[np.object_], dtype: str) -> NDArray[np.floating[Any]]:
    """The features of a batch in the type of the store."""
    features = _embedded(module, [text.encode() for text in texts])
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
