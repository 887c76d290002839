"""Follows the training of a trial epoch by epoch: what it was best at, and what it takes to go on."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import keras

from search.tuning.checkpoint import save_state, save_weights
from search.tuning.record import TrialObserver, TrialRecord


class TrialFollower(keras.callbacks.Callback):
    """Keeps a trial's record, its best weights and its last state up to date, and passes every epoch on.

    Args:
        record: The trial's record, which it fills.
        objective: KerasTuner's objective.
        best: File for the weights of the best epoch.
        last: File for the state after the last epoch, with the record as its notes.
        patience: Epochs without a better objective after which training stops; None: never.
        observers: Are told of every epoch.
    """

    def __init__(
        self,
        record: TrialRecord,
        objective: Any,
        best: Path,
        last: Path,
        patience: int | None,
        observers: Sequence[TrialObserver],
    ) -> None:
        super().__init__()
        self.record = record
        self.objective = objective
        self.best = best
        self.last = last
        self.patience = patience
        self.observers = observers
        self._spent_before = record.seconds
        self._started = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        """Records the epoch. The best weights are written before the state that says they are."""
        metrics = {name: float(value) for name, value in (logs or {}).items()}
        record = self.record
        record.epochs = epoch + 1
        record.seconds = self._spent_before + time.monotonic() - self._started
        score = self.objective.get_value(metrics)
        if math.isfinite(score) and (record.score is None or self.objective.better_than(score, record.score)):
            record.score = score
            record.best_epoch = epoch + 1
            record.metrics = metrics
            save_weights(self.best, self.model)
        save_state(self.last, self.model, asdict(record))
        for observer in self.observers:
            observer.on_epoch_end(record, epoch + 1, metrics)
        self.model.stop_training = self.is_done()

    def is_done(self) -> bool:
        """Whether the trial has had its epochs, or has gone on for too long without getting better."""
        record = self.record
        idle = record.epochs - (record.best_epoch or record.initial_epoch)
        return record.epochs >= record.target_epochs or (self.patience is not None and idle >= self.patience)
