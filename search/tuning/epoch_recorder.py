"""Records the training of a trial epoch by epoch: best weights, checkpoints, early stopping."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from typing import Any

from keras_tuner.errors import FailedTrialError

from search.training.base import Training
from search.training.scores import Metrics
from search.tuning.record import TrialRecord, TrialReport
from search.tuning.trial_files import TrialFiles
from search.utils.checkpoint import Arrays, is_finite


class EpochRecorder:
    """Keeps a trial's record, its best weights and its last state up to date, and passes every epoch on.

    Args:
        record: The trial's record, filled in here.
        training: The trial's model in training.
        objective: KerasTuner's objective.
        files: Keeps the weights of the best epoch, and the state after the last one with the record as notes.
        patience: Epochs without a better objective after which training stops; None: never.
        interrupted: Whether the process was asked to end: then the epoch may be damaged and is not recorded.
        report: Called with every epoch.
    """

    def __init__(
        self,
        record: TrialRecord,
        training: Training,
        objective: Any,
        files: TrialFiles,
        patience: int | None,
        interrupted: Callable[[], bool],
        report: TrialReport,
    ) -> None:
        self.record = record
        self.training = training
        self.objective = objective
        self.files = files
        self.patience = patience
        self.interrupted = interrupted
        self.report = report
        self._spent_before = record.seconds
        self._started = time.monotonic()

    def on_epoch_end(self, epoch: int, metrics: Mapping[str, float]) -> bool:
        """Records an epoch, counted from 1, or 0 for a head that was trained alone.

        The best weights are written before the state that refers to them.

        Returns:
            Whether the trial is done.

        Raises:
            KeyboardInterrupt: The process was asked to end.
        """
        if self.interrupted():
            raise KeyboardInterrupt
        record = self.record
        record.epochs = epoch
        record.head_epochs = self.training.head_epochs
        record.seconds = self._spent_before + time.monotonic() - self._started
        score = self.objective.get_value(metrics)
        if epoch == 0:
            record.head_score = score
        if math.isfinite(score) and (record.score is None or self.objective.better_than(score, record.score)):
            record.score = score
            record.best_epoch = epoch
            record.metrics = dict(metrics)
            folds = metrics.folds if isinstance(metrics, Metrics) else ()
            record.fold_scores = [self.objective.get_value(fold) for fold in folds]
            self.files.write_best(record, self._finite_weights())
        # Before the state that says that the epoch is over: after a kill they may be told of it again, but always once.
        self.report.on_epoch_end(record, epoch, metrics)
        self.files.write_last(record, self.training.state())
        return is_done(record, self.patience)

    def _finite_weights(self) -> Arrays:
        """The model's weights; raises if some are not finite, which a layer such as ReLU can hide from every score."""
        weights = self.training.weights()
        if not is_finite(weights):
            raise FailedTrialError(f"weights of the model are not finite after epoch {self.record.epochs}: it diverged")
        return weights


def is_done(record: TrialRecord, patience: int | None) -> bool:
    """Whether a trial has reached its epochs, or its patience has run out."""
    idle = record.epochs - (record.best_epoch or record.initial_epoch)
    return record.epochs >= record.target_epochs or (patience is not None and idle >= patience)
