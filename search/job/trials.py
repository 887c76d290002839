"""The search itself: runs trials until the oracle or a budget ends it, and finds the best."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from search.datasets import Examples
from search.errors import SearchError
from search.execution.base import MakeExecutor
from search.execution.processes import in_processes, number_of_workers
from search.execution.ray_cluster import Cluster, on_ray
from search.execution.serial import SerialExecutor
from search.execution.worker_process import Workers
from search.features.cache import FeatureCache
from search.features.splits import Inputs
from search.job.prepare import Prepared, column_encoder
from search.job.run import Run
from search.job.validation import Validation
from search.models.wide.words import Words
from search.reporting.report.pass_log import Pass, PassLog
from search.reporting.screen import Screen
from search.reporting.tensorboard import ScoredEpochs, TensorBoardWriter
from search.reporting.trial_table import leaderboard, write_leaderboard
from search.run_folder import RunFolder
from search.training.shared import SharedResources
from search.training.trainable import TrainableHyperModel
from search.tuning.budget import TimeBudget
from search.tuning.oracles import make_oracle, plan
from search.tuning.record import TrialObserver, TrialRecord
from search.tuning.study import MayStart, always
from search.tuning.tuner import Tuner
from search.utils.stopwatch import Stopwatch


@dataclass(frozen=True)
class Trials:
    """The trials of a search, with the tuner and the models behind them.

    Attributes:
        tuner: Holds the records of all trials.
        hypermodel: Builds the models.
        validation: Says how trials were judged.
        best: The best trial's record.
        best_epoch: Its epoch with the best score, counted from 1; 0 is a head alone.
        passes: The passes of texts through frozen modules.
        scored_epochs: Counts of right and wrong validation predictions by epoch.
    """

    tuner: Tuner
    hypermodel: TrainableHyperModel
    validation: Validation
    best: TrialRecord
    best_epoch: int
    passes: Sequence[Pass]
    scored_epochs: ScoredEpochs

    @property
    def best_trial(self) -> Any:
        """KerasTuner's trial."""
        return self.tuner.oracle.get_trial(self.best.trial_id)

    def features(self, split: Examples) -> Inputs | None:
        """The features of a split through the best trial's module, where that is frozen."""
        return self.hypermodel.constant_features(self.best.values, split)


def ended_trials(prepared: Prepared, folder: RunFolder, screen: Screen, stopwatch: Stopwatch) -> Trials:
    """Reads the trials of a search that has ended.

    Args:
        prepared: The space and the data.
        folder: The run's folder.
        screen: Shows passes of texts through modules whose features are no longer cached.
        stopwatch: Counts the phase `embed`.

    Raises:
        InputError: The folder holds another search's trials, or a damaged file.
        SearchError: Every trial failed.
    """
    passes = PassLog(screen.embedding(partial(stopwatch.add, "embed")))
    hypermodel, validation = _judging(prepared, passes)
    tuner = _tuner(prepared, hypermodel, validation, folder, [])
    return _found(tuner, hypermodel, validation, passes, ScoredEpochs(folder.trials), folder)


def run_trials(run: Run, prepared: Prepared) -> Trials:
    """Runs a search, or resumes the one in the folder.

    Args:
        run: Its folder gets the trials and the leaderboard; its stopwatch counts the phases `search` and `embed`.
        prepared: The space, the data and the configuration.

    Raises:
        InputError: The folder holds another search's trials.
        SearchError: Every trial failed.
    """
    config, objective = prepared.config, prepared.objective
    folder, screen, stopwatch = run.folder, run.screen, run.stopwatch
    passes = PassLog(screen.embedding(partial(stopwatch.add, "embed")))
    hypermodel, validation = _judging(prepared, passes)
    scored_epochs = ScoredEpochs(folder.trials)
    ahead, workers = plan(config.tuner, prepared.space.size()), number_of_workers(config.parallel)
    with (
        stopwatch("search"),
        screen.progress(ahead, objective, workers) as progress,
        closing(TensorBoardWriter(folder.tensorboard, prepared.space, objective)) as curves,
    ):
        budget = TimeBudget(config.tuner.max_seconds, stopwatch.started)
        observers: list[TrialObserver] = [progress, curves, scored_epochs, run.callbacks]
        executor = _executor(run, prepared, workers, passes)
        tuner = _tuner(prepared, hypermodel, validation, folder, observers, budget.may_start, executor)
        if tuner.records:
            screen.say(f"Resuming after {len(tuner.records)} finished trials")
        try:
            tuner.search(*validation.fit_args, verbose=0)
        finally:  # also after Ctrl-C: what has been tried can be looked at
            board = leaderboard(tuner.records.values(), list(prepared.space), objective.direction)
            write_leaderboard(board, folder.leaderboard)
    _tell(tuner, budget.refused, ahead.trials, folder.leaderboard, screen.say)
    return _found(tuner, hypermodel, validation, passes, scored_epochs, folder)


