"""The contracts between a study, the executor of its trials, and the loop that joins them."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from search.tuning.record import TrialRecord
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


class Executor(Protocol):
    """Runs trials.

    Attributes:
        slots: The number of trials it runs at once.
    """

    slots: int

    def submit(self, spec: TrialSpec) -> Future[TrialRecord]:
        """Begins a trial; the future gives its result, or raises an error that ends the search."""
