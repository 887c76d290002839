"""The time that the phases of a run take."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Stopwatch:
    """Seconds spent in the phases of a run."""

    def __init__(self) -> None:
        self.started = time.monotonic()
        self._seconds: dict[str, float] = {}
        # In all, of what was counted by `add`.
        self._elsewhere = 0.0

    @contextmanager
    def __call__(self, phase: str) -> Iterator[None]:
        """Counts the time of the block to a phase, without what is counted to another phase meanwhile."""
        started, elsewhere = time.monotonic(), self._elsewhere
        try:
            yield
        finally:
            self._count(phase, time.monotonic() - started - (self._elsewhere - elsewhere))

    def add(self, phase: str, seconds: float) -> None:
        """Counts seconds that have just passed to a phase."""
        self._elsewhere += seconds
        self._count(phase, seconds)

    def _count(self, phase: str, seconds: float) -> None:
        self._seconds[phase] = self._seconds.get(phase, 0.0) + seconds

    def seconds(self) -> dict[str, float]:
        """Seconds of every phase, and in total since the stopwatch was made."""
        return {
            phase: round(spent, 3)
            for phase, spent in {**self._seconds, "total": time.monotonic() - self.started}.items()
        }
