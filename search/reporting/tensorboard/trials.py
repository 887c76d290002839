"""Writes the search for TensorBoard: a run per trial with its curves, and the table of hyperparameters (HParams)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tensorboard.plugins.hparams import api as hparams
from tensorboard.plugins.scalar.summary_v2 import scalar_pb
from tensorboard.plugins.text.summary_v2 import text_pb

from search.reporting.tensorboard.curves import Curves
from search.reporting.tensorboard.events import EventFile
from search.tuning.record import TrialRecord
from spaces import Choice, Int, Parameter, Space

SCORE = "score"
EPOCHS = "tuner/epochs"


class TensorBoardWriter:
    """Logs every configuration as one run: its curves, on through its promotions, and its line in the table of HParams.

    Args:
        folder: The folder to give to `tensorboard --logdir`.
        space: The search space: HParams shows every parameter that varies, with its domain.
        objective: KerasTuner's objective, by which the tuner ranks: HParams shows its best value as `score`.
    """

    def __init__(self, folder: Path, space: Space, objective: Any) -> None:
        self.folder = folder
        self.objective = objective
        self._searched = {name: parameter for name, parameter in space.items() if _varies(parameter)}
        # Trial id to the trial that its training began with, and of that one the best score so far.
        self._first: dict[str, str] = {}
        self._scores: dict[str, float] = {}
        # Of the trial that is running.
        self._curves: Curves | None = None
        table = hparams.hparams_config_pb(
            hparams=[
                hparams.HParam(name, _domain(parameter, conditional=name in space.conditions))
                for name, parameter in self._searched.items()
            ],
            metrics=[
                hparams.Metric(SCORE, display_name=f"best {objective.name}"),
                hparams.Metric(EPOCHS, display_name="epochs"),
            ],
        )
        with EventFile(folder) as run:
            run.add(0, [table])

    def on_trial_resumed(self, record: TrialRecord) -> None:
        """Takes up a trial that was logged before the search was interrupted."""
        self._follow(record)

    def on_trial_begin(self, record: TrialRecord) -> None:
        """Opens the curves of the trial's configuration."""
        self._follow(record)
        self._curves = Curves(self.folder / self._first[record.trial_id])

    def on_epoch_end(self, record: TrialRecord, epoch: int, metrics: Mapping[str, float]) -> None:
        """Adds a point to every curve."""
        assert self._curves is not None
        self._curves.add(epoch, metrics)

    def on_trial_end(self, record: TrialRecord) -> None:
        """Closes the curves and writes the configuration's line of the table."""
        self.close()
        self._follow(record)
        first = self._first[record.trial_id]
        summaries = [scalar_pb(EPOCHS, record.epochs)]
        if record.trial_id == first:
            values = {name: record.values.get(name, _absent(parameter)) for name, parameter in self._searched.items()}
            # Lines of the table are told apart by this name, those of other runs beside this one too. The trial stands
            # first: the column is narrow.
            summaries.append(hparams.hparams_pb(values, trial_id=f"{first} {self.folder.parent.name}"))
        if first in self._scores:
            summaries.append(scalar_pb(SCORE, self._scores[first]))
        for name in ("bracket", "round"):
            if getattr(record, name) is not None:
                summaries.append(scalar_pb(f"tuner/{name}", getattr(record, name)))
        if record.parent is not None:
            told = f"trial {record.trial_id} goes on with trial {record.parent}"
            summaries.append(text_pb("tuner/lineage", told))
        with EventFile(self.folder / first) as run:
            run.add(record.epochs, summaries)

    def close(self) -> None:
        """Closes the curves of a trial that did not come to its end."""
        if self._curves is not None:
            self._curves.close()
            self._curves = None

    def _follow(self, record: TrialRecord) -> None:
        first = self._first.get(record.parent or "", record.trial_id)
        self._first[record.trial_id] = first
        if record.score is not None:
            best = self._scores.get(first)
            if best is None or self.objective.better_than(record.score, best):
                self._scores[first] = record.score


def _varies(parameter: Parameter) -> bool:
    return parameter.options is None or len(parameter.options) > 1


def _domain(parameter: Parameter, *, conditional: bool) -> hparams.Domain:
    if isinstance(parameter, Choice) or (parameter.options is not None and not isinstance(parameter, Int)):
        options = list(parameter.options or ())
        # TensorBoard hides what is not in the domain.
        absent = _absent(parameter)
        return hparams.Discrete([absent, *options] if conditional and absent not in options else options)
    low, high = parameter.limits
    return hparams.IntInterval(low, high) if isinstance(parameter, Int) else hparams.RealInterval(low, high)


def _absent(parameter: Parameter) -> Any:
    """What stands for a parameter that a trial does not have: TensorBoard draws no line that lacks a value.

    It is 0, as the width of a layer that is not there and the rate of a module that is not trained, or "none".
    """
    return "none" if isinstance(parameter.limits[0], str) else type(parameter.limits[0])(0)
