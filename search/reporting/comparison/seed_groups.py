"""The runs of a multirun as a table, and grouped over their seeds."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd
from scipy.stats import t as student

from search.evaluation.metrics import limits
from search.reporting.comparison.attempts import FINISHED, Attempt
from search.reporting.comparison.run_table import HIGH, LOW, table_of_runs
from search.reporting.report.run_files import RecordedRun

SEED = "seed"
TESTED = "tested_on"
_CONFIDENCE = 0.95


def table_of_attempts(attempts: Sequence[Attempt], runs: Mapping[int, RecordedRun]) -> pd.DataFrame:
    """A row per run of a multirun.

    Args:
        attempts: All runs that were begun.
        runs: The finished runs, by their position in `attempts`.

    Returns:
        Columns: run (the folder's name), status, error, a column of text for each override that is not the same in all
        runs, then those of `table_of_runs`, empty for runs that did not finish.
    """
    finished = table_of_runs(list(runs.values())).drop(columns=["run", SEED])
    finished.index = pd.Index(list(runs))
    begun = pd.DataFrame({"run": [one.folder.name for one in attempts], "status": [one.status for one in attempts]})
    begun["error"] = [one.error for one in attempts]
    overrides = [_by_key(one.overrides) for one in attempts]
    for key in varying(attempts):
        begun[key] = [values.get(key, "") for values in overrides]
    table = begun.join(finished[[column for column in finished if column not in begun]])
    table[TESTED] = pd.Series({i: _tested_on(run) for i, run in runs.items()}, dtype=object)
    return table


def _tested_on(run: RecordedRun) -> str:
    """A key that is equal for runs with comparable scores: one data set, as many test rows of each class."""
    return json.dumps([run.summary["dataset"], run.summary["sizes"]["test"]])


def varying(attempts: Sequence[Attempt]) -> list[str]:
    """The keys of the overrides that are not the same in all runs."""
    overrides = [_by_key(one.overrides) for one in attempts]
    keys = dict.fromkeys(key for values in overrides for key in values)
    return [key for key in keys if len({values.get(key) for values in overrides}) > 1]


def grouped(table: pd.DataFrame, keys: Sequence[str], metrics: Iterable[str]) -> pd.DataFrame:
    """Means over the runs that differ in nothing but their seed.

    Args:
        table: See `table_of_attempts`.
        keys: The varying overrides but for the seed; none: all runs are one group.
        metrics: Columns of the table.

    Returns:
        A row per group, in the order in which the first of each was begun. Columns: the keys, runs (those that
        finished), unfinished (the others), and for each metric its mean, its standard deviation (n - 1) and the ends of
        a 95 % interval of the mean: Student's over the runs, or where there is one run its own over the test rows. They
        are named as the metric, with .mean, .sd, .low and .high.
    """
    rows = []
    groups = table.groupby(list(keys), sort=False, dropna=False) if keys else [((), table)]
    for values, group in groups:
        finished = group[group["status"] == FINISHED]
        row: dict[str, Any] = {
            **dict(zip(keys, values, strict=True)),
            "runs": len(finished),
            "unfinished": len(group) - len(finished),
        }
        row[TESTED] = next(iter(finished[TESTED].dropna().unique()), None) if TESTED in finished else None
        for metric in metrics:
            low, high = _interval(finished, metric)
            row |= {f"{metric}.mean": finished[metric].mean(), f"{metric}.sd": finished[metric].std()}
            row |= {metric + LOW: low, metric + HIGH: high}
        rows.append(row)
    return pd.DataFrame(rows)


def label_of(row: Mapping[str, Any] | pd.Series, keys: Sequence[str]) -> str:
    """The settings that a group has in common, in words."""
    return ", ".join(f"{key.rpartition('.')[2]}={row[key]}" for key in keys) or "all runs"


def _interval(runs: pd.DataFrame, metric: str) -> tuple[float, float]:
    scores = runs[metric].dropna()
    if len(scores) == 1:
        own = runs.loc[scores.index[0]]
        return float(own.get(metric + LOW, math.nan)), float(own.get(metric + HIGH, math.nan))
    if not len(scores):
        return math.nan, math.nan
    least, most = limits(metric.removeprefix("test."))
    reach = student.ppf((1 + _CONFIDENCE) / 2, len(scores) - 1) * scores.std() / math.sqrt(len(scores))
    # Of few runs the interval may be wider than the metric's range, beyond which no mean can lie.
    return max(least, float(scores.mean() - reach)), min(most, float(scores.mean() + reach))


def _by_key(overrides: Iterable[str]) -> dict[str, str]:
    found = {}
    for override in overrides:
        key, _, value = override.lstrip("+").partition("=")
        if not key.startswith("~"):
            found[key] = value
    return found
