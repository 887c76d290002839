"""Runs the trials that an oracle proposes, whatever the oracle and the HyperModel are."""

from __future__ import annotations

import gc
import logging
import math
import time
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import keras_tuner
from keras_tuner.engine import trial as trial_module

from search.files import is_refused
from search.tuning.checkpoint import restore_state, restore_weights, save_state, save_weights
from search.tuning.memory import released_graphs
from search.tuning.record import TrialObserver, TrialRecord
from search.tuning.seeds import hyperparameter_values, trial_seed

log = logging.getLogger(__name__)


class Tuner(keras_tuner.Tuner):
    """A KerasTuner tuner whose trials are seeded by what they are, and continued where they stopped.

    Where KerasTuner restarts a promoted trial from its parent's best epoch with a fresh optimizer, this one goes on
    from the parent's last epoch with the optimizer's slots and step. A trial that fails is recorded with its error and
    does not end the search.

    Args:
        oracle: Proposes the trials; its objective ranks them.
        hypermodel: Builds and fits a model from hyperparameters.
        seed: Seed of the search; each trial's own follows from it and from the trial's hyperparameters.
        max_epochs: Epochs of a trial for oracles that do not set them (all but Hyperband).
        patience: Epochs without a better objective after which a trial stops; None: never.
        max_total_epochs: No trial is started once all together have trained so many epochs; None: no limit.
        observers: Are told of every trial and epoch.
        directory: Folder in which the project's folder is made.
        project_name: Name of the project's folder.

    Attributes:
        records: Trial id to what is known of it, in the order in which trials began.
    """

    def __init__(
        self,
        oracle: keras_tuner.Oracle,
        hypermodel: keras_tuner.HyperModel,
        *,
        seed: int,
        max_epochs: int,
        patience: int | None = None,
        max_total_epochs: int | None = None,
        observers: Sequence[TrialObserver] = (),
        directory: str | Path = ".",
        project_name: str = "trials",
    ) -> None:
        self.seed = seed
        self.max_epochs = max_epochs
        self.patience = patience
        self.max_total_epochs = max_total_epochs
        self.observers = list(observers)
        self.records: dict[str, TrialRecord] = {}
        oracle.verbose = 0
        super().__init__(oracle, hypermodel, directory=str(directory), project_name=project_name)

    def search(self, *fit_args: Any, **fit_kwargs: Any) -> None:
        """Runs trials until the oracle or the budget ends the search.

        Args:
            *fit_args: Passed on to `HyperModel.fit`.
            **fit_kwargs: Passed on to `HyperModel.fit`.
        """
        # KerasTuner collects garbage before every trial; what is alive now need not be searched through each time.
        gc.freeze()
        while not self._spent():
            trial = self.oracle.create_trial(self.tuner_id)
            if trial.status == trial_module.TrialStatus.STOPPED:
                break
            self.on_trial_begin(trial)
            self._try_run_and_update_trial(trial, *fit_args, **fit_kwargs)
            self.on_trial_end(trial)

    def _spent(self) -> bool:
        trained = sum(record.epochs - record.initial_epoch for record in self.records.values())
        return self.max_total_epochs is not None and trained >= self.max_total_epochs

    def on_trial_begin(self, trial: Any) -> None:
        """Opens the trial's record."""
        values = trial.hyperparameters.values
        record = TrialRecord(
            trial_id=trial.trial_id,
            values=hyperparameter_values(values),
            bracket=values.get("tuner/bracket"),
            round=values.get("tuner/round"),
            parent=values.get("tuner/trial_id"),
            initial_epoch=values.get("tuner/initial_epoch", 0),
            target_epochs=values.get("tuner/epochs", self.max_epochs),
            epochs=values.get("tuner/initial_epoch", 0),
        )
        self.records[trial.trial_id] = record
        for observer in self.observers:
            observer.on_trial_begin(record)

    def _try_run_and_update_trial(self, trial: Any, *fit_args: Any, **fit_kwargs: Any) -> None:
        record = self.records[trial.trial_id]
        started = time.monotonic()
        try:
            with released_graphs():
                metrics = self.run_trial(trial, *fit_args, **fit_kwargs)
            self.oracle.update_trial(trial.trial_id, metrics, step=record.best_epoch)
            trial.status = trial_module.TrialStatus.COMPLETED
        except keras_tuner.errors.FatalError:
            raise
        except Exception as error:
            if is_refused(error):
                # A full disk is no property of this trial: the next one would fail too.
                raise
            trial.status = trial_module.TrialStatus.FAILED
            trial.message = traceback.format_exc()
            record.error = f"{type(error).__name__}: {error}"
            log.warning("Trial %s failed: %s", trial.trial_id, record.error)
            log.debug("%s", trial.message)
        record.seconds = time.monotonic() - started

    def run_trial(self, trial: Any, *fit_args: Any, **fit_kwargs: Any) -> dict[str, float]:
        """Trains a trial from its first or its parent's last epoch to its own last one.

        Args:
            trial: The trial; its record must be open.
            *fit_args: Passed on to `HyperModel.fit`.
            **fit_kwargs: Passed on to `HyperModel.fit`.

        Returns:
            Every logged metric at the epoch that was best by the objective.

        Raises:
            keras_tuner.errors.FailedTrialError: The objective was never a finite number.
        """
        record = self.records[trial.trial_id]
        hp = trial.hyperparameters
        model = self._try_build(hp)
        record.parameters = model.count_params()
        if record.parent is not None:
            restore_state(self._checkpoint(record.parent, "last"), model)
        follower = _TrialCallback(
            record, self.oracle.objective, self._checkpoint(trial.trial_id, "best"), self.observers
        )
        callbacks: list[keras.callbacks.Callback] = [follower]
        if self.patience is not None:
            objective = self.oracle.objective
            callbacks.append(
                keras.callbacks.EarlyStopping(objective.name, patience=self.patience, mode=objective.direction)
            )
        self.hypermodel.fit(
            hp,
            model,
            *fit_args,
            initial_epoch=record.initial_epoch,
            epochs=record.target_epochs,
            callbacks=callbacks,
            verbose=0,
            **fit_kwargs,
        )
        if not record.metrics:
            raise keras_tuner.errors.FailedTrialError(f"{self.oracle.objective.name} was never a finite number")
        if record.target_epochs < self.max_epochs:
            save_state(self._checkpoint(trial.trial_id, "last"), model)
        return record.metrics

    def on_trial_end(self, trial: Any) -> None:
        """Closes the record, tells the observers and removes the checkpoints that nothing can ask for again."""
        super().on_trial_end(trial)
        record = self.records[trial.trial_id]
        record.status = trial.status
        record.write(Path(self.get_trial_dir(trial.trial_id)))
        self._remove_checkpoints()
        for observer in self.observers:
            observer.on_trial_end(record)

    def best_record(self) -> TrialRecord | None:
        """The completed trial with the best score, the earlier of equals; None if no trial completed."""
        completed = [record for record in self.records.values() if record.status == trial_module.TrialStatus.COMPLETED]
        sign = 1 if self.oracle.objective.direction == "max" else -1
        return max(completed, key=lambda record: sign * (record.score or 0.0), default=None)

    def load_model(self, trial: Any) -> keras.Model:
        """Builds a trial's model with the weights of its best epoch; they are kept for the best trial alone."""
        model = self._try_build(trial.hyperparameters)
        restore_weights(self._checkpoint(trial.trial_id, "best"), model)
        return model

    def _build_hypermodel(self, hp: Any) -> keras.Model:
        keras.utils.set_random_seed(trial_seed(self.seed, hp.values))
        return super()._build_hypermodel(hp)

    def _checkpoint(self, trial_id: str, which: str) -> Path:
        return Path(self.get_trial_dir(trial_id)) / f"{which}.npz"

    def _remove_checkpoints(self) -> None:
        """Keeps the best weights of the best trial, and the last state of the trials that may still be promoted."""
        best = self.best_record()
        promoted = {record.parent for record in self.records.values()}
        for record in self.records.values():
            if record is not best:
                self._checkpoint(record.trial_id, "best").unlink(missing_ok=True)
            if record.trial_id in promoted:
                self._checkpoint(record.trial_id, "last").unlink(missing_ok=True)


class _TrialCallback(keras.callbacks.Callback):
    """Keeps the best epoch of a trial, in its record and as weights on disk, and passes every epoch on."""

    def __init__(
        self, record: TrialRecord, objective: Any, checkpoint: Path, observers: Sequence[TrialObserver]
    ) -> None:
        super().__init__()
        self.record = record
        self.objective = objective
        self.checkpoint = checkpoint
        self.observers = observers

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        metrics = {name: float(value) for name, value in (logs or {}).items()}
        self.record.epochs = epoch + 1
        score = self.objective.get_value(metrics)
        if math.isfinite(score) and (self.record.score is None or self.objective.better_than(score, self.record.score)):
            self.record.score = score
            self.record.best_epoch = epoch + 1
            self.record.metrics = metrics
            save_weights(self.checkpoint, self.model)
        for observer in self.observers:
            observer.on_epoch_end(self.record, epoch + 1, metrics)
