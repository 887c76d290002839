"""The executor that runs one trial after another in this process."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from search.tuning.record import TrialRecord
    from search.tuning.trial import TrialSpec


class SerialExecutor:
    """Runs a trial while it is submitted.

    Args:
        run: Runs a trial to its end, as `TrialRunner.run` does.
    """

    slots = 1

    def __init__(self, run: Callable[[TrialSpec], TrialRecord]) -> None:
        self._run = run

    def submit(self, spec: TrialSpec) -> Future[TrialRecord]:
        """Runs the trial; what it raises is raised here."""
        future: Future[TrialRecord] = Future()
        future.set_result(self._run(spec))
        return future
