"""The table of trials."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import stdev
from typing import Any

import pandas as pd

from search.tuning.record import TrialRecord, ranked
from search.utils.files import whole_file

BACKBONE = ("backbone", "pretrained", "frozen")
"""The columns with the facts about a trial's backbone."""


def leaderboard(records: Iterable[TrialRecord], hyperparameters: Sequence[str], direction: str) -> pd.DataFrame:
    """Ranks the trials.

    Args:
        records: The trials, in the order in which they began.
        hyperparameters: Names of all hyperparameters of the space; a trial without one has an empty cell.
        direction: max or min, whichever is better.

    Returns:
        A row per trial, the best first; of equals the earlier one, trials without a score last. Columns: trial_id,
        status, score; in cross-validation score_std and fold_1, fold_2 and so on, the standard deviation of the folds'
        scores, whose mean is the score, and these; rank, the hyperparameters, backbone, pretrained and frozen (the
        module whose published weights the backbone starts from, and whether these stay as they are), bracket, round,
        parent, epochs, best_epoch, seconds, worker, accumulate (parts that batches were cut into for want of memory),
        head_epochs and head_score (how long the head was trained alone before the module was trained with it, and what
        it scored then), the val_ metrics, parameters, error.
    """
    trials = list(records)
    rows = [_row(trial, rank, hyperparameters) for rank, trial in enumerate(ranked(trials, direction), 1)]
    rows += [_row(trial, None, hyperparameters) for trial in trials if trial.status != "COMPLETED"]
    table = pd.DataFrame(rows)
    last = ["parameters", "error"]
    table = table[[column for column in table if column not in last] + last] if rows else table
    counts = ("rank", "bracket", "round", "best_epoch", "head_epochs", "parameters")
    return table.astype({name: "Int64" for name in counts if name in table})


def write_leaderboard(table: pd.DataFrame, path: Path) -> None:
    """Writes the table as CSV, whole or not at all."""
    with whole_file(path) as beside:
        table.to_csv(beside, index=False)


def _row(trial: TrialRecord, rank: int | None, hyperparameters: Sequence[str]) -> dict[str, Any]:
    return {
        "trial_id": trial.trial_id,
        "status": trial.status,
        "score": trial.score,
        **_folds(trial.fold_scores),
        "rank": rank,
        **{name: trial.values.get(name) for name in hyperparameters},
        **{name: getattr(trial, name) for name in BACKBONE},
        "bracket": trial.bracket,
        "round": trial.round,
        "parent": trial.parent,
        "epochs": trial.epochs,
        "best_epoch": trial.best_epoch,
        "seconds": round(trial.seconds, 3),
        "worker": trial.worker,
        "accumulate": trial.accumulate,
        "head_epochs": trial.head_epochs,
        "head_score": trial.head_score,
        **{name: value for name, value in trial.metrics.items() if name.startswith("val_")},
        "parameters": trial.parameters,
        "error": trial.error,
    }


def _folds(scores: Sequence[float]) -> dict[str, float]:
    if not scores:
        return {}
    return {"score_std": stdev(scores), **{f"fold_{i}": score for i, score in enumerate(scores, 1)}}
