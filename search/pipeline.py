"""The main job, from a table of texts to a measured classifier."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from search.config import Config
from search.datasets import Examples, load_splits
from search.device import configure
from search.errors import SearchError
from search.files import write_json
from search.reporting.run_folder import RunFolder
from search.reporting.screen import Screen, describe_cleaning
from spaces import space_from

log = logging.getLogger(__name__)


def run(
    config: Config,
    composed: DictConfig,
    overrides: Sequence[str],
    output: Path,
    catalogs: Sequence[Path],
    verbose: bool = False,
) -> dict[str, Any]:
    """Searches, refits, tests and reports.

    Args:
        config: The checked configuration.
        composed: The same as Hydra composed it, for the run folder.
        overrides: What the command line set.
        output: Folder of the run; nothing is written to it before the input has proved to be good.
        catalogs: Folders whose `module/*.yaml` name modules.
        verbose: Leave TensorFlow as talkative as it is.

    Returns:
        The summary, as written to summary.json.

    Raises:
        InputError: The data, the space, a module or the device cannot be used.
        SearchError: Every trial failed.
    """
    stopwatch = Stopwatch()
    screen = Screen()
    ranges = _plain(composed.space)
    space_from(ranges)  # an impossible range is told before anything is read
    splits = load_splits(config.dataset, Path(config.paths.data).expanduser(), config.seed)
    screen.show_data(config.dataset.name, splits)
    space = space_from(ranges, rows=len(splits.train))

    device = configure(config.device, config.mixed_precision, verbose)
    # What follows imports TensorFlow, which takes seconds: an error in the data has been told by now.
    from search.embedding import FeatureCache, Features, resolve_modules
    from search.embedding.catalog import catalog
    from search.embedding.load import published, untrainable
    from search.evaluation.baselines import records as baseline_records
    from search.evaluation.baselines import run_baselines
    from search.evaluation.bootstrap import intervals
    from search.evaluation.metrics import predict, score
    from search.evaluation.threshold import best_threshold
    from search.hypermodel import TextClassifierHyperModel
    from search.model import Classifier, refit
    from search.objective import VALIDATION, make_objective
    from search.reporting.leaderboard import leaderboard, write_leaderboard
    from search.reporting.report import PassLog, write_measurements, write_report
    from search.reporting.summary import count_trials, verdict, versions, write_predictions
    from search.reporting.tensorboard import Curves, TensorBoardWriter
    from search.tuning.budget import TimeBudget
    from search.tuning.oracles import make_oracle, plan
    from search.tuning.tuner import Tuner

    objective = make_objective(config.objective, len(splits.classes))
    with stopwatch("embed"):
        names = [str(name) for name in space["module"].options or ()]
        modules = resolve_modules(names, config.module, Path(config.paths.modules).expanduser(), catalogs)
        frozen = untrainable(modules) if True in (space["trainable"].options or ()) else []
        if frozen:
            space = space_from(ranges, rows=len(splits.train), untrainable=frozen)
            screen.say(f"Without trainable variables, to be searched frozen alone: {', '.join(frozen)}")
    with RunFolder.opened(output, composed, overrides, resumed=config.resume is not None) as folder:
        log.info("%s: %s; %s", config.dataset.name, splits.sizes(), describe_cleaning(splits.cleaning))
        cache = FeatureCache(
            Path(config.paths.features),
            config.features.dtype,
            None if config.features.max_gib is None else int(config.features.max_gib * 2**30),
        )
        passes = PassLog(screen.embedding(partial(stopwatch.add, "embed")))
        hypermodel = TextClassifierHyperModel(space, modules, len(splits.classes), config.seed, cache, passes)
        ahead = plan(config.tuner, space.size())
        with (
            stopwatch("search"),
            screen.progress(ahead, objective.name, objective.direction) as progress,
        ):
            tuner = Tuner(
                make_oracle(config.tuner, objective, config.seed),
                hypermodel,
                max_epochs=config.tuner.max_epochs,
                patience=config.tuner.patience,
                max_total_epochs=config.tuner.max_total_epochs,
                max_parameters=config.tuner.max_parameters,
                keep=config.tuner.keep,
                observers=[progress, TensorBoardWriter(folder.tensorboard, space, objective)],
                directory=str(folder.path),
                project_name=folder.trials.name,
            )
            if tuner.records:
                screen.say(f"Going on after {len(tuner.records)} trials that had ended")
            budget = TimeBudget(config.tuner.max_seconds, tuner.records, stopwatch.started)
            tuner.may_start = budget.may_start
            try:
                tuner.search(splits.train, splits.valid, verbose=0)
            finally:  # also after Ctrl-C: what has been tried can be looked at
                board = leaderboard(tuner.records.values(), list(space), objective.direction)
                write_leaderboard(board, folder.leaderboard)
        if budget.refused:
            planned = "" if ahead.trials is None else f" of {ahead.trials} planned"
            screen.say(f"tuner.max_seconds ended the search after {len(tuner.records)}{planned} trials")
        if tuner.oracle.stop_reason is not None:
            screen.say(f"The search ended early: {tuner.oracle.stop_reason}")
        failed = sum(record.status == "FAILED" for record in tuner.records.values())
        if failed:
            screen.say(f"{failed} of {len(tuner.records)} trials failed: see {folder.leaderboard}")
        best = next(iter(tuner.ranking()), None)
        if best is None or best.best_epoch is None:
            errors = [f"{record.trial_id}: {record.error}" for record in tuner.records.values()]
            raise SearchError(f"No trial succeeded; the first error was in trial {errors[0]}. See {folder.leaderboard}")

        trial = tuner.oracle.get_trial(best.trial_id)

        def features(split: Examples) -> Features | None:
            """What the best trial's module gives for a split, where that is a constant."""
            return None if best.values.get("trainable") else hypermodel.features(best.values["module"], split)

        valid_probabilities = Classifier(tuner.load_model(trial), splits.classes, None).probabilities(
            splits.valid.texts, features(splits.valid)
        )
        threshold = best_threshold(splits.valid.labels, valid_probabilities) if len(splits.classes) == 2 else None
        with stopwatch("refit"):
            epochs = f"{best.best_epoch} epoch{'' if best.best_epoch == 1 else 's'}"
            screen.say(f"Refitting trial {best.trial_id} on train and valid for {epochs}")
            model = refit(
                hypermodel,
                trial.hyperparameters,
                splits.train + splits.valid,
                best.best_epoch,
                config.seed,
                Curves(folder.tensorboard / "refit"),
            )
            classifier = Classifier(model, splits.classes, threshold)
            classifier.save(folder.saved_model, folder.keras_model)
        with stopwatch("test"):
            probabilities = classifier.probabilities(splits.test.texts, features(splits.test))
            test = score(splits.test.labels, probabilities, threshold)
            test_interval = intervals(splits.test.labels, probabilities, threshold, seed=config.seed)
            outcomes = run_baselines(splits.train, splits.valid, splits.test)
            baselines = baseline_records(outcomes)
            predicted = predict(probabilities, threshold)
            write_predictions(folder.predictions, splits.test, splits.classes, predicted, probabilities)

        summary = {
            "dataset": config.dataset.name,
            "classes": splits.classes,
            "sizes": splits.sizes(),
            "cleaning": asdict(splits.cleaning),
            "objective": {"name": objective.name, "direction": objective.direction},
            "seed": config.seed,
            "best_trial": best.trial_id,
            "best_epoch": best.best_epoch,
            "score": best.score,
            "best": best.values,
            "threshold": threshold,
            "valid": score(splits.valid.labels, valid_probabilities, threshold),
            "test": test,
            "test_interval": test_interval,
            "baselines": baselines,
            "verdict": verdict(objective.name.removeprefix(VALIDATION), test, baselines),
            "trials": count_trials(tuner.records.values()),
            "seconds": stopwatch.seconds(),
            "versions": versions(),
            "device": device,
        }
        write_json(folder.summary, summary)
        tried = {str(record.values["module"]) for record in tuner.records.values() if record.status == "COMPLETED"}
        write_measurements(
            folder,
            splits,
            probabilities,
            threshold,
            classifier.probabilities,
            outcomes,
            {name: published(modules[name], name) for name in sorted(tried)},
            catalog(catalogs),
            passes.passes,
        )
        write_report(folder.path)
    screen.show_result(summary, folder.path)
    return summary


