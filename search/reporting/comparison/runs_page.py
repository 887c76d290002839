"""Several runs side by side as a page that needs no network."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from markupsafe import Markup

from search.reporting.comparison.folders import short_names
from search.reporting.comparison.pairs import Pair
from search.reporting.comparison.run_table import HIGH, LOW
from search.reporting.comparison.show import chosen, comparison, scores, shared_facts
from search.reporting.comparison.text_columns import Column
from search.reporting.report.figures import LEFT, RIGHT, TOP, WIDTHS
from search.reporting.report.figures.overview import Measured, scores_with_intervals
from search.reporting.report.page import dress, environment
from search.reporting.report.promotion_chains import incumbent
from search.reporting.report.run_files import RecordedRun
from search.reporting.report.sections.answer import spoken
from search.reporting.report.svg import Drawing, Scale, number, padded

# More lines cannot be told apart, nor more bars be taken in.
_MOST_LINES, _MOST_BARS = 8, 40
_HEIGHT, _BELOW = 320, 42
_WIDEST = 24  # characters of a run's name beside its bar


class Part(NamedTuple):
    """A part of a page.

    Attributes:
        heading: Its heading.
        pictures: One, or one in each of `WIDTHS`.
        caption: The text below a picture, or above a table.
        columns: A table.
        links: For each row the address behind its first cells; None for none.
        note: A sentence at the end.
    """

    heading: str
    pictures: Sequence[Markup] = ()
    caption: str = ""
    columns: Sequence[Column] = ()
    links: Sequence[str] | None = None
    note: str = ""


def page_of_parts(title: str, parts: Sequence[Part]) -> str:
    """The page as HTML."""
    filled: list[dict[str, Any]] = [{**part._asdict(), "content": rows(part.columns)} for part in parts]
    return environment().get_template("comparison.html").render(**dress(), title=title, parts=filled)


def rows(columns: Sequence[Column]) -> dict[str, object]:
    """Columns as the templates take them."""
    return {
        "heads": [(column.name, column.is_text, column.breaks) for column in columns],
        "rows": list(zip(*(column.cells for column in columns), strict=True)),
    }


def runs_page(
    runs: Sequence[RecordedRun],
    table: pd.DataFrame,
    found: Sequence[Pair],
    shown: Sequence[str],
    beside: Path | None,
) -> str:
    """A page with a row per run.

    Args:
        runs: The runs, in the order of the table.
        table: The runs; see `table_of_runs`.
        found: The comparison of each run with the best, by its label in the table.
        shown: The metrics of the tables, the one that counts first.
        beside: The folder in which the page will stand, for links to the reports; None: not known.
    """
    by = shown[0]
    names = short_names([run.folder.path for run in runs])
    links = [_link(run, beside) for run in runs]
    parts = []
    if picture := _intervals(names, table, by):
        caption = f"{spoken(by.removeprefix('test.'))} on the test split, with its 95 % interval over the test rows."
        parts.append(Part("Scores", [picture], caption))
    parts.append(Part("" if parts else "Scores", (), "Test split", scores(runs, table, shown, None), links))
    compared = comparison(found, table.index.tolist()) if any(pair.behind for pair in found) else []
    alone = "" if compared or len(runs) < 2 else "No two runs were tested on the same rows."
    parts.append(Part("Is the best one better?", (), "Paired bootstrap on the same test rows", compared, None, alone))
    if curves := best_so_far(runs, names):
        caption = "The best validation score after so many epochs of training, of all trials together."
        parts.append(Part("The searches", curves, caption))
    columns, same = chosen(table)
    note = f"The same in all: {same}" if same else ""
    parts.append(Part("What each chose", (), "Best configuration", columns, None, note))
    facts = shared_facts(table, "dataset", "seed")
    return page_of_parts(
        f"{len(runs)} run{'' if len(runs) == 1 else 's'}{f' of {facts}' if facts else ''}",
        [part for part in parts if part.pictures or part.columns or part.note],
    )


def best_so_far(runs: Sequence[RecordedRun], names: Sequence[str]) -> list[Markup]:
    """The best score of each run over the epochs that its trials took; none unless all were ranked by one objective."""
    if len({run.objective for run in runs}) > 1 or not 1 < len(runs) <= _MOST_LINES:
        return []
    return [_best_so_far(runs, names, width) for width in WIDTHS]


def _best_so_far(runs: Sequence[RecordedRun], names: Sequence[str], width: int) -> Markup:
    objective = runs[0].objective
    paths = [incumbent(run.trials, higher_is_better=run.higher_is_better) for run in runs]
    height = _HEIGHT + 12 + 18 * len(runs)
    drawing = Drawing(width, height, f"The best {objective} of {len(runs)} runs over their epochs")
    x = Scale(0, max(1, *(path.total for path in paths)), LEFT, width - RIGHT)
    y = Scale(*padded([score for path in paths for score in path.score]), _HEIGHT - _BELOW, TOP)
    drawing.axes(x, y, "epochs of all trials together", objective, about=8 if width > 500 else 4)
    for i, (path, name) in enumerate(zip(paths, names, strict=True)):
        told = f"{name}: {number(path.score[-1], 4)} after {path.total:,} epochs"
        points = [(x(at), y(score)) for at, score in zip(path.epochs, path.score, strict=True)]
        drawing.line([*points, (x(path.total), points[-1][1])], f"c{i} thick", told, steps=True)
        drawing.dot(x(path.total), points[-1][1], 3.5, f"f{i}", told)
        below = _HEIGHT + 12 + 18 * i
        drawing.rule(LEFT, below, LEFT + 22, below, f"c{i} thick")
        drawing.text(LEFT + 30, below + 4, told, room=width - LEFT - 40)
    return drawing.svg()


def _intervals(names: Sequence[str], table: pd.DataFrame, by: str) -> Markup | None:
    if by + LOW not in table or not 1 < len(table) <= _MOST_BARS or not by.startswith("test."):
        return None
    ends = zip(table[by + LOW].astype(float), table[by + HIGH].astype(float), strict=True)
    measured = [
        Measured(
            f"#{i + 1} {name if len(name) <= _WIDEST else name[: _WIDEST - 1] + '…'}", float(score), interval, i == 0
        )
        for i, (name, score, interval) in enumerate(zip(names, table[by], ends, strict=True))
        if score == score
    ]
    return scores_with_intervals(measured, spoken(by.removeprefix("test.")))


def _link(run: RecordedRun, beside: Path | None) -> str:
    report = run.folder.report.absolute()
    return report.as_uri() if beside is None else Path(os.path.relpath(report, beside.absolute())).as_posix()