def _judging(prepared: Prepared, passes: PassLog) -> tuple[TrainableHyperModel, Validation]:
    """The hypermodel of a search, and how its trials are judged."""
    config, splits = prepared.config, prepared.splits
    hypermodel = TrainableHyperModel(
        prepared.space,
        prepared.backbones,
        splits.target,
        config.seed,
        FeatureCache(
            Path(config.paths.features),
            config.features.dtype,
            None if config.features.max_gib is None else int(config.features.max_gib * 2**30),
        ),
        Words(splits.train.texts),
        config.tuner.max_epochs,
        column_encoder(splits),
    )
    hypermodel.observe_passes(passes)
    hypermodel.shared = SharedResources(config.parallel.gpus_per_trial)
    return hypermodel, Validation(hypermodel, splits)


def _tuner(
    prepared: Prepared,
    hypermodel: TrainableHyperModel,
    validation: Validation,
    folder: RunFolder,
    observers: Sequence[TrialObserver],
    may_start: MayStart = always,
    executor: MakeExecutor = SerialExecutor,
) -> Tuner:
    """The tuner with the trials that the folder holds."""
    config = prepared.config.tuner
    return Tuner(
        make_oracle(config, prepared.objective, prepared.config.seed),
        validation.hypermodel,
        max_epochs=config.max_epochs,
        patience=config.patience,
        max_total_epochs=config.max_total_epochs,
        max_parameters=config.max_parameters,
        keep=config.keep,
        constraints=prepared.limit.constraints(hypermodel),
        may_start=may_start,
        observers=observers,
        executor=executor,
        directory=str(folder.path),
        project_name=folder.trials.name,
    )


def _executor(run: Run, prepared: Prepared, workers: int, passes: PassLog) -> MakeExecutor:
    """The executor that the configuration asks for."""
    asked = prepared.config.parallel
    settings = Workers(workers, run.prepare, asked.max_restarts)

    def observer() -> PassLog:
        return passes.of_another(run.screen.embedding(lambda seconds: None))

    if asked.engine == "ray":
        cluster = Cluster(run.folder.trials, asked.address, asked.cpus_per_trial or 1, asked.gpus_per_trial)
        return on_ray(settings, cluster, observer)
    return SerialExecutor if workers == 1 else in_processes(settings, observer)


def _found(
    tuner: Tuner,
    hypermodel: TrainableHyperModel,
    validation: Validation,
    passes: PassLog,
    scored_epochs: ScoredEpochs,
    folder: RunFolder,
) -> Trials:
    best = next(iter(tuner.ranking()), None)
    if best is None or best.best_epoch is None:
        errors = [f"{record.trial_id}: {record.error}" for record in tuner.records.values()]
        raise SearchError(f"No trial succeeded; the first error was in trial {errors[0]}. See {folder.leaderboard}")
    return Trials(tuner, hypermodel, validation, best, best.best_epoch, passes.passes, scored_epochs)


def _tell(tuner: Tuner, refused: int, planned: int | None, board: Path, say: Callable[[str], None]) -> None:
    """Reports why the search ended before its plan was complete, and which trials failed."""
    count = len(tuner.records)
    if refused:
        say(f"tuner.max_seconds ended the search after {count}{f' of {planned} planned' if planned else ''} trials")
    if tuner.oracle.stop_reason is not None:
        say(f"The search ended early: {tuner.oracle.stop_reason}")
    failed = sum(record.status == "FAILED" for record in tuner.records.values())
    if failed:
        say(f"{failed} of {count} trials failed: see {board}")
