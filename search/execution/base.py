"""The contracts between a study, the executor of its trials, and the loop that joins them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from pathlib import Path

    from search.tuning.record import TrialRecord, TrialReport
    from search.tuning.trial import TrialSpec


@dataclass(frozen=True)
class Wait:
    """A study's answer when it must wait for running trials."""


@dataclass(frozen=True)
class Done:
    """A study's answer when no further trial is to be started.

    Attributes:
        complete: Whether the search proposed all that it could; False: a budget ended it, and a larger one would let
            it go on.
    """

    complete: bool


class AskAndTell(Protocol):
    """A source of trials, which may propose several before the first result is known."""

    def ask(self) -> TrialSpec | Wait | Done:
        """The next trial to run."""

    def tell(self, result: TrialRecord) -> None:
        """Takes the result of a trial that `ask` gave."""


class Runner(Protocol):
    """Runs a trial to its end; a `TrialRunner`."""

    def run(self, spec: TrialSpec, report: TrialReport) -> TrialRecord:
        """Runs a trial, which reports on the way, and returns its result."""

    def keep_files_in(self, folder: Path, changed: Callable[[Path], None]) -> None:
        """Takes another folder for the files of trials; `changed` is told of each checkpoint written or removed."""


class Executor(Protocol):
    """Runs trials.

    Attributes:
        slots: The number of trials it runs at once.
    """

    slots: int

    def submit(self, spec: TrialSpec) -> None:
        """Begins a trial; there must be a free slot."""

    def wait(self) -> list[TrialRecord]:
        """Waits until at least one of the running trials has ended; what they report is passed on meanwhile.

        Returns:
            The results of all that have ended.

        Raises:
            BaseException: A trial met an error that ends the search: a fault of the machine or of the data, or an
                interrupt.
        """

    def close(self) -> None:
        """Ends whatever still runs, and frees what the executor holds."""


MakeExecutor: TypeAlias = "Callable[[Runner, TrialReport], Executor]"
"""Makes the executor of a search, from the runner of its trials and what is shown their beginnings and epochs."""
