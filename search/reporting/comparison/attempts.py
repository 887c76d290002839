"""What became of each run of a multirun."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

FINISHED, FAILED, INTERRUPTED = "finished", "failed", "interrupted"


@dataclass(frozen=True)
class Attempt:
    """A run that was begun.

    Attributes:
        folder: Where its files are.
        overrides: What the command line set for it.
        status: finished, failed or interrupted.
        error: Why it failed.
    """

    folder: Path
    overrides: Sequence[str]
    status: str
    error: str = ""


class Attempts:
    """The runs of a multirun.

    Attributes:
        sweep: Its folder; None before the first run.
        begun: The runs that have ended, one way or another, in their order.
    """

    def __init__(self) -> None:
        self.sweep: Path | None = None
        self.begun: list[Attempt] = []

    @contextmanager
    def noted(self, sweep: Path, folder: Path, overrides: Sequence[str]) -> Iterator[None]:
        """Notes how a run ends, which is the block.

        Args:
            sweep: The folder of the multirun.
            folder: The run's.
            overrides: What the command line set for it.
        """
        self.sweep = sweep
        status, error = INTERRUPTED, ""
        try:
            yield
            status = FINISHED
        except Exception as problem:
            status, error = FAILED, " ".join(str(problem).split())
            raise
        finally:
            self.begun.append(Attempt(folder, list(overrides), status, error))

    def summarise(self) -> None:
        """Writes the summary of the multirun to its folder and prints it; nothing where no run finished."""
        if self.sweep is None or not any(attempt.status == FINISHED for attempt in self.begun):
            return
        # Imported only now: `search.commands.search` answers --help without pandas.
        from search.reporting.comparison.multirun import summarise

        summarise(self.sweep, self.begun)
