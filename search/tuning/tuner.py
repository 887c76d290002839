"""Runs the trials that an oracle proposes, whatever the oracle and the HyperModel are."""

from __future__ import annotations

import gc
import io
import logging
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stdout
from functools import cache, cached_property, partial
from pathlib import Path
from typing import Any

import keras
import keras_tuner
import tensorflow as tf
from keras_tuner.engine.metrics_tracking import infer_metric_direction
from keras_tuner.engine.trial import TrialStatus

from search.errors import InputError, MachineFault
from search.models.weights import assign, model_weights
from search.training.base import Trainable, Training
from search.training.keras_training import KerasTraining, build_from_shapes
from search.training.seeds import ACCUMULATE, HEAD_EPOCHS, hyperparameter_values, trial_seed
from search.tuning.distribution import refuse_workers
from search.tuning.epoch_recorder import TrialFollower, is_done, weights_of
from search.tuning.oracles.base import ResumableOracle
from search.tuning.record import TrialObserver, TrialRecord, ranked
from search.tuning.trial_files import TrialFiles
from search.utils.checked import damaged
from search.utils.checkpoint import Arrays, is_whole, load, read_notes
from search.utils.faults import is_out_of_memory, machine_fault
from search.utils.interrupts import noted_interrupts
from search.utils.memory import released_graphs

log = logging.getLogger(__name__)

_POLL_SECONDS = 1.0
# Of an error as a table shows it; the whole stands in the trial's record and in the log.
_ERROR_LENGTH = 300


@cache
def _direction(metric: str) -> str:
    """What KerasTuner takes for better by the metric's name; it makes a Keras metric each time to find out."""
    return infer_metric_direction(metric) or "min"


