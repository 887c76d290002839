"""The files of a search's trials: records of those that ended, weights and states to go on with."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

from search.errors import InputError
from search.tuning.record import TrialRecord
from search.utils.checkpoint import Arrays, is_whole, load, read_notes
from search.utils.leftovers import remove_leftovers

log = logging.getLogger(__name__)


class TrialFiles:
    """Finds, reads and removes the files in the folders of the trials.

    Args:
        project: KerasTuner's project folder; each trial has a folder `trial_<id>` in it.
    """

    def __init__(self, project: Path) -> None:
        self.project = project
        # Checkpoints that are gone for good: a long search need not look for them after every trial.
        self._removed: set[tuple[str, str]] = set()

    def record(self, trial_id: str) -> Path:
        """The record of a trial that has ended."""
        return self._folder(trial_id) / "record.json"

    def best(self, trial_id: str) -> Path:
        """The weights of its best epoch."""
        return self._folder(trial_id) / "best.npz"

    def last(self, trial_id: str) -> Path:
        """The state after its last epoch, with its record as notes."""
        return self._folder(trial_id) / "last.npz"

    def records(self) -> list[TrialRecord]:
        """The records of all trials that have ended, in the order in which they began.

        Raises:
            InputError: One is damaged or missing.
        """
        found = [TrialRecord.read(path) for path in self.project.glob("trial_*/record.json")]
        # As numbers: KerasTuner pads an id to a width that a long search grows out of.
        found.sort(key=lambda record: int(record.trial_id))
        for number, record in enumerate(found):
            if int(record.trial_id) != number:
                # Trials run one after another: those before one that has ended have ended too.
                lost = self.record(f"{number:0{len(record.trial_id)}}")
                raise InputError(f"{lost} is missing: restore it from a copy, or start a new run.")
        return found

    def remove_unfinished(self) -> None:
        """Removes half-written files that a kill left."""
        for folder in (self.project, *self.project.glob("trial_*")):
            remove_leftovers(folder, patience=0)

    def interrupted(self, trial_id: str) -> TrialRecord | None:
        """The record of a trial as its last epoch left it; None where it had none. A damaged state is removed."""
        last = self.last(trial_id)
        if not last.exists():
            return None
        record = _noted(last)
        # Without the weights of its best epoch so far the trial could win, and then not be loaded.
        damaged = last if record is None else self.best(trial_id)
        if record is not None and (record.best_epoch is None or is_whole(damaged)):
            return record
        log.warning("%s is damaged: the trial starts over", damaged)
        last.unlink()
        return None

    def best_weights(self, record: TrialRecord) -> Arrays:
        """The weights of a trial's best epoch.

        Raises:
            InputError: They are damaged, or were not kept.
        """
        path = self.best(record.trial_id)
        # Earlier versions did not note whose they are.
        if not is_whole(path) or read_notes(path) not in ({}, weights_of(record)):
            raise InputError(
                f"{path} is damaged or was not kept (tuner.keep): restore it from a copy, or start a new run."
            )
        return load(path)

    def remove_checkpoints(
        self, records: Iterable[TrialRecord], best: TrialRecord | None, promotable: Collection[str]
    ) -> None:
        """Removes the weights of all trials but the best, and the states of all that no other may go on with."""
        for record in records:
            if record is not best:
                self._remove(record.trial_id, "best")
            if record.trial_id not in promotable:
                self._remove(record.trial_id, "last")

    def _remove(self, trial_id: str, which: str) -> None:
        if (trial_id, which) not in self._removed:
            (self.best if which == "best" else self.last)(trial_id).unlink(missing_ok=True)
            self._removed.add((trial_id, which))

    def _folder(self, trial_id: str) -> Path:
        return self.project / f"trial_{trial_id}"


def _noted(last: Path) -> TrialRecord | None:
    """The record in a state; None where the state is damaged."""
    if not is_whole(last):
        return None
    try:
        return TrialRecord(**read_notes(last))
    except (ValueError, KeyError, TypeError):
        return None


def weights_of(record: TrialRecord) -> dict[str, Any]:
    """The notes in a file of best weights: the trial and the epoch that they are of."""
    return {"trial_id": record.trial_id, "best_epoch": record.best_epoch, "score": record.score}
