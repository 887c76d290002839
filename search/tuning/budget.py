"""The time budget, which ends a search in time for the steps after it."""

from __future__ import annotations

import time
from collections.abc import Mapping

from search.tuning.record import TrialRecord

# Refit and test take longer than as many epochs of a trial: more rows, saving, baselines.
_MARGIN = 1.5


class TimeBudget:
    """Decides whether there is time for another trial and the refit after it.

    Args:
        max_seconds: Length of the run; None: no limit.
        started: When the run began, by `time.monotonic`.
    """

    def __init__(self, max_seconds: float | None, started: float) -> None:
        self.max_seconds = max_seconds
        self.started = started
        self.refused = 0

    def may_start(self, epochs: int, records: Mapping[str, TrialRecord]) -> bool:
        """Whether a trial of so many epochs can end, and the best so far be refitted, before the time is over.

        The first trial always may: without one there is nothing to refit.
        """
        if self.max_seconds is None:  # the usual case, in which nobody has to look at the records
            return True
        trained = [record for record in records.values() if record.epochs > record.initial_epoch]
        if not trained:
            return True
        slowest = max(record.seconds / (record.epochs - record.initial_epoch) for record in trained)
        refit = max(record.best_epoch or 1 for record in trained)
        needed = slowest * (epochs + _MARGIN * refit)
        allowed = time.monotonic() - self.started + needed <= self.max_seconds
        self.refused += not allowed
        return allowed
