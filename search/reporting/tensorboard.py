"""Writes the search for TensorBoard: a run per trial with its curves, and the table of hyperparameters (HParams)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import tensorflow as tf
from tensorboard.plugins.hparams import api as hparams

from search.tuning.record import TrialRecord
from spaces import Choice, Int, Parameter, Space

SCORE = "score"
_VALIDATION = "val_"


class Curves:
    """The curves of one training: runs `train` and `validation` with a point per epoch and metric.

    A metric has the same name in both, so that TensorBoard draws the two in one chart.

    Args:
        folder: The folder in which the two runs are made.
    """

    def __init__(self, folder: Path) -> None:
        self._runs = {name: tf.summary.create_file_writer(str(folder / name)) for name in ("train", "validation")}

    def add(self, epoch: int, metrics: Mapping[str, float]) -> None:
        """Adds a point to every curve; names that begin with `val_` belong to the validation split."""
        for name, value in metrics.items():
            with self._runs["validation" if name.startswith(_VALIDATION) else "train"].as_default(step=epoch):
                tf.summary.scalar(name.removeprefix(_VALIDATION), value)

    def close(self) -> None:
        """Writes what is still in memory."""
        for run in self._runs.values():
            run.close()


class TensorBoardWriter:
    """Logs every trial while it runs: its curves, and its line in the table of HParams.

    Args:
        folder: The folder to give to `tensorboard --logdir`.
        space: The search space: HParams shows every parameter that varies, with its domain.
        objective: Name of the metric that the tuner ranks by; HParams shows its best value as `score`.
    """

    def __init__(self, folder: Path, space: Space, objective: str) -> None:
        self.folder = folder
        self._searched = {name: parameter for name, parameter in space.items() if _varies(parameter)}
        with tf.summary.create_file_writer(str(folder)).as_default():
            hparams.hparams_config(
                hparams=[hparams.HParam(name, _domain(parameter)) for name, parameter in self._searched.items()],
                metrics=[hparams.Metric(SCORE, display_name=f"best {objective}")],
            )

    def on_trial_begin(self, record: TrialRecord) -> None:
        """Opens the trial's curves."""
        self._curves = Curves(self.folder / record.trial_id)

    def on_epoch_end(self, record: TrialRecord, epoch: int, metrics: Mapping[str, float]) -> None:
        """Adds a point to every curve."""
        self._curves.add(epoch, metrics)

    def on_trial_end(self, record: TrialRecord) -> None:
        """Closes the curves and writes the trial's line of the table: the score is the one the tuner ranks by."""
        self._curves.close()
        with tf.summary.create_file_writer(str(self.folder / record.trial_id)).as_default():
            hparams.hparams(
                {name: value for name, value in record.values.items() if name in self._searched},
                trial_id=record.trial_id,
            )
            if record.score is not None:
                tf.summary.scalar(SCORE, record.score, step=record.best_epoch)


def _varies(parameter: Parameter) -> bool:
    return parameter.options is None or len(parameter.options) > 1


def _domain(parameter: Parameter) -> hparams.Domain:
    if isinstance(parameter, Choice) or (parameter.options is not None and not isinstance(parameter, Int)):
        return hparams.Discrete(list(parameter.options or ()))
    low, high = parameter.limits
    return hparams.IntInterval(low, high) if isinstance(parameter, Int) else hparams.RealInterval(low, high)
