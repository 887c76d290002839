"""The files of a search's trials: records of those that ended, weights and states to go on with."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from search.errors import InputError
from search.tuning.record import TrialRecord
from search.utils.checkpoint import Arrays, is_whole, load, read_notes, save
from search.utils.leftovers import remove_leftovers

log = logging.getLogger(__name__)


class TrialFiles:
    """Finds, writes, reads and removes the files in the folders of the trials.

    Args:
        project: KerasTuner's project folder; each trial has a folder `trial_<id>` in it.
        changed: Is told of each checkpoint of a running trial that was written or removed; None: nobody is.
    """

    def __init__(self, project: Path, changed: Callable[[Path], None] | None = None) -> None:
        self.project = project
        self._changed = changed
        # Ended trials whose best weights, and whose last state, may stand: a long search has few.
        self._with_best: set[str] = set()
        self._with_last: set[str] = set()

    def record(self, trial_id: str) -> Path:
        """The record of a trial that has ended."""
        return self._folder(trial_id) / "record.json"

    def best(self, trial_id: str) -> Path:
        """The weights of its best epoch."""
        return self._folder(trial_id) / "best.npz"

    def last(self, trial_id: str) -> Path:
        """The state after its last epoch, with its record as notes."""
        return self._folder(trial_id) / "last.npz"

    def write_best(self, record: TrialRecord, weights: Arrays) -> None:
        """Writes the weights of a trial's best epoch."""
        self._write(self.best(record.trial_id), weights, weights_of(record))

    def write_last(self, record: TrialRecord, state: Arrays) -> None:
        """Writes the state after a trial's last epoch; the best weights that it refers to are there before."""
        self._write(self.last(record.trial_id), state, asdict(record))

    def remove_last(self, trial_id: str) -> None:
        """Removes the state of a running trial, which starts over."""
        self.last(trial_id).unlink(missing_ok=True)
        self._tell(self.last(trial_id))

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
        self.remove_last(trial_id)
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

    def note_end(self, trial_id: str) -> None:
        """Counts a trial among those that have ended, whose checkpoints may be removed."""
        self._with_best.add(trial_id)
        self._with_last.add(trial_id)

    def remove_checkpoints(self, best: str | None, promotable: set[str]) -> None:
        """Removes of ended trials the weights of all but the best, and the states of all that no other may go on with.

        Args:
            best: The best trial; None: there is none yet.
            promotable: The trials that others may go on with.
        """
        for trial_id in self._with_best - {best}:
            self.best(trial_id).unlink(missing_ok=True)
        for trial_id in self._with_last - promotable:
            self.last(trial_id).unlink(missing_ok=True)
        self._with_best &= {best}
        self._with_last &= promotable

    def _folder(self, trial_id: str) -> Path:
        return self.project / f"trial_{trial_id}"

    def _write(self, path: Path, arrays: Arrays, notes: dict[str, Any]) -> None:
        save(path, arrays, notes)
        self._tell(path)

    def _tell(self, path: Path) -> None:
        if self._changed is not None:
            self._changed(path)


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
