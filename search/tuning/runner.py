"""Runs one trial, from where it or its parent stopped to its own last epoch, in this process or another."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import keras
import keras_tuner
import tensorflow as tf
from keras_tuner.errors import FailedTrialError, FatalError

from search.errors import InputError, MachineFault
from search.training.base import Trainable, Training
from search.training.keras_training import KerasTraining, build_from_shapes
from search.tuning.epoch_recorder import EpochRecorder, is_done
from search.tuning.record import TrialRecord, TrialReport
from search.tuning.trial import TrialConstraint, TrialSpec
from search.tuning.trial_files import TrialFiles
from search.utils.checkpoint import is_whole, load, read_notes
from search.utils.faults import is_out_of_memory, machine_fault
from search.utils.interrupts import noted_interrupts
from search.utils.memory import released_graphs

log = logging.getLogger(__name__)

# Of an error as a table shows it; the whole stands in the trial's record and in the log.
_ERROR_LENGTH = 300


def _no_callbacks(spec: TrialSpec) -> list[keras.callbacks.Callback]:
    return []


@dataclass
class TrialRunner:
    """Trains trials; it can be pickled where its HyperModel and data can, and touches no file but the trials' own.

    Attributes:
        hypermodel: Builds and fits a model from hyperparameters.
        build: Makes a compiled model with the weights that follow from the trial's seed; of a HyperModel that makes
            its trainings itself (`Trainable`) it is not asked for one.
        files: The folders of the trials.
        objective: KerasTuner's: which metric a trial is scored by, and its direction.
        patience: Epochs without a better objective after which a trial stops; None: never.
        max_parameters: A model with more weights fails its trial before it is trained, or after the first epoch where
            the first batch builds it; None: no limit.
        constraints: Fail a trial before its model is made.
        fit_args: What `HyperModel.fit`, or `Trainable.training`, is given.
        fit_kwargs: The same, by name.
        callbacks: Makes the Keras callbacks of a trial.
    """

    hypermodel: keras_tuner.HyperModel
    build: Callable[[keras_tuner.HyperParameters], keras.Model]
    files: TrialFiles
    objective: Any
    patience: int | None = None
    max_parameters: int | None = None
    constraints: Sequence[TrialConstraint] = ()
    fit_args: Sequence[Any] = ()
    fit_kwargs: Mapping[str, Any] = field(default_factory=dict)
    callbacks: Callable[[TrialSpec], Sequence[keras.callbacks.Callback]] = _no_callbacks

    def keep_files_in(self, folder: Path, changed: Callable[[Path], None]) -> None:
        """Takes another folder for the files of trials, as on another machine; arguments as for `TrialFiles`."""
        self.files = TrialFiles(folder, changed)

    def run(self, spec: TrialSpec, report: TrialReport) -> TrialRecord:
        """Trains a trial, or goes on with the one of the same values that was interrupted.

        Args:
            spec: The trial.
            report: Is shown its beginning, a second one where it ran out of memory, and each epoch.

        Returns:
            Its result, completed or failed.

        Raises:
            MachineFault: The machine failed, which says nothing of the trial.
            InputError: What all trials are given cannot be used.
            KeyboardInterrupt: The process was asked to end.
        """
        with noted_interrupts() as interrupted:
            return _TrialRun(self, spec, report, interrupted).ended()


class _TrialRun:
    """One run of one trial."""

    def __init__(
        self, runner: TrialRunner, spec: TrialSpec, report: TrialReport, interrupted: Callable[[], bool]
    ) -> None:
        self.runner = runner
        self.spec = spec
        self.report = report
        self.interrupted = interrupted
        record = spec.record()
        left = runner.files.interrupted(spec.trial_id)
        if left is not None and (left.values, left.target_epochs) == (record.values, record.target_epochs):
            record = left
        self._begin(record)

    def _begin(self, record: TrialRecord) -> None:
        record.note_backbone(self.runner.hypermodel)
        self.record = record
        self.hp = self.spec.hyperparameters()
        self.report.on_trial_begin(record)

    def ended(self) -> TrialRecord:
        """Trains, and notes how it ended."""
        try:
            with released_graphs():
                try:
                    self._train()
                except (MemoryError, tf.errors.ResourceExhaustedError) as error:
                    if not is_out_of_memory(error) or not self._cut_batches():
                        raise
                    self._train()
            if self.interrupted():
                raise KeyboardInterrupt
            self.record.status = "COMPLETED"
        except FatalError:
            raise
        except Exception as error:
            if self.interrupted():
                raise KeyboardInterrupt from error
            self._raise_what_is_not_its_own(error)
            self._fail(error)
        self.record.space = self.hp.get_config()
        return self.record

    def _fail(self, error: Exception) -> None:
        record = self.record
        record.status = "FAILED"
        record.score = record.best_epoch = None
        record.error = f"{type(error).__name__}: {' '.join(str(error).split())}"[:_ERROR_LENGTH]
        record.traceback = traceback.format_exc()
        log.warning("Trial %s failed: %s\n%s", record.trial_id, record.error, record.traceback)

    def _raise_what_is_not_its_own(self, error: Exception) -> None:
        """Ends the search over an error that says nothing of the trial, which is then as if it had been interrupted."""
        trial_id, reason = self.spec.trial_id, machine_fault(error)
        if reason is not None:
            log.error("Trial %s ends with a fault of the machine", trial_id, exc_info=error)
            raise MachineFault(f"trial {trial_id} could not be run ({reason}), which is not its fault") from error
        if isinstance(error, InputError | BrokenPipeError):
            raise error

    def _train(self) -> None:
        """Trains up to the last epoch; the record is filled on the way.

        Raises:
            FailedTrialError: The objective was never a finite number, or the model is too large.
        """
        record, runner = self.record, self.runner
        last = runner.files.last(record.trial_id)
        if not is_done(record, runner.patience):
            training = self._training()
            self._admit(training)
            if last.exists():
                _set_state(training, last)
            elif record.parent is not None:
                self._go_on_from_parent(training, record.parent)
            recorder = EpochRecorder(
                record, training, runner.objective, runner.files, runner.patience, self.interrupted, self.report
            )

            def on_epoch_end(epoch: int, metrics: Mapping[str, float]) -> bool:
                if isinstance(training, KerasTraining) and training.is_built_late:
                    record.build = training.model.get_build_config()
                    self._admit(training)
                return recorder.on_epoch_end(epoch, metrics)

            training.run(range(record.epochs, record.target_epochs), on_epoch_end)
        if not record.metrics:
            raise FailedTrialError(f"{runner.objective.name} was never a finite number")

    def _admit(self, training: Training) -> None:
        """Notes the size of a model, and fails the trial if that is too large."""
        size, limit = training.parameters, self.runner.max_parameters
        self.record.parameters = size
        if limit is not None and size > limit:
            raise FailedTrialError(f"The model has {size:,} parameters, more than max_parameters={limit:,}")

    def _go_on_from_parent(self, training: Training, parent: str) -> None:
        """Brings a promoted trial to where its parent stopped; where that was lost, by the same training again."""
        last = self.runner.files.last(parent)
        if is_whole(last):
            _set_state(training, last)
        else:
            log.warning("%s is damaged or gone: its %s epochs are trained again", last, self.record.initial_epoch)
            training.run(range(self.record.initial_epoch), lambda *_: False)

    def _training(self) -> Training:
        """The trial's model in training: the HyperModel's own where it makes one, else by its `fit`."""
        runner, hp = self.runner, self.hp
        for constraint in runner.constraints:
            constraint(hp)
        callbacks, settings = runner.callbacks(self.spec), {"verbose": 0, **runner.fit_kwargs}
        if isinstance(runner.hypermodel, Trainable):
            state = self.record.state
            return runner.hypermodel.training(hp, *runner.fit_args, state=state, callbacks=callbacks, **settings)
        model = runner.build(hp)
        return KerasTraining(model, partial(runner.hypermodel.fit, hp, model, *runner.fit_args, **settings), callbacks)

    def _cut_batches(self) -> bool:
        """Halves the batches of a trial that ran out of memory, once; its steps stay the same, since two make one.

        Returns:
            Whether there is a second try: `fit` of a HyperModel that is not `Trainable` knows nothing of halves.
        """
        if not isinstance(self.runner.hypermodel, Trainable) or self.record.accumulate > 1:
            return False
        log.warning("Trial %s ran out of memory: it is tried again with half the batch", self.spec.trial_id)
        self.runner.files.remove_last(self.spec.trial_id)
        state = replace(self.record.state, accumulate=2)
        self._begin(replace(self.spec, state=state).record())  # of what was reported of the first try nothing holds
        return True


def _set_state(training: Training, path: Path) -> None:
    """Makes a model that is as it was made go on from a state, whose notes are the record of the trial that left it."""
    if isinstance(training, KerasTraining):
        build_from_shapes(training.model, read_notes(path).get("build"))
    training.set_state(load(path))
