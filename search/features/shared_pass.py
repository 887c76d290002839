"""The texts that no chunk has yet, computed batch by batch by all processes that need them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search.errors import MachineFault
from search.features.found import FeaturePass, FoundRows
from search.features.passes import PassObserver
from search.features.store import Chunk, ChunkStore, Shelf, mark_used
from search.utils.faults import machine_fault

# Texts are sorted by length within blocks of all texts, not all together: each block takes about as long as the next.
_BLOCK = 4096
# Texts of a chunk: whole blocks; fewer where rows are as wide as those of all tokens of a text are.
_CHUNK_TEXTS = 4 * _BLOCK
_CHUNK_BYTES = 2**27
# A slow module's chunk is also written before it is full.
_EARLY_SECONDS = 10.0
_PROGRESS_SECONDS = 0.1

_Batch = NDArray[np.int64]


class SharedPass:
    """Computes the texts of a pass that no chunk has; processes that need the same ones take batches of them in turn.

    The batches follow from the list of texts alone. So each text has the same company, and its features the same last
    digits, for any number of processes and wherever one was killed.

    Args:
        work: The pass.
        found: What its texts have; texts are numbered as there.
        first: A row of each text, int64 [texts].
        text: The text of each row, int64 [n].
        store: The chunks.
        shelf: Those of the pass.
    """

    def __init__(
        self, work: FeaturePass, found: FoundRows, first: _Batch, text: _Batch, store: ChunkStore, shelf: Shelf
    ) -> None:
        self._work, self._found, self._first, self._text = work, found, first, text
        self._store, self._shelf = store, shelf
        self._told, self._told_at = 0, 0.0

    def run(self, observer: PassObserver | None) -> int:
        """Computes what is missing, and waits for what other processes compute.

        Args:
            observer: Is told of the beginning and the progress.

        Returns:
            Texts computed by this process.

        Raises:
            MachineFault: The results cannot be written.
        """
        self._look()
        self._missing, self._observer = len(self._found.missing()), observer
        if observer is not None:
            texts = len(self._found.part)
            observer.on_pass_begin(self._work.title, texts, texts - self._missing)
        if not self._missing:
            return 0
        batches, computed = self._batches(), 0
        with closing(self._store.claims(self._shelf)) as self._claims:
            while batches:
                if any(map(self._is_free, batches)):
                    computed += self._compute(batches)
                else:
                    self._claims.wait_for(self._piece(batches[0]))
                self._look()
                self._tell(0)
                batches = [batch for batch in batches if self._found.lacks(batch).any()]
        return computed

    def _batches(self) -> list[_Batch]:
        """The batches of missing texts."""
        batches = []
        for start in range(0, len(self._first), _BLOCK):
            block = start + np.flatnonzero(self._found.lacks(slice(start, start + _BLOCK)))
            batches += [block[places] for places in self._work.batches(self._first[block])]
        return batches

    def _is_free(self, batch: _Batch) -> bool:
        """Whether no other process is at a batch: where there is none, the module need not be loaded."""
        if is_free := self._claims.take(self._piece(batch)):
            self._claims.release(self._piece(batch))
        return is_free

    def _free(self, batches: Sequence[_Batch]) -> Iterator[_Batch]:
        """Takes batches that no other process is at or has computed; gives the rows of each."""
        for batch in batches:
            if self._claims.take(self._piece(batch)):
                self._look()
                if self._found.lacks(batch).any():
                    yield self._first[batch]
                else:
                    self._claims.release(self._piece(batch))

    def _compute(self, batches: Sequence[_Batch]) -> int:
        """Computes batches that are free; returns the number of texts."""
        computed, pending = 0, _Pending()
        with closing(self._work.computed(self._free(batches), self._shelf.dtype)) as results:
            for rows, values in results:
                pending.add(self._text[rows], values)
                computed += len(rows)
                if time.monotonic() - self._told_at >= _PROGRESS_SECONDS:
                    self._tell(pending.texts)
                if pending.texts >= _CHUNK_TEXTS or pending.bytes >= _CHUNK_BYTES:
                    self._finish(pending)
                    pending = _Pending()
                elif time.monotonic() - pending.written >= _EARLY_SECONDS:
                    self._write(pending)
        if pending.texts:
            self._finish(pending)
        return computed

    def _finish(self, pending: _Pending) -> None:
        """Writes a chunk and takes what is in it; other processes find it there."""
        self._found.take(self._write(pending), self._work, self._store.is_sound)
        for batch in pending.batches:
            self._claims.release(self._piece(batch))

    def _write(self, pending: _Pending) -> Chunk:
        """Writes a chunk, in the place of what was written early; a disk that is full is the machine's fault."""
        keys = [self._found.keys[batch].repeat(self._found.lengths[batch]) for batch in pending.batches]
        try:
            chunk = self._store.write(
                self._shelf, np.concatenate(keys), np.concatenate(pending.values), self._found.used
            )
        except OSError as error:
            raise MachineFault(
                f"features cannot be written to {self._store.folder} ({machine_fault(error)}): free some "
                "space there, or choose another folder."
            ) from error
        self._found.seen.add(chunk.path)
        pending.replace(chunk)
        return chunk

    def _look(self) -> None:
        """Takes what there is in chunks that were not looked through before."""
        for chunk in self._store.chunks(self._shelf, self._found.seen):
            if self._found.take(chunk, self._work, self._store.is_sound):
                mark_used(chunk.path)

    def _tell(self, pending: int) -> None:
        """Tells how many of the missing texts are there: on disk, whoever computed them, and among what is pending."""
        done = self._missing - len(self._found.missing()) + pending
        if self._observer is not None and done > self._told:
            self._observer.on_pass_progress(done)
        self._told, self._told_at = done, time.monotonic()

    def _piece(self, batch: _Batch) -> int:
        """The number that a batch has in every process."""
        return int.from_bytes(bytes(self._found.keys[batch[0]])[:7], "big")


class _Pending:
    """Batches that are computed and not in a whole chunk yet."""

    def __init__(self) -> None:
        self.batches: list[_Batch] = []
        self.values: list[NDArray[np.floating[Any]]] = []
        self.texts = self.bytes = 0
        self.written = time.monotonic()
        self._early: Chunk | None = None

    def add(self, batch: _Batch, values: NDArray[np.floating[Any]]) -> None:
        """Adds a batch, int64 [k], and the features of its texts."""
        self.batches.append(batch)
        self.values.append(values)
        self.texts += len(batch)
        self.bytes += values.nbytes

    def replace(self, chunk: Chunk) -> None:
        """Removes the chunk that held the first of these batches, now that another holds all."""
        if self._early is not None:
            self._early.path.unlink(missing_ok=True)
        self._early, self.written = chunk, time.monotonic()