class Tuner(keras_tuner.Tuner):
    """A KerasTuner tuner whose trials are seeded by what they are, and continued where they stopped.

    Where KerasTuner restarts a promoted trial from its parent's best epoch with a fresh optimizer, this one goes on
    from the parent's last epoch with the optimizer's slots and step. A trial that fails is recorded with its error and
    does not end the search; a fault of the machine or of the data is not the trial's, and does. A search that was
    killed goes on when a tuner is made again on the same folder: trials that had ended are told to the oracle again, in
    their order, and the one that was running goes on from its last epoch.

    Args:
        oracle: Proposes the trials; its objective ranks them.
        hypermodel: Builds and fits a model from hyperparameters.
        seed: Seed of the search; each trial's own follows from it and from the trial's hyperparameters. None: the
            oracle's.
        max_epochs: Epochs of a trial for oracles that do not set them (all but Hyperband).
        patience: Epochs without a better objective after which a trial stops; None: never.
        max_total_epochs: No trial is started once all together have trained so many epochs; None: no limit.
        max_parameters: A model with more weights fails its trial before it is trained, or after the first epoch where
            the first batch builds it; None: no limit.
        keep: Which checkpoints stay: `all`; `promotable`, those that another trial may go on with and the best trial's;
            `best`, in the end the best trial's alone.
        may_start: Asked before each trial with its planned epochs; where it answers no, the search ends.
        observers: Are told of every trial and epoch.
        **settings: As for `keras_tuner.Tuner`: directory, project_name, overwrite, max_model_size and others.

    Attributes:
        records: Trial id to what is known of it, in the order in which trials began.

    Raises:
        InputError: The folder holds the trials of a search with other settings, or a damaged file.
    """

    def __init__(
        self,
        oracle: keras_tuner.Oracle,
        hypermodel: keras_tuner.HyperModel,
        *,
        seed: int | None = None,
        max_epochs: int = 1,
        patience: int | None = None,
        max_total_epochs: int | None = None,
        max_parameters: int | None = None,
        keep: str = "all",
        may_start: Callable[[int], bool] = lambda epochs: True,
        observers: Sequence[TrialObserver] = (),
        **settings: Any,
    ) -> None:
        self._takes_oracles_seed = seed is None
        refuse_workers()
        self.seed = oracle.seed if seed is None else seed
        self.max_epochs = max_epochs
        self.patience = patience
        self.max_total_epochs = max_total_epochs
        self.max_parameters = max_parameters
        self.keep = keep
        self.may_start = may_start
        self.observers = list(observers)
        self.records: dict[str, TrialRecord] = {}
        self._interrupted: Callable[[], bool] = lambda: False
        if isinstance(oracle, ResumableOracle):
            oracle.saves_each_step = False
        # KerasTuner announces a reload by print.
        with redirect_stdout(io.StringIO()):
            super().__init__(oracle, hypermodel, **settings)
        if not self.records and self.files.records():
            # KerasTuner does so itself, but for a search that was killed before it wrote a file of its own.
            self.reload()

    def search(self, *fit_args: Any, **fit_kwargs: Any) -> None:
        """Runs trials until the oracle or a budget ends the search.

        Args:
            *fit_args: Passed on to `HyperModel.fit`.
            **fit_kwargs: Passed on to `HyperModel.fit`; `verbose=0` silences KerasTuner's own display too.

        Raises:
            MachineFault: A disk, a permission, the network or the memory of the machine failed a trial. It is not
                recorded: a search that is started again on the same folder goes on with it.
            InputError: What all trials are given cannot be used.
        """
        self.oracle.verbose = fit_kwargs.get("verbose", "auto")
        # KerasTuner collects garbage before every trial; what is alive now need not be searched through each time.
        gc.freeze()
        try:
            with noted_interrupts() as self._interrupted:
                self._search(*fit_args, **fit_kwargs)
        finally:
            if isinstance(self.oracle, ResumableOracle):
                self.oracle.write_state()

    def _search(self, *fit_args: Any, **fit_kwargs: Any) -> None:
        self.on_search_begin()
        if isinstance(self.oracle, ResumableOracle):
            self.oracle.write_state()  # a seed that was drawn is known from here on
        ended = False
        while not self._spent():
            trial = self.oracle.create_trial(self.tuner_id)
            if trial.status == TrialStatus.STOPPED:
                ended = True
                break
            if trial.status == TrialStatus.IDLE:
                time.sleep(_POLL_SECONDS)  # trials of other workers decide what comes next
                continue
            if not self.may_start(self._target_epochs(trial) - self._initial_epoch(trial)):
                break
            self.on_trial_begin(trial)
            self._try_run_and_update_trial(trial, *fit_args, **fit_kwargs)
            self.on_trial_end(trial)
        if self.keep != "all":
            # A search that a budget ended may yet be given more.
            self._remove_checkpoints(set() if self.keep == "best" and ended else self._promotable())
        self.on_search_end()

    @cached_property
    def files(self) -> TrialFiles:
        """The files of the trials."""
        return TrialFiles(Path(self.project_dir))

    def reload(self) -> None:
        """Goes on with the search in the project's folder: KerasTuner calls it where there is one.

        Raises:
            InputError: A file is damaged, or the search there was begun with other settings.
        """
        if self.records:  # it was reloaded when it was made
            return
        self._populate_initial_space()
        self.oracle.verbose = 0
        if isinstance(self.oracle, ResumableOracle):
            self.oracle.take_drawn_seed()
        if self._takes_oracles_seed:
            self.seed = self.oracle.seed
        self.files.remove_unfinished()
        for record in self.files.records():
            self._replay(record)

    def _replay(self, record: TrialRecord) -> None:
        """Tells the oracle of a trial that had ended; what it proposes next follows from all that it was told."""
        trial = self.oracle.create_trial(self.tuner_id)
        values = trial.hyperparameters.values if trial.status == TrialStatus.RUNNING else {}
        planned = (trial.trial_id, hyperparameter_values(values), values.get("tuner/epochs", self.max_epochs))
        if planned != (record.trial_id, record.values, record.target_epochs):
            raise InputError(
                f"{self.project_dir} holds a search with other settings: it tried {record.values} for "
                f"{record.target_epochs} epochs as trial {record.trial_id}, this one would try {planned[1]} for "
                f"{planned[2]}. Choose another folder, or the settings of then."
            )
        try:
            trial.hyperparameters = keras_tuner.HyperParameters.from_config(record.space)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise damaged(self.files.record(record.trial_id), f"'space': {error!r}") from error
        self.records[record.trial_id] = record
        for observer in self.observers:
            observer.on_trial_resumed(record)
        self._report(trial)
        self.oracle.end_trial(trial)

    def on_trial_begin(self, trial: Any) -> None:
        """Opens the trial's record, or the one that an interrupted run of it left."""
        record = self._fresh_record(trial)
        left = self.files.interrupted(trial.trial_id)
        if left is not None and (left.values, left.target_epochs) == (record.values, record.target_epochs):
            record = left
            if left.accumulate > 1:
                trial.hyperparameters.values[ACCUMULATE] = left.accumulate
            if left.head_epochs is not None:
                trial.hyperparameters.values[HEAD_EPOCHS] = left.head_epochs
        self.records[trial.trial_id] = record
        for observer in self.observers:
            observer.on_trial_begin(record)

    def _fresh_record(self, trial: Any) -> TrialRecord:
        values = trial.hyperparameters.values
        return TrialRecord(
            trial_id=trial.trial_id,
            values=hyperparameter_values(values),
            bracket=values.get("tuner/bracket"),
            round=values.get("tuner/round"),
            parent=values.get("tuner/trial_id"),
            initial_epoch=self._initial_epoch(trial),
            target_epochs=self._target_epochs(trial),
            epochs=self._initial_epoch(trial),
            accumulate=values.get(ACCUMULATE, 1),
            head_epochs=values.get(HEAD_EPOCHS),
        )

    def _try_run_and_update_trial(self, trial: Any, *fit_args: Any, **fit_kwargs: Any) -> None:
        try:
            with released_graphs():
                try:
                    self.run_trial(trial, *fit_args, **fit_kwargs)
                except (MemoryError, tf.errors.ResourceExhaustedError) as error:
                    if not is_out_of_memory(error) or not self._cut_batches(trial):
                        raise
                    self.run_trial(trial, *fit_args, **fit_kwargs)
            if self._interrupted():
                raise KeyboardInterrupt
            self.records[trial.trial_id].status = TrialStatus.COMPLETED
        except keras_tuner.errors.FatalError:
            raise
        except Exception as error:
            if self._interrupted():
                raise KeyboardInterrupt from error
            self._raise_what_is_not_of(trial, error)
            record = self.records[trial.trial_id]
            record.status = TrialStatus.FAILED
            record.score = record.best_epoch = None
            record.error = f"{type(error).__name__}: {' '.join(str(error).split())}"[:_ERROR_LENGTH]
            record.traceback = traceback.format_exc()
            log.warning("Trial %s failed: %s\n%s", trial.trial_id, record.error, record.traceback)
        record = self.records[trial.trial_id]
        record.space = trial.hyperparameters.get_config()
        record.write(self.files.record(trial.trial_id))
        self._report(trial)

    def _raise_what_is_not_of(self, trial: Any, error: Exception) -> None:
        """Ends the search over an error that says nothing of the trial, which is then as if it had been interrupted."""
        reason = machine_fault(error)
        if reason is not None:
            log.error("Trial %s ends with a fault of the machine", trial.trial_id, exc_info=error)
            raise MachineFault(f"trial {trial.trial_id} could not be run ({reason}), which is not its fault") from error
        if isinstance(error, InputError | BrokenPipeError):
            raise error

    def _report(self, trial: Any) -> None:
        """Passes an ended trial's result to KerasTuner."""
        record = self.records[trial.trial_id]
        trial.status, trial.message = record.status, record.traceback
        if record.status == TrialStatus.COMPLETED:
            for name in record.metrics:
                if name != self.oracle.objective.name and not trial.metrics.exists(name):
                    trial.metrics.register(name, _direction(name))
            self.oracle.update_trial(trial.trial_id, record.metrics, step=record.best_epoch)

    def run_trial(self, trial: Any, *fit_args: Any, **fit_kwargs: Any) -> None:
        """Trains a trial from where it, or its parent, stopped to its own last epoch.

        Args:
            trial: The trial; its record is open, and filled by this.
            *fit_args: Passed on to `HyperModel.fit`.
            **fit_kwargs: Passed on to `HyperModel.fit`.

        Raises:
            keras_tuner.errors.FailedTrialError: The objective was never a finite number, or the model is too large.
        """
        record = self.records[trial.trial_id]
        own, best = self.files.last(trial.trial_id), self.files.best(trial.trial_id)
        if not is_done(record, self.patience):
            training = self._training(trial, *fit_args, **fit_kwargs)
            self._admit(training, record)
            if own.exists():
                _set_state(training, own, record)
            elif record.parent is not None:
                self._go_on_from_parent(training, record)
            follower = TrialFollower(
                record,
                training,
                self.oracle.objective,
                best,
                own,
                self.patience,
                self._interrupted,
                self.observers,
                trial.hyperparameters.values,
            )

            def on_epoch_end(epoch: int, metrics: Mapping[str, float]) -> bool:
                if isinstance(training, KerasTraining) and training.is_built_late:
                    record.build = training.model.get_build_config()
                    self._admit(training, record)
                return follower.on_epoch_end(epoch, metrics)

            training.run(range(record.epochs, record.target_epochs), on_epoch_end)
        if not record.metrics:
            raise keras_tuner.errors.FailedTrialError(f"{self.oracle.objective.name} was never a finite number")

    def _admit(self, training: Training, record: TrialRecord) -> None:
        """Notes the size of a model, and fails the trial if that is too large."""
        record.parameters = training.parameters
        if self.max_parameters is not None and record.parameters > self.max_parameters:
            raise keras_tuner.errors.FailedTrialError(
                f"The model has {record.parameters:,} parameters, more than max_parameters={self.max_parameters:,}"
            )

    def _go_on_from_parent(self, training: Training, record: TrialRecord) -> None:
        """Brings a promoted trial to where its parent stopped; where that was lost, by the same training again."""
        parent = self.files.last(record.parent or "")
        if is_whole(parent):
            _set_state(training, parent, self.records[record.parent or ""])
        else:
            log.warning("%s is damaged or gone: its %s epochs are trained again", parent, record.initial_epoch)
            training.run(range(record.initial_epoch), lambda *_: False)

    def _training(self, trial: Any, *fit_args: Any, **fit_kwargs: Any) -> Training:
        """The trial's model in training: the HyperModel's own where it makes one, else by its `fit`."""
        hp = trial.hyperparameters
        callbacks = self._deepcopy_callbacks(fit_kwargs.pop("callbacks", []))
        self._configure_tensorboard_dir(callbacks, trial)
        settings = {"verbose": 0, **fit_kwargs}
        if isinstance(self.hypermodel, Trainable):
            return self.hypermodel.training(hp, *fit_args, callbacks=callbacks, **settings)
        model = self._try_build(hp)
        return KerasTraining(model, partial(self.hypermodel.fit, hp, model, *fit_args, **settings), callbacks)

    def _cut_batches(self, trial: Any) -> bool:
        """Halves the batches of a trial that ran out of memory, once; its steps stay the same, since two make one.

        Returns:
            Whether there is a second try: the HyperModel says by `accumulates_gradients` that it can do so.
        """
        values = trial.hyperparameters.values
        if not getattr(self.hypermodel, "accumulates_gradients", False) or ACCUMULATE in values:
            return False
        log.warning("Trial %s ran out of memory: it is tried again with half the batch", trial.trial_id)
        values[ACCUMULATE] = 2
        self.files.last(trial.trial_id).unlink(missing_ok=True)
        record = self.records[trial.trial_id] = self._fresh_record(trial)
        for observer in self.observers:  # of what they were told of the first try nothing holds
            observer.on_trial_begin(record)
        return True

    def on_trial_end(self, trial: Any) -> None:
        """Tells the oracle and the observers, and removes the checkpoints that nothing can ask for again."""
        super().on_trial_end(trial)
        if self.keep != "all":
            self._remove_checkpoints(self._promotable())
        for observer in self.observers:
            observer.on_trial_end(self.records[trial.trial_id])

    def ranking(self) -> list[TrialRecord]:
        """The completed trials, the best first, of equals the earlier one."""
        return ranked(self.records.values(), self.oracle.objective.direction)

    def load_model(self, trial: Any) -> keras.Model:
        """Builds a trial's model with the weights of its best epoch.

        Raises:
            InputError: They are damaged, or were not kept.
        """
        weights = self.best_weights(trial)
        model = self._try_build(trial.hyperparameters)
        build_from_shapes(model, self.records[trial.trial_id].build)
        assign(model_weights(model), weights)
        return model

    def best_weights(self, trial: Any) -> Arrays:
        """The weights of a trial's best epoch, as its training gave them.

        Raises:
            InputError: They are damaged, or were not kept.
        """
        path = self.files.best(trial.trial_id)
        # Earlier versions did not note whose they are.
        if not is_whole(path) or read_notes(path) not in ({}, weights_of(self.records[trial.trial_id])):
            raise InputError(
                f"{path} is damaged or was not kept (tuner.keep={self.keep}): take it back from a copy, or start a new "
                "run."
            )
        return load(path)

    def _populate_initial_space(self) -> None:
        declares = getattr(type(self.hypermodel), "declare_hyperparameters", None)
        if declares in (None, keras_tuner.HyperModel.declare_hyperparameters):
            super()._populate_initial_space()  # it builds models to see what they ask for
        else:
            hp = self.oracle.get_space()
            self.hypermodel.declare_hyperparameters(hp)
            self.oracle.update_space(hp)

    def _try_build(self, hp: Any) -> keras.Model:
        # KerasTuner clears Keras's session before it builds, and mixed precision with it.
        self._policy = keras.config.dtype_policy()
        return super()._try_build(hp)

    def _build_hypermodel(self, hp: Any) -> keras.Model:
        keras.config.set_dtype_policy(self._policy)
        keras.utils.set_random_seed(trial_seed(self.seed, hp.values))
        return super()._build_hypermodel(hp)

    def _spent(self) -> bool:
        trained = sum(record.epochs - record.initial_epoch for record in self.records.values())
        return self.max_total_epochs is not None and trained >= self.max_total_epochs

    def _initial_epoch(self, trial: Any) -> int:
        return int(trial.hyperparameters.values.get("tuner/initial_epoch", 0))

    def _target_epochs(self, trial: Any) -> int:
        return int(trial.hyperparameters.values.get("tuner/epochs", self.max_epochs))

    def _promotable(self) -> set[str]:
        """The trials whose training another may yet go on with."""
        promotable: set[str] = getattr(self.oracle, "promotable", set)()
        return promotable

    def _remove_checkpoints(self, promotable: set[str]) -> None:
        self.files.remove_checkpoints(self.records.values(), next(iter(self.ranking()), None), promotable)


def _set_state(training: Training, path: Path, record: TrialRecord) -> None:
    """Makes a model that is as it was made go on from the state that the trial of a record left."""
    if isinstance(training, KerasTraining):
        build_from_shapes(training.model, record.build)
    training.set_state(load(path))
