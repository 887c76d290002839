"""Runs and trials as data frames, with every number of their summaries under its own name."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from search.errors import InputError, nearest
from search.evaluation.metrics import direction, names
from search.reporting.report.promotion_chains import incumbent
from search.reporting.report.run_files import RecordedRun

LOW, HIGH = ".low", ".high"
# Of a summary, what says how good a run is and what it cost.
_MEASURED = ("score", "test.", "valid.", "seconds.", "trials", "epochs", "verdict.baseline_score", "verdict.gain")


def table_of_runs(runs: Sequence[RecordedRun]) -> pd.DataFrame:
    """A row per run.

    Args:
        runs: Finished runs.

    Returns:
        Columns: run (its folder), trials and epochs (of the whole search), and every value of summary.json under its
        path in it, such as best.module, score, test.f1 or seconds.total; ends of intervals as test.f1.low and
        test.f1.high; verdict.outcome, and the gain over the best baseline as verdict.gain.
    """
    rows = []
    for run in runs:
        spent = incumbent(run.trials, higher_is_better=run.higher_is_better).total
        elsewhere = ("trials", "test_interval", "verdict")
        summary = {key: value for key, value in run.summary.items() if key not in elsewhere}
        intervals = {
            f"test.{name}{end}": math.nan if value is None else value
            for name, ends in run.summary["test_interval"].items()
            for end, value in zip((LOW, HIGH), ends, strict=True)
        }
        counted = {"trials": len(run.trials), "epochs": spent}
        rows.append({"run": str(run.folder.path), **dict(_flat(summary)), **_verdict(run), **intervals, **counted})
    return pd.DataFrame(rows)


def table_of_trials(runs: Sequence[RecordedRun], best: int) -> pd.DataFrame:
    """The best trials of each run.

    Args:
        runs: Finished runs.
        best: How many of each.

    Returns:
        A row per trial. Columns: run, dataset, seed, then those of leaderboard.csv. Metrics are the validation split's.
    """
    parts = []
    for run in runs:
        trials = run.trials[run.trials["rank"] <= best].sort_values("rank")
        own = {"run": str(run.folder.path), "dataset": run.summary["dataset"], "seed": run.summary["seed"]}
        parts.append(trials.assign(**own)[[*own, *trials.columns]])
    return pd.concat(parts, ignore_index=True).dropna(axis="columns", how="all")


def default_columns(table: pd.DataFrame, metrics: Sequence[str] = ()) -> list[str]:
    """The columns of `table_of_runs` that people ask for.

    Args:
        table: The runs.
        metrics: Columns to show in the place of the test metrics.
    """
    chosen = metrics or [f"test.{name}" for name in names() if f"test.{name}" in table]
    columns = [
        *("run", "dataset", "seed", "objective.name", "best_trial", "best_epoch"),
        *(column for column in map(str, table) if column.startswith("best.")),
        *("trials", "epochs", "score"),
        *(name for metric in chosen for name in (metric, metric + LOW, metric + HIGH)),
        *("verdict.outcome", "verdict.best_baseline", "verdict.baseline_score"),
        *("verdict.gain", f"verdict.gain{LOW}", f"verdict.gain{HIGH}"),
        *("verdict.ensemble.method", "verdict.ensemble.score", "verdict.ensemble.outcome"),
        "seconds.total",
        *(column for column in map(str, table) if column.startswith("paired.")),
    ]
    return [column for column in dict.fromkeys(columns) if column in table]


def best_baselines(table: pd.DataFrame, metric: str) -> list[tuple[str, float]]:
    """The best baseline of each run by a test metric, and its score; "-" and NaN where there is none.

    Args:
        table: See `table_of_runs`.
        metric: A column of it, such as test.f1.
    """
    columns = [name for name in map(str, table) if name.startswith("baselines.") and name.endswith(f".{metric}")]
    better = min if direction(metric.removeprefix("test.")) == "min" else max
    found = []
    for _, row in table[columns].astype(float).iterrows():
        scores = {str(column).split(".")[1]: score for column, score in row.dropna().items()}
        best = better(scores, key=lambda name: scores[name], default="-")
        found.append((best, scores.get(best, math.nan)))
    return found


def column_named(table: pd.DataFrame, name: str, key: str) -> str:
    """The column a person means: by its whole name, or a test metric by its own.

    Args:
        table: What is to have it.
        name: As the person wrote it.
        key: The setting it was written for.

    Raises:
        InputError: There is none.
    """
    for column in (name, f"test.{name}", f"val_{name}"):
        if column in table:
            return column
    known = [column for column in map(str, table) if not column.endswith((LOW, HIGH)) and _is_measured(column)]
    raise InputError(f"{key}={name} is unknown. {nearest(name, known)}")


def ascending(column: str, runs: Sequence[RecordedRun]) -> bool:
    """Whether the rows with the least in a column are the best, or come first."""
    if column == "score":
        return not runs[0].higher_is_better
    metric = column.rpartition(".")[2].removeprefix("val_")
    try:
        return direction(metric) == "min"
    except ValueError:  # no metric: the quickest, the cheapest, the first of the alphabet
        return column not in ("verdict.baseline_score", "verdict.gain")


def ordered(table: pd.DataFrame, by: str, runs: Sequence[RecordedRun]) -> pd.DataFrame:
    """The rows by one column, the best first; those without a value come last.

    Args:
        table: Of runs or trials.
        by: The column.
        runs: Those in the table.
    """
    column = table[by]
    if not pd.api.types.is_numeric_dtype(column):
        column = column.map(str)
    return table.loc[column.sort_values(ascending=ascending(by, runs), kind="stable", na_position="last").index]


def _verdict(run: RecordedRun) -> dict[str, Any]:
    """How the run stands to the best baseline, and its ensemble."""
    verdict = run.verdict
    fields = {name: value for name, value in verdict.record().items() if name != "gains"}
    if verdict.gains:
        gain = verdict.gains[verdict.best_baseline]
        fields |= dict(zip(("gain", f"gain{LOW}", f"gain{HIGH}"), (gain.gain, *gain.interval), strict=True))
    return dict(_flat(fields, "verdict."))


def _is_measured(column: str) -> bool:
    return column.startswith((*_MEASURED, "val_", "parameters"))


def _flat(content: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in content.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        elif not isinstance(value, list):
            yield f"{prefix}{name}", math.nan if value is None and prefix in ("test.", "valid.") else value
