"""The contracts between a study, what runs its trials, and the loop that joins them."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from search.tuning.record import TrialRecord
    from search.tuning.trial import TrialSpec


@dataclass(frozen=True)
class Wait:
    """A study's answer where trials that run decide what comes next."""


@dataclass(frozen=True)
class Done:
    """A study's answer where no trial is to be started any more.

    Attributes:
        complete: Whether the search went through all that it could propose; False: a budget ended it, and with more
            it would go on.
    """

    complete: bool


class AskAndTell(Protocol):
    """Proposes trials, several before the result of the first where it need not wait."""

    def ask(self) -> TrialSpec | Wait | Done:
        """The next trial to run."""

    def tell(self, result: TrialRecord) -> None:
        """Takes the result of a trial that was asked for."""


class Executor(Protocol):
    """Runs trials.

    Attributes:
        slots: How many trials it runs at once.
    """

    slots: int

    def submit(self, spec: TrialSpec) -> Future[TrialRecord]:
        """Begins a trial; the future gives its result, or raises what ends the search."""
