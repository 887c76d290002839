"""The executor that runs one trial after another in this process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from search.execution.base import Runner

if TYPE_CHECKING:
    from search.tuning.record import TrialRecord, TrialReport
    from search.tuning.trial import TrialSpec


class SerialExecutor:
    """Runs a trial when its result is waited for.

    Args:
        runner: Runs the trials.
        report: Is shown their beginnings and epochs.
    """

    slots = 1

    def __init__(self, runner: Runner, report: TrialReport) -> None:
        self._runner = runner
        self._report = report
        self._submitted: list[TrialSpec] = []

    def submit(self, spec: TrialSpec) -> None:
        """Takes the trial."""
        self._submitted.append(spec)

    def wait(self) -> list[TrialRecord]:
        """Runs the trial; what it raises is raised here."""
        return [self._runner.run(self._submitted.pop(), self._report)]

    def close(self) -> None:
        """Nothing to end."""
