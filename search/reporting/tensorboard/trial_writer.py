"""Writes the search for TensorBoard: a run per configuration with its curves, and the table of hyperparameters."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.plugins.scalar.summary_v2 import scalar_pb
from tensorboard.plugins.text.summary_v2 import text_pb

from search.reporting.board.ranking import write_ranking
from search.reporting.tensorboard.custom_scalars import layout
from search.reporting.tensorboard.events import EventFile, written
from search.reporting.tensorboard.hyperparameters import Hyperparameters
from search.reporting.tensorboard.training_curves import metric_of, points
from search.tuning.record import TrialRecord, order
from spaces import Space

SCORE = "score"
EPOCHS = "tuner/epochs"


class TensorBoardWriter:
    """Logs every configuration as one run: its curves, on through its promotions, and its line in the table of HParams.

    A trial has a file of its own in that run, so that a search that was killed goes on in it from the trial's
    checkpoint, and ends with the same files as one that was not killed.

    Args:
        folder: The folder to give to `tensorboard --logdir`.
        space: The search space: HParams shows every parameter that varies, with its domain.
        objective: KerasTuner's objective, by which the tuner ranks: HParams shows its best value as `score`.
    """

    def __init__(self, folder: Path, space: Space, objective: Any) -> None:
        self.folder = folder
        self.objective = objective
        self._table = Hyperparameters(space)
        # Trial id to the trial that its training began with, and of that one the best score so far.
        self._first: dict[str, str] = {}
        self._scores: dict[str, float] = {}
        # Of the trials that are running.
        self._files: dict[str, EventFile] = {}
        self._laid_out = False
        with EventFile(folder, "hyperparameters") as run:
            run.add(0, [self._table.columns({SCORE: f"best {objective.name}", EPOCHS: "epochs"})])

    def on_trial_resumed(self, record: TrialRecord) -> None:
        """Takes up a trial that had ended before the search was killed; writes its end if the kill came before that."""
        self._follow(record)
        self._score(record)
        if not any(map(_is_end, written(self._run(record), record.trial_id))):
            self._open(record)
            self._end(record)

    def on_trial_begin(self, record: TrialRecord) -> None:
        """Opens the trial's file, keeping the epochs up to its last checkpoint."""
        self._follow(record)
        self._open(record)

    def on_epoch_end(self, record: TrialRecord, epoch: int, metrics: Mapping[str, float]) -> None:
        """Adds a point to every curve."""
        if not self._laid_out:
            names = sorted(set(map(metric_of, metrics)))
            with EventFile(self.folder, "layout") as run:
                run.add(0, [layout(metric_of(self.objective.name), names)])
            self._laid_out = True
        self._files[record.trial_id].add(epoch, points(metrics))

    def on_trial_end(self, record: TrialRecord) -> None:
        """Writes the configuration's line of the table and closes the file."""
        self._score(record)
        self._end(record)

    def close(self) -> None:
        """Closes the files of trials that did not end."""
        while self._files:
            self._files.popitem()[1].close()

    def _run(self, record: TrialRecord) -> Path:
        return self.folder / self._first[record.trial_id]

    def _follow(self, record: TrialRecord) -> None:
        self._first[record.trial_id] = self._first.get(record.parent or "", record.trial_id)

    def _open(self, record: TrialRecord) -> None:
        if (before := self._files.pop(record.trial_id, None)) is not None:  # of a try that ended in want of memory
            before.close()
        run = self._run(record)
        kept = [one for one in written(run, record.trial_id) if record.has_epoch(one.step) and not _is_end(one)]
        self._files[record.trial_id] = EventFile(run, record.trial_id, kept)

    def _score(self, record: TrialRecord) -> None:
        first = self._first[record.trial_id]
        best = self._scores.get(first)
        if record.score is not None and (best is None or self.objective.better_than(record.score, best)):
            self._scores[first] = record.score

    def _end(self, record: TrialRecord) -> None:
        # Before the event that says that all is written.
        write_ranking(self.folder, self._ranked())
        first = self._first[record.trial_id]
        summaries = [scalar_pb(EPOCHS, record.epochs)]
        if record.trial_id == first:
            # Lines of the table are told apart by this name, those of other runs beside this one too. The trial stands
            # first: the column is narrow.
            summaries.append(self._table.line(record.values, f"{first} {self.folder.parent.name}"))
        if first in self._scores:
            summaries.append(scalar_pb(SCORE, self._scores[first]))
        for name in ("bracket", "round"):
            if getattr(record, name) is not None:
                summaries.append(scalar_pb(f"tuner/{name}", getattr(record, name)))
        if record.parent is not None:
            text = f"trial {record.trial_id} goes on with trial {record.parent}"
            summaries.append(text_pb("tuner/lineage", text))
        file = self._files.pop(record.trial_id)
        file.add(record.epochs, summaries)
        file.close()

    def _ranked(self) -> list[str]:
        """The configurations, the best first and ties by their order; those without a score come last."""
        first = sorted(dict.fromkeys(self._first.values()), key=order)
        scored = [one for one in first if one in self._scores]
        scored.sort(key=self._scores.__getitem__, reverse=self.objective.direction == "max")
        return list(dict.fromkeys([*scored, *first]))


def _is_end(event: Event) -> bool:
    """Whether the event is a trial's last one, so that everything before it is in the file."""
    return any(value.tag == EPOCHS for value in event.summary.value)
