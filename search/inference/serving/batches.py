"""Dynamic batching: the texts of requests that wait at the same time go through the model together."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search.datasets.stream import ROWS
from search.inference.labels import Predictions

Predict = Callable[[Sequence[str], NDArray[Any] | None], Predictions]
# Batches in the model's hands: while one is computed, the answers of another are checked and handed out.
_AT_ONCE = 2


@dataclass(frozen=True)
class _Piece:
    """Texts of one request, no more than a batch."""

    texts: Sequence[str]
    beside: NDArray[Any] | None
    answer: asyncio.Future[Predictions]


class Batches:
    """Batches of the texts of many requests.

    A batch is formed whenever the model is free, of whatever waits: a request on an idle server does not wait for
    others, and a busy one answers many at the cost of few calls.

    Args:
        predict: Maps texts, and the columns beside them, to predictions; it is called in other threads, two at a time.
        largest: The number of texts of a batch. A longer request is cut.
    """

    def __init__(self, predict: Predict, largest: int = ROWS) -> None:
        self._predict = predict
        self._largest = largest
        self._waiting: deque[_Piece] = deque()
        self._came = asyncio.Semaphore(0)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Answers requests while the block runs."""
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            workers = [asyncio.ensure_future(self._work(threads)) for _ in range(_AT_ONCE)]
            try:
                yield
            finally:
                for worker in workers:
                    worker.cancel()
                await asyncio.gather(*workers, return_exceptions=True)

    async def predict(self, texts: Sequence[str], beside: NDArray[Any] | None = None) -> Predictions:
        """Predicts for the texts of a request; where it is cancelled, those that wait are left out.

        Args:
            texts: The texts [n].
            beside: The columns beside them, structured [n]; None: the model takes none.

        Raises:
            InputError: The model cannot be used on one of them.
        """
        loop = asyncio.get_running_loop()
        cuts = (slice(start, start + self._largest) for start in range(0, len(texts), self._largest))
        pieces = [_Piece(texts[cut], None if beside is None else beside[cut], loop.create_future()) for cut in cuts]
        try:
            for piece in pieces:
                self._waiting.append(piece)
                self._came.release()
            found = await asyncio.gather(*(piece.answer for piece in pieces))
        finally:
            for piece in pieces:
                piece.answer.cancel()
        return Predictions.joined(found)

    async def _work(self, threads: ThreadPoolExecutor) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._came.acquire()
            batch = self._next_batch()
            if not batch:  # another worker took what came, or whoever asked is gone
                continue
            answers = await loop.run_in_executor(threads, self._answers, batch)
            for piece, answer in zip(batch, answers, strict=True):
                if piece.answer.done():
                    continue
                if isinstance(answer, Predictions):
                    piece.answer.set_result(answer)
                else:
                    piece.answer.set_exception(answer)

    def _next_batch(self) -> list[_Piece]:
        batch: list[_Piece] = []
        size = 0
        while self._waiting and size + len(self._waiting[0].texts) <= self._largest:
            piece = self._waiting.popleft()
            if not piece.answer.done():
                batch.append(piece)
                size += len(piece.texts)
        return batch

    def _answers(self, parts: Sequence[_Piece]) -> list[Predictions | Exception]:
        """Predicts for several pieces together, or for each alone where one of them stands in the way."""
        try:
            columns = [part.beside for part in parts if part.beside is not None]
            texts = [text for part in parts for text in part.texts]
            found = self._predict(texts, np.concatenate(columns) if columns else None)
        except Exception as error:
            if len(parts) == 1:
                return [error]
            return [self._answers([part])[0] for part in parts]
        bounds = np.cumsum([0, *(len(part.texts) for part in parts)])
        return [found.part(begin, end) for begin, end in pairwise(bounds)]
