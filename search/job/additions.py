"""What can be given to a run that has ended: an ensemble, a refit on all labelled rows, its report; nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from search.config import Config
from search.errors import InputError
from search.inference.predictor import MODELS, Labels
from search.run_folder import RunFolder
from search.utils.files import write_json
from search.utils.overrides import setting, typed
from search.utils.stopwatch import Stopwatch

if TYPE_CHECKING:  # they bring TensorFlow
    from search.job.prepare import Prepared
    from search.job.trials import Trials

ENSEMBLE, FINAL_REFIT, REPORT = "ensemble", "final_refit", "report"


def lacking(config: Config, folder: RunFolder) -> set[str] | None:
    """Finds out what a run that has ended lacks of what is asked for.

    Args:
        config: What is asked for.
        folder: The run's.

    Returns:
        Some of `ENSEMBLE`, `FINAL_REFIT` and `REPORT`; None: the run has not ended.

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
    told = summary.get("final_refit") or {}
    unlabelled = config.dataset.unlabelled_path is not None or config.dataset.unlabelled_member is not None
    predicted = told.get("submission") is not None and folder.submission.is_file()
    if config.final_refit and not ("all" in there and told and (predicted or not unlabelled)):
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
        raise InputError(f"{path} is damaged ({error}): take it back from a copy.") from error
    if not isinstance(summary, dict):
        raise InputError(f"{path} is damaged (expected the answer of a run): take it back from a copy.")
    return summary


def told(folder: RunFolder) -> str:
    """What to say of a run that lacks nothing."""
    more = typed("search", setting("resume", folder.path), "final_refit=true")
    return (
        f"{folder.path} is finished, and nothing was changed. What can be added: {more}, or ensemble.trials=3; its "
        f"report is written again by {typed('search.report', setting('run', folder.path))}"
    )


def add(
    wanted: set[str],
    prepared: Prepared,
    trials: Trials,
    folder: RunFolder,
    stopwatch: Stopwatch,
    say: Callable[[str], None],
) -> dict[str, Any]:
    """Adds what a run lacks; its trials, its model and its scores stay.

    Args:
        wanted: As `lacking` found it.
        prepared: The data, and what is asked for.
        trials: Those of the run.
        folder: The run's; its summary.json tells of what was added.
        stopwatch: Counts the phases `ensemble` and `final_refit`.
        say: Is told what is done.

    Returns:
        The summary.
    """
    from search.job.answer import ensemble_of
    from search.job.final_refit import refit_on_all

    summary = read_summary(folder.summary)
    if trials.best.trial_id != summary["best_trial"]:
        raise InputError(
            f"{folder.path}: its trials say that {trials.best.trial_id} is the best, and summary.json that "
            f"{summary['best_trial']} is: take back from a copy what was changed."
        )
    threshold = summary["threshold"]
    if ENSEMBLE in wanted:
        with stopwatch(ENSEMBLE):
            made = ensemble_of(prepared, trials, threshold, folder, say)
        if made is not None:
            summary["ensembles"], summary["verdict"] = made
    if FINAL_REFIT in wanted:
        with stopwatch(FINAL_REFIT):
            summary["final_refit"] = refit_on_all(prepared, trials, threshold, folder, say)
    spent = {name: seconds for name, seconds in stopwatch.seconds().items() if name in wanted}
    summary["seconds"] = {**summary["seconds"], **spent}
    # Until it is written again, it is of the summary before.
    folder.report.unlink(missing_ok=True)
    write_json(folder.summary, summary)
    return summary
