"""The summary of a multirun as a page that needs no network."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd
from markupsafe import Markup

from search.evaluation.metrics import direction
from search.reporting.comparison.attempts import FINISHED, Attempt
from search.reporting.comparison.curve import amounts, learning_curve
from search.reporting.comparison.run_table import HIGH, LOW
from search.reporting.comparison.runs_page import rows
from search.reporting.comparison.seed_groups import SEED, TESTED, label_of
from search.reporting.comparison.text_columns import Column
from search.reporting.report.figures import WIDTHS
from search.reporting.report.figures.overview import Measured, scores_with_intervals
from search.reporting.report.page import dress, environment
from search.reporting.report.sections.answer import spoken

# More groups than that are no picture.
_MOST_GROUPS = 40


class Summary(NamedTuple):
    """A multirun.

    Attributes:
        sweep: Its folder.
        attempts: The runs.
        keys: The overrides that vary.
        metrics: Columns of the tables, the one that counts first.
        table: A row per run; see `table_of_attempts`.
        means: A row per group; see `grouped`.
        each: The runs as columns of text.
        groups: The groups as columns of text.
        failures: The errors, in sentences.
        positive: The positive class, in a sentence; None without two classes.
    """

    sweep: Path
    attempts: Sequence[Attempt]
    keys: Sequence[str]
    metrics: Sequence[str]
    table: pd.DataFrame
    means: pd.DataFrame
    each: Sequence[Column]
    groups: Sequence[Column]
    failures: Sequence[str]
    positive: str | None


def page(found: Summary) -> str:
    """The page as HTML."""
    metric = found.metrics[0]
    amount = amounts(found.table, found.keys)
    curves = amount and [learning_curve(found.table, found.keys, amount, metric, width) for width in WIDTHS]
    finished = sum(one.status == FINISHED for one in found.attempts)
    links = [
        Path(os.path.relpath(one.folder / "report.html", found.sweep)).as_posix() if one.status == FINISHED else None
        for one in found.attempts
    ]
    return (
        environment()
        .get_template("multirun.html")
        .render(
            **dress(),
            name=found.sweep.name,
            folder=str(found.sweep),
            runs=len(found.attempts),
            finished=finished,
            metric=spoken(metric.removeprefix("test.")),
            several=bool(found.means["runs"].max() > 1),
            curves=curves,
            over=amount and amount.label,
            picture=_picture(found.means, [key for key in found.keys if key != SEED], metric),
            groups=rows(found.groups),
            each=rows(found.each),
            links=links,
            failures=found.failures,
            positive=found.positive,
        )
    )


def _picture(means: pd.DataFrame, keys: Sequence[str], metric: str) -> Markup | None:
    """A picture of the groups side by side; the best one of those with the same test rows is highlighted."""
    known = means[means[f"{metric}.mean"].notna()]
    if not 1 < len(known) <= _MOST_GROUPS:
        return None
    scores = known[f"{metric}.mean"]
    scores = scores if direction(metric.removeprefix("test.")) == "max" else -scores
    tested = known[TESTED].fillna("")
    best = {group.idxmax() for _, group in scores.groupby(tested) if len(group) > 1}
    measured = []
    for i, row in known.iterrows():
        ends = (float(row[metric + LOW]), float(row[metric + HIGH]))
        # Of two or three runs the interval says little but that they are few: it would take all the room.
        interval = ends if ends[0] == ends[0] and row["runs"] != 2 else None
        measured.append(Measured(label_of(row, keys), float(row[f"{metric}.mean"]), interval, i in best))
    return scores_with_intervals(measured, f"mean {spoken(metric.removeprefix('test.'))}")
