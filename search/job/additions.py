"""Additions to a run that has ended: an ensemble, a refit on all labelled rows, its report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from search.config import Config
from search.errors import InputError
from search.inference.labels import MODELS, Labels
from search.run_folder import RunFolder
from search.utils.files import write_json
from search.utils.overrides import setting, typed

if TYPE_CHECKING:  # they bring TensorFlow
    from search.job.prepare import Prepared
    from search.job.run import Run
    from search.job.trials import Trials

ENSEMBLE, FINAL_REFIT, REPORT = "ensemble", "final_refit", "report"


def lacking(config: Config, folder: RunFolder) -> set[str] | None:
    """Finds out which of the requested additions a run that has ended lacks.

    Args:
        config: The configuration, with the additions.
        folder: The run's folder.

    Returns:
        Some of `ENSEMBLE`, `FINAL_REFIT` and `REPORT`; None if the run has not ended.

    Raises:
        InputError: One of its models or summary.json is damaged.
    """
    model = folder.path / MODELS["best"] / "labels.json"
    if not all(file.is_file() for file in (folder.summary, folder.leaderboard, folder.predictions, model)):
        return None
    summary = read_summary(folder.summary)
    there = {name for name, place in MODELS.items() if (folder.path / place).is_dir()}
    for name in there:
        Labels.of(folder.path, model=name)
    found = set()
    if config.ensemble.trials and not ("ensemble" in there and summary.get("ensembles")):
        found.add(ENSEMBLE)
    refit = summary.get("final_refit") or {}
    unlabelled = config.dataset.unlabelled_path is not None or config.dataset.unlabelled_member is not None
    predicted = refit.get("submission") is not None and folder.submission.is_file()
    if config.final_refit and not ("all" in there and refit and (predicted or not unlabelled)):
        found.add(FINAL_REFIT)
    if not (folder.report.is_file() and folder.model_card.is_file()):
        found.add(REPORT)
    return found


def read_summary(path: Path) -> dict[str, Any]:
    """Reads summary.json.

    Raises:
        InputError: It is damaged.
    """
    try:
        summary = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{path} is damaged ({error}): restore it from a copy.") from error
    if not isinstance(summary, dict):
        raise InputError(f"{path} is damaged (expected the answer of a run): restore it from a copy.")
    return summary


def finished_message(folder: RunFolder) -> str:
    """The message about a run that lacks nothing."""
    more = typed("search", setting("resume", folder.path), "final_refit=true")
    return (
        f"{folder.path} is finished, and nothing was changed. What can be added: {more}, or ensemble.trials=3; its "
        f"report is written again by {typed('search.report', setting('run', folder.path))}"
    )


def add(wanted: set[str], run: Run, prepared: Prepared, trials: Trials) -> dict[str, Any]:
    """Makes the additions to a run; its trials, its model and its scores stay.

    Args:
        wanted: The additions, from `lacking`.
        run: The run; its summary.json gets the results.
        prepared: The data and the configuration.
        trials: The run's trials.

    Returns:
        The summary.
    """
    from search.job.final_refit import refit_on_all

    folder, stopwatch = run.folder, run.stopwatch
    summary = read_summary(folder.summary)
    if trials.best.trial_id != summary["best_trial"]:
        raise InputError(
            f"{folder.path}: its trials say that {trials.best.trial_id} is the best, and summary.json that "
            f"{summary['best_trial']} is: restore from a copy what was changed."
        )
    threshold = summary["threshold"]
    if ENSEMBLE in wanted:
        with stopwatch(ENSEMBLE):
            summary.update(_ensemble(run, prepared, trials, threshold))
    if FINAL_REFIT in wanted:
        with stopwatch(FINAL_REFIT):
            summary["final_refit"] = refit_on_all(run, prepared, trials, threshold)
    spent = {name: seconds for name, seconds in stopwatch.seconds().items() if name in wanted}
    summary["seconds"] = {**summary["seconds"], **spent}
    # Until it is written again, it is of the summary before.
    folder.report.unlink(missing_ok=True)
    write_json(folder.summary, summary)
    return summary


def _ensemble(run: Run, prepared: Prepared, trials: Trials, threshold: float | None) -> dict[str, Any]:
    """Makes the ensemble of a run that has ended; its best trial and the baselines are trained as they were.

    Returns:
        The `ensembles` and the `verdict` for summary.json; nothing where there is nothing to combine.
    """
    from search.job.ensemble import best_member, build_ensemble
    from search.job.evaluation_step import evaluate, judged
    from search.job.refit_best import validate
    from search.models.classifier import Classifier
    from search.training.refit import refit

    run.say(f"Refitting trial {trials.best.trial_id} for the ensemble")
    hyperparameters, state = trials.best_trial.hyperparameters, trials.best.state
    model = refit(trials.hypermodel, hyperparameters, prepared.splits.refit, trials.best_epoch, state)
    classifier = Classifier(model, prepared.splits.classes, threshold, prepared.splits.columns, prepared.splits.content)
    evaluation = evaluate(prepared, trials, classifier)
    best = best_member(trials, classifier, validate(prepared, trials), evaluation.scored)
    ensemble = build_ensemble(run, prepared, trials, best, evaluation)
    if ensemble is None:
        return {}
    return {"ensembles": ensemble.record, "verdict": judged(prepared, evaluation, ensemble).record()}
