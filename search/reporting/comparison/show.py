"""The comparison as columns of text: scores, what each run chose, the paired test."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from search.evaluation.metric_list import shown_in
from search.evaluation.paired import SAME
from search.reporting.comparison.folders import short_names
from search.reporting.comparison.pairs import Pair, behind
from search.reporting.comparison.run_table import HIGH, LOW, best_baselines
from search.reporting.comparison.text_columns import Cell, Column, fitting, is_missing, score_cell, text_column
from search.reporting.report.figures.values import value_text
from search.reporting.report.run_files import RecordedRun
from search.reporting.report.sections.answer import spoken
from search.reporting.report.sections.training import always_named, majority_scores

_BEST = "best."
_WORDS = ("against", "it is")


def scores(runs: Sequence[RecordedRun], table: pd.DataFrame, metrics: Sequence[str], width: int | None) -> list[Column]:
    """The scores of the runs, a row for each.

    Args:
        runs: The runs in the order of the table.
        table: The runs; see `table_of_runs`.
        metrics: Columns to show.
        width: Characters of the terminal, which further metrics may fill; None for no further metrics.
    """
    first = _named(runs, table)
    tested = next((metric for metric in metrics if metric.startswith("test.")), best_metric(runs))
    last = [baseline_column(table, tested), verdict_column(table, tested), _cost(table)]
    first += [metric_column(table, metric) for metric in metrics]
    if width is None:
        return [*first, *last]
    further = [f"test.{name}" for name in shown_in("leaderboard") if f"test.{name}" not in metrics]
    # A metric that some of the runs do not have says nothing of how they compare.
    shared = [metric_column(table, name) for name in further if name in table and table[name].notna().all()]
    return [*first, *fitting([*first, *last], shared, width), *last]


def shared_facts(table: pd.DataFrame, *columns: str) -> str:
    """The values that are the same in all rows, in words."""
    return ", ".join(
        f"{'' if column == 'dataset' else column + ' '}{table[column].iloc[0]}"
        for column in columns
        if table[column].nunique() == 1
    )


def chosen(table: pd.DataFrame) -> tuple[list[Column], str]:
    """The best configuration of each run, and a sentence with the values that all of them share."""
    names = [column for column in map(str, table) if column.startswith(_BEST) and column != "best.module"]
    return _configurations(table, names, "best_epoch")


def trials(table: pd.DataFrame, hyperparameters: Sequence[str], folders: Sequence[str]) -> tuple[list[Column], str]:
    """Trials of several runs as columns, and a sentence with the values that all of them share.

    Args:
        table: See `table_of_trials`.
        hyperparameters: The columns of hyperparameters in it.
        folders: The name of each row's run.
    """
    names = [name for name in hyperparameters if name in table and name != "module"]
    (number, configuration), same = _configurations(table, names, None)
    runs = text_column("run", folders, _modules(table, "module"))
    ids = Column("trial", [Cell(one) for one in table["trial_id"]])
    spent = zip(table["epochs"], table["seconds"], strict=True)
    cost = Column("epochs, time", [Cell(f"{epochs:.0f}", f"{seconds:,.1f} s") for epochs, seconds in spent])
    return [number, runs, ids, _score_column("score", table, "score_std"), cost, configuration], same


def majority(runs: Sequence[RecordedRun], metrics: Sequence[str]) -> list[str]:
    """The validation scores of always answering the largest class, in sentences; runs that agree share one.

    Args:
        runs: The runs in the table.
        metrics: Columns of the table beside the score; those that are no metric of the validation split are left out.
    """
    agreeing: dict[str, list[RecordedRun]] = {}
    for run in runs:
        asked = dict.fromkeys([run.metric, *(name.removeprefix("val_") for name in metrics)])
        known = majority_scores(run)
        listed = ", ".join(f"{spoken(name)} {known[name]:.3f}" for name in asked if known.get(name) is not None)
        if listed:
            sentence = f"Always answering {always_named(run)} scores on the {run.held_out}: {listed}"
            agreeing.setdefault(sentence, []).append(run)
    names = dict(zip(map(id, runs), short_names([run.folder.path for run in runs]), strict=True))
    return [
        sentence + (f" ({', '.join(names[id(run)] for run in same)})" if len(agreeing) > 1 else "")
        for sentence, same in agreeing.items()
    ]


def positive_classes(runs: Sequence[RecordedRun]) -> str | None:
    """The positive class of the runs with two classes, in a sentence; None where there are none."""
    found: dict[str, list[str]] = {}
    for run, name in zip(runs, short_names([run.folder.path for run in runs]), strict=True):
        if len(run.classes) == 2:
            found.setdefault(run.classes[1], []).append(name)
    if not found:
        return None
    alone = len(found) == 1 and sum(map(len, found.values())) == len(runs)
    return "Positive class: " + ", ".join(
        positive if alone else f"{positive} ({', '.join(names)})" for positive, names in found.items()
    )


def comparison(found: Sequence[Pair], rows: Sequence[int]) -> list[Column]:
    """The paired test as columns.

    Args:
        found: A comparison for each run.
        rows: Positions of the runs, in the order shown.
    """
    place = {run: i for i, run in enumerate(rows, 1)}
    compared_with = {pair.best for pair in found if pair.behind}
    names = ("against", "behind by", "95 % interval", "not behind in", "it is")
    shown: dict[str, list[str]] = {name: [] for name in names}
    for run in rows:
        pair = found[run]
        gain = pair.behind
        if gain is None:
            cells = ["best of its test rows" if run in compared_with else "other test rows", *[""] * 4]
        elif not gain.resamples:
            cells = [f"#{place[pair.best]}", f"{gain.gain:.4f}", "too few test rows", "", SAME]
        else:
            low, high = gain.interval
            chance = f"{100 * gain.not_better:.1f} %"
            cells = [f"#{place[pair.best]}", f"{gain.gain:.4f}", f"{low:+.4f} to {high:+.4f}", chance, behind(gain)]
        for name, cell in zip(shown, cells, strict=True):
            shown[name].append(cell)
    columns = [Column(name, [Cell(one) for one in cells], name in _WORDS) for name, cells in shown.items()]
    return [_numbers(len(rows)), *columns]


def metric_column(table: pd.DataFrame, metric: str) -> Column:
    """A column of the table, with intervals where the table has them."""
    name = spoken(metric.removeprefix("test.").replace(".", " "))
    if not pd.api.types.is_float_dtype(table[metric]):
        return text_column(name, table[metric])
    ends = [table[metric + end] if metric + end in table else [None] * len(table) for end in (LOW, HIGH)]
    return Column(name, [score_cell(*cell) for cell in zip(table[metric], *ends, strict=True)])


def baseline_column(table: pd.DataFrame, metric: str) -> Column:
    """The best baseline by a test metric."""
    found = best_baselines(table, metric)
    names = ["" if name == "-" else spoken(name).removeprefix("TF-IDF ") for name, _ in found]
    cells = [Cell(score_cell(score).value, name) for name, (_, score) in zip(names, found, strict=True)]
    return Column("best baseline", cells, breaks=True)


def verdict_column(table: pd.DataFrame, metric: str) -> Column:
    """The verdict on each run, and on its ensemble, against the best baseline by the objective.

    Args:
        table: See `table_of_runs`.
        metric: The test metric shown beside it; a verdict by another metric names that.
    """
    absent = pd.Series([None] * len(table), index=table.index)
    rows = zip(
        *(table.get(f"verdict.{name}", absent) for name in ("outcome", "metric", "ensemble.outcome")), strict=True
    )
    cells = []
    for outcome, by, ensemble in rows:
        notes = [] if is_missing(by) or metric == f"test.{by}" else [f"by {spoken(by)}"]
        notes += [] if is_missing(ensemble) else [f"ensemble {ensemble}"]
        cells.append(Cell("-" if is_missing(outcome) else outcome, ", ".join(notes)))
    return Column("verdict", cells, is_text=True, breaks=True)


def _named(runs: Sequence[RecordedRun], table: pd.DataFrame) -> list[Column]:
    folders = short_names([run.folder.path for run in runs])
    columns = [_numbers(len(runs)), text_column("run", folders, _modules(table, "best.module"))]
    # Most folders are named for the data set.
    is_told = all(str(name) in folder for name, folder in zip(table["dataset"], folders, strict=True))
    for name, heading in (("dataset", "data set"), ("seed", "seed")):
        if table[name].nunique() > 1 and not (name == "dataset" and is_told):
            columns.append(text_column(heading, table[name]))
    return [*columns, _score_column("valid score", table, "folds.std")]


def _score_column(name: str, table: pd.DataFrame, spread: str) -> Column:
    """The scores of trials; cross-validated ones with their standard deviation over folds."""
    spreads = table[spread] if spread in table else [None] * len(table)
    notes = ["" if is_missing(one) else f"± {one:.3f}" for one in spreads]
    cells = [score_cell(score) for score in table["score"]]
    return Column(name, [Cell(cell.value, note) for cell, note in zip(cells, notes, strict=True)])


def _cost(table: pd.DataFrame) -> Column:
    amounts = zip(table["seconds.total"], table["trials"], table["epochs"], strict=True)
    spent = [Cell(f"{seconds:,.0f} s", f"{trials} / {epochs}") for seconds, trials, epochs in amounts]
    return Column("time, trials, epochs", spent)


def _configurations(table: pd.DataFrame, names: Sequence[str], epoch: str | None) -> tuple[list[Column], str]:
    """The hyperparameters that differ between rows, and a sentence with those that do not."""
    same = [name for name in names if len(table) > 1 and table[name].map(value_text).nunique() == 1]
    rows = []
    for _, row in table.iterrows():
        values = [
            f"{name.removeprefix(_BEST)}={value_text(row[name])}"
            for name in names
            if name not in same and not is_missing(row[name])
        ]
        rows.append(", ".join(values + ([f"epochs={row[epoch]}"] if epoch else [])))
    listed = ", ".join(f"{name.removeprefix(_BEST)}={value_text(table[name].iloc[0])}" for name in same)
    return [_numbers(len(table)), text_column("configuration", rows)], listed


def _modules(table: pd.DataFrame, column: str) -> list[str]:
    return [str(module) for module in table[column]] if column in table else []


def _numbers(rows: int) -> Column:
    return Column("#", [Cell(str(i)) for i in range(1, rows + 1)])


def best_metric(runs: Sequence[RecordedRun]) -> str:
    """The test metric that stands for the objective of the runs: of several, the first run's that all have."""
    shared: Any = [run.metric for run in runs if all(run.metric in other.summary["test"] for other in runs)]
    return f"test.{shared[0] if shared else runs[0].metric}"
