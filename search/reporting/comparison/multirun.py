"""The summary of a multirun: what each run reached, and the means over seeds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from rich.console import Console
from rich.table import Table

from search.evaluation.metric_list import shown_in
from search.reporting.comparison.attempts import FINISHED, Attempt
from search.reporting.comparison.multirun_page import Summary, page
from search.reporting.comparison.run_table import default_columns
from search.reporting.comparison.seed_groups import SEED, TESTED, grouped, table_of_attempts, varying
from search.reporting.comparison.show import (
    baseline_column,
    best_metric,
    metric_column,
    positive_classes,
    verdict_column,
)
from search.reporting.comparison.text_columns import (
    Cell,
    Column,
    fitting,
    is_missing,
    markdown,
    screen_table,
    text_column,
)
from search.reporting.report.run_files import RecordedRun, read_run
from search.reporting.report.sections.answer import spoken
from search.utils.files import whole_file, write_text

_SHOWN = 5
# Rows on the terminal; the files have all.
_MOST_ROWS = 50


def summarise(sweep: Path, attempts: Sequence[Attempt], console: Console | None = None) -> None:
    """Writes summary.csv, groups.csv, summary.md and summary.html to the folder of a multirun, and prints the tables.

    Args:
        sweep: The folder.
        attempts: The runs, of which at least one finished.
        console: Where to print; None: the terminal.
    """
    runs = {i: read_run(one.folder) for i, one in enumerate(attempts) if one.status == FINISHED}
    table, keys = table_of_attempts(attempts, runs), varying(attempts)
    metrics = _metrics(list(runs.values()), table)
    others = [key for key in keys if key != SEED]
    means = grouped(table, others, metrics)
    columns = dict.fromkeys(["run", "status", "error", *keys, *default_columns(table)])
    for name, content in (("summary.csv", table[list(columns)]), ("groups.csv", means.drop(columns=TESTED))):
        with whole_file(sweep / name) as beside:
            content.to_csv(beside, index=False)
    each, groups = run_columns(table, keys, metrics), group_columns(means, others, metrics)
    positive, failures = positive_classes(list(runs.values())), _failures(attempts)
    counts = f"{_counted(len(attempts), 'run')}, {len(runs)} finished"
    told = f"{positive}\n\n" if positive else ""
    listed = "".join(f"- {failure}\n" for failure in failures)
    write_text(
        sweep / "summary.md",
        f"# {sweep.name}: {counts}\n\n## Mean and standard deviation over seeds, on the test split\n\n"
        f"{told}{markdown(groups)}\n## Runs\n\n{markdown(each)}" + (f"\n{listed}" if listed else ""),
    )
    found = Summary(sweep, attempts, keys, metrics, table, means, each, groups, failures, positive)
    write_text(sweep / "summary.html", page(found))
    _show(console or Console(), found, counts)


def _show(console: Console, found: Summary, counts: str) -> None:
    def say(sentence: str) -> None:
        console.print(sentence, highlight=False, markup=False, soft_wrap=True)

    say(f"\nMultirun: {counts}")
    if len(found.attempts) <= _MOST_ROWS:
        console.print(_fitted(found.each, len(found.keys) + 2, console.width))
    if len(found.means) < len(found.attempts):
        say("Mean and standard deviation over seeds, on the test split")
        console.print(_fitted(found.groups, len(found.groups) - len(found.metrics) + 1, console.width))
    for sentence in (found.positive, *found.failures):
        if sentence:
            say(sentence)
    say(f"Summary: {found.sweep / 'summary.html'}")


def _fitted(columns: Sequence[Column], least: int, room: int) -> Table:
    """The first columns (what varies, the metric that counts), and as many of the others as fit."""
    return screen_table([*columns[:least], *fitting(columns[:least], columns[least:], room)], room)


def run_columns(table: pd.DataFrame, keys: Sequence[str], metrics: Sequence[str]) -> list[Column]:
    """A row per run: what was varied, its scores with their intervals, or why it has none."""
    notes = ["" if status == FINISHED else status for status in table["status"]]
    columns = [text_column("run", table["run"], notes), *(text_column(_last(key), table[key]) for key in keys)]
    columns += [metric_column(table, metric) for metric in metrics[:1]]
    columns += [baseline_column(table, metrics[0]), verdict_column(table, metrics[0])]
    if "best.module" in table:
        columns.append(text_column("module", table["best.module"]))
    seconds = Column("time", [Cell("-" if is_missing(one) else f"{one:,.0f} s") for one in table["seconds.total"]])
    return [*columns, seconds]


def group_columns(means: pd.DataFrame, keys: Sequence[str], metrics: Sequence[str]) -> list[Column]:
    """A row per group: what was varied but for the seed, how many runs, mean and standard deviation."""
    columns = [text_column(_last(key), means[key]) for key in keys]
    columns.append(Column("runs", [Cell(str(one)) for one in means["runs"]]))
    if means["unfinished"].any():
        columns.append(Column("unfinished", [Cell(str(one)) for one in means["unfinished"]]))
    for metric in metrics:
        pairs = zip(means[f"{metric}.mean"], means[f"{metric}.sd"], strict=True)
        cells = [
            Cell("-" if is_missing(mean) else f"{mean:.3f}{'' if is_missing(sd) else f' ± {sd:.3f}'}")
            for mean, sd in pairs
        ]
        columns.append(Column(spoken(metric.removeprefix("test.")), cells))
    return columns


def _metrics(runs: Sequence[RecordedRun], table: pd.DataFrame) -> list[str]:
    """The test metrics to show: the objective's first, then those that all runs have."""
    first = [best_metric(runs), *(f"test.{run.metric}" for run in runs)]
    finished = table[table["status"] == FINISHED]
    tested = [f"test.{name}" for name in shown_in("multirun")]
    further = [name for name in tested if finished.get(name, pd.Series([None])).notna().all()]
    return list(dict.fromkeys([*first, *further]))[:_SHOWN]


def _last(key: str) -> str:
    """The last part of a dotted key."""
    return key.rpartition(".")[2]


def _failures(attempts: Sequence[Attempt]) -> list[str]:
    """The errors of the multirun, each with the runs that it ended."""
    runs: dict[str, list[str]] = {}
    for one in attempts:
        if one.status != FINISHED:
            runs.setdefault(f"{one.status}: {one.error}".rstrip(": "), []).append(one.folder.name)
    return [f"{', '.join(names)} {what}" for what, names in runs.items()]


def _counted(number: int, name: str) -> str:
    return f"{number} {name}{'' if number == 1 else 's'}"
