"""A KerasTuner tuner that runs the trials of any oracle with any HyperModel."""

from __future__ import annotations

import gc
import io
from collections.abc import Callable, Sequence
from contextlib import closing, redirect_stdout
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import keras
import keras_tuner

from search.errors import InputError
from search.execution.base import Done, Executor, MakeExecutor, Wait
from search.execution.loop import run_study
from search.execution.serial import SerialExecutor
from search.models.weights import assign, model_weights
from search.training.keras_training import build_from_shapes
from search.tuning.distribution import refuse_workers
from search.tuning.observers import StudyReport
from search.tuning.oracles.base import ResumableOracle
from search.tuning.record import TrialObserver, TrialRecord
from search.tuning.replay import replay
from search.tuning.runner import TrialRunner
from search.tuning.study import Budget, MayStart, Study, always
from search.tuning.trial import TrialConstraint, TrialSpec
from search.tuning.trial_files import TrialFiles
from search.tuning.trial_models import TrialModels
from search.tuning.trial_store import TrialStore, earlier_version
from search.utils.checkpoint import Arrays
from search.utils.interrupts import noted_interrupts


class Tuner(keras_tuner.Tuner):
    """A KerasTuner tuner whose trials are seeded by their hyperparameters, and continued where they stopped.

    Where KerasTuner restarts a promoted trial from its parent's best epoch with a fresh optimizer, this one goes on
    from the parent's last epoch with the optimizer's slots and step. A trial that fails is recorded with its error and
    does not end the search; a fault of the machine or of the data does. A search that was killed goes on when a tuner
    is made again on the same folder, by the journal there, and a trial that was running from its last epoch.

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
        keep: The checkpoints to keep: `all`; `promotable`, those of trials that may be promoted and of the best trial;
            `best`, in the end only the best trial's.
        constraints: Fail trials before their models are made, by their hyperparameters.
        may_start: Called before each trial with its planned epochs and the records so far; False ends the search.
        observers: Called with every trial and epoch.
        executor: Makes what runs the trials, from their runner and an observer.
        **settings: Arguments of `keras_tuner.Tuner`: directory, project_name, overwrite, max_model_size and others.

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
        constraints: Sequence[TrialConstraint] = (),
        may_start: MayStart = always,
        observers: Sequence[TrialObserver] = (),
        executor: MakeExecutor = SerialExecutor,
        **settings: Any,
    ) -> None:
        self._takes_oracles_seed = seed is None
        refuse_workers()
        self.seed = oracle.seed if seed is None else seed
        self.patience = patience
        self.max_parameters = max_parameters
        self.keep = keep
        self.constraints = constraints
        self._executor = executor
        self.study = Study(oracle, max_epochs, Budget(max_total_epochs, may_start))
        self._report = StudyReport(self.study, observers)
        self._is_reloaded = False
        self._interrupted: Callable[[], bool] = lambda: False
        if isinstance(oracle, ResumableOracle):
            oracle.saves_each_step = False
        # KerasTuner announces a reload by print.
        with redirect_stdout(io.StringIO()):
            super().__init__(oracle, hypermodel, **settings)
        if self.store.settings() is not None or self.files.records():
            # KerasTuner does so itself, but for a search that was killed before it wrote a file of its own.
            self.reload()

    @property
    def records(self) -> dict[str, TrialRecord]:
        """Trial id to record, in the order in which trials began."""
        return self.study.records

    @cached_property
    def store(self) -> TrialStore:
        """The trials on disk."""
        return TrialStore(Path(self.project_dir))

    @property
    def files(self) -> TrialFiles:
        """The files of the trials."""
        return self.store.files

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
        runner = self.runner(*fit_args, **fit_kwargs)
        gc.freeze()  # KerasTuner collects garbage before every trial: not through what is alive now
        with noted_interrupts() as self._interrupted, closing(self._executor(runner, self._report)) as executor:
            self._search(executor)

    def runner(self, *fit_args: Any, **fit_kwargs: Any) -> TrialRunner:
        """The runner of trials on some data; arguments as for `search`."""
        models, given = self._models, fit_kwargs.pop("callbacks", [])
        return TrialRunner(
            hypermodel=self.hypermodel,
            build=models.build,
            files=self.files,
            objective=self.oracle.objective,
            patience=self.patience,
            max_parameters=self.max_parameters,
            constraints=self.constraints,
            fit_args=fit_args,
            fit_kwargs=fit_kwargs,
            callbacks=partial(models.callbacks, given),
        )

    def _search(self, executor: Executor) -> None:
        if self.study.is_adopted:
            raise InputError(earlier_version(self.project_dir))
        self.on_search_begin()
        self.store.begin(self.study.settings())  # a seed that was drawn is known from here on
        self.study.ask_again()
        ended = run_study(self, executor)
        if self.keep != "all":
            # A search that a budget ended may yet be given more.
            self._remove_checkpoints(set() if self.keep == "best" and ended.complete else self.study.promotable())
        self.on_search_end()

    def ask(self) -> TrialSpec | Wait | Done:
        """The next trial of the study."""
        if self._interrupted():  # foreign code may have swallowed what it raised
            raise KeyboardInterrupt
        asked = self.study.ask()
        if isinstance(asked, TrialSpec):
            self.store.asked(asked)
        return asked

    def tell(self, result: TrialRecord) -> None:
        """Records a result, passes it to study and observers, and removes checkpoints that are no longer needed."""
        self.store.told(result)
        self.study.tell(result)
        if self.keep != "all":
            self._remove_checkpoints(self.study.promotable())
        self._report.on_trial_end(result)

    def reload(self) -> None:
        """Resumes the search in the project's folder, if there is one; KerasTuner calls this.

        Raises:
            InputError: A file is damaged, or the search there was begun with other settings.
        """
        if self._is_reloaded:  # when it was made
            return
        self._is_reloaded = True
        self._populate_initial_space()
        self.oracle.verbose = 0
        if isinstance(self.oracle, ResumableOracle):
            self.oracle.take_seed(self.store.settings() or {})
        if self._takes_oracles_seed:
            self.seed = self.oracle.seed
        self.files.remove_unfinished()
        replay(self.study, self.store, self._report)

    def ranking(self) -> list[TrialRecord]:
        """The completed trials, the best first; of equals the earlier one."""
        return self.study.ranking()

    def load_model(self, trial: Any) -> keras.Model:
        """Builds a trial's model with the weights of its best epoch.

        Raises:
            InputError: They are damaged, or were not kept.
        """
        weights = self.best_weights(trial)
        model = self._models.build(trial.hyperparameters)
        build_from_shapes(model, self.records[trial.trial_id].build)
        assign(model_weights(model), weights)
        return model

    def best_weights(self, trial: Any) -> Arrays:
        """The weights of a trial's best epoch.

        Raises:
            InputError: They are damaged, or were not kept.
        """
        return self.files.best_weights(self.records[trial.trial_id])

    def _populate_initial_space(self) -> None:
        declares = getattr(type(self.hypermodel), "declare_hyperparameters", None)
        if declares in (None, keras_tuner.HyperModel.declare_hyperparameters):
            super()._populate_initial_space()  # it builds models to see what they ask for
        else:
            hp = self.oracle.get_space()
            self.hypermodel.declare_hyperparameters(hp)
            self.oracle.update_space(hp)

    @property
    def _models(self) -> TrialModels:
        return TrialModels(self, self.seed)

    def _remove_checkpoints(self, promotable: set[str]) -> None:
        best = self.study.best()
        self.files.remove_checkpoints(None if best is None else best.trial_id, promotable)