class Stopwatch:
    """Seconds spent in the phases of a run."""

    def __init__(self) -> None:
        self.started = time.monotonic()
        self._seconds: dict[str, float] = {}
        # In all, of what was counted by `add`.
        self._elsewhere = 0.0

    @contextmanager
    def __call__(self, phase: str) -> Iterator[None]:
        """Counts the block to a phase, but for what is added to another one meanwhile."""
        started, elsewhere = time.monotonic(), self._elsewhere
        try:
            yield
        finally:
            self._count(phase, time.monotonic() - started - (self._elsewhere - elsewhere))

    def add(self, phase: str, seconds: float) -> None:
        """Counts seconds that have just passed to a phase."""
        self._elsewhere += seconds
        self._count(phase, seconds)

    def _count(self, phase: str, seconds: float) -> None:
        self._seconds[phase] = self._seconds.get(phase, 0.0) + seconds

    def seconds(self) -> dict[str, float]:
        """Seconds of every phase, and in all since the stopwatch was made."""
        return {
            phase: round(spent, 3)
            for phase, spent in {**self._seconds, "total": time.monotonic() - self.started}.items()
        }


def _plain(node: DictConfig) -> dict[str, Any]:
    content = OmegaConf.to_container(node, resolve=True)
    assert isinstance(content, dict)
    return {str(key): value for key, value in content.items()}
