"""Promotion chains: the trials of one configuration, each promoted from the one before; and the best score so far."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray


def roots(trials: pd.DataFrame) -> dict[str, str]:
    """Trial id to the first trial of its promotion chain, for trials in the order in which they began."""
    found: dict[str, str] = {}
    for trial, parent in zip(trials["trial_id"], trials["parent"], strict=True):
        found[trial] = found.get(parent, trial)
    return found


def configurations(trials: pd.DataFrame) -> pd.DataFrame:
    """A row per configuration that completed a trial: its furthest one, with the column `root`."""
    completed = trials.assign(root=trials["trial_id"].map(roots(trials)))
    completed = completed[(completed["status"] == "COMPLETED") & completed["score"].notna()]
    return completed.sort_values("epochs", kind="stable").drop_duplicates("root", keep="last").sort_index()


def own_epochs(trials: pd.DataFrame) -> pd.Series:
    """The epochs that each trial trained itself, without those of its parent."""
    behind = trials["parent"].map(trials.set_index("trial_id")["epochs"]).fillna(0)
    return (trials["epochs"] - behind).clip(lower=0)


@dataclass(frozen=True)
class Incumbent:
    """The best score so far over the epochs spent.

    Attributes:
        epochs: Epochs of training of all trials together, float64 [steps].
        score: The best so far, float64 [steps].
        trial: The trial that has it [steps].
        total: Epochs spent in all.
    """

    epochs: NDArray[np.float64]
    score: NDArray[np.float64]
    trial: list[str]
    total: int


def incumbent(trials: pd.DataFrame, *, higher_is_better: bool) -> Incumbent:
    """Follows the best score through the search.

    Args:
        trials: In the order in which they began, one after the other.
        higher_is_better: Which scores are better.
    """
    behind = dict(zip(trials["trial_id"], trials["epochs"], strict=True))
    spent, best = 0, None
    steps: list[tuple[float, float, str]] = []
    rows: Iterator[Any] = trials.itertuples()
    for trial in rows:
        begun = behind.get(trial.parent, 0) if isinstance(trial.parent, str) else 0
        if trial.status == "COMPLETED" and not pd.isna(trial.score):
            better = best is None or (trial.score > best if higher_is_better else trial.score < best)
            if better:
                best = trial.score
                steps.append((spent + max(0, trial.best_epoch - begun), best, trial.trial_id))
        spent += max(0, trial.epochs - begun)
    return Incumbent(
        np.array([step[0] for step in steps], float),
        np.array([step[1] for step in steps], float),
        [step[2] for step in steps],
        int(spent),
    )


@dataclass(frozen=True)
class Rounds:
    """One bracket of successive halving: trials by round, and which was promoted from which.

    Attributes:
        name: Its number.
        epochs: Epochs behind the trials of each round at its end [rounds].
        trials: A row per trial: trial_id, status, score, round (from 0), parent, promoted.
    """

    name: int
    epochs: list[int]
    trials: pd.DataFrame


def brackets(trials: pd.DataFrame) -> list[Rounds]:
    """The brackets in the order in which they began; none for a search without rounds."""
    within = trials[trials["bracket"].notna()]
    promoted = set(trials["parent"].dropna())
    found = []
    for name in within["bracket"].unique():
        rows = within[within["bracket"] == name]
        rounds = sorted(rows["round"].dropna().unique())
        place = {number: i for i, number in enumerate(rounds)}
        epochs = [int(rows.loc[rows["round"] == number, "epochs"].max()) for number in rounds]
        table = rows[["trial_id", "status", "score", "parent"]].assign(
            round=rows["round"].map(place), promoted=rows["trial_id"].isin(promoted)
        )
        found.append(Rounds(int(name), epochs, table))
    return found
