"""Tables of numbers on a terminal."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rich import box
from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from search.evaluation.metric_list import Target

# Letters that the name of a class keeps, however many numbers stand beside it.
_NARROWEST = 8
# Letters between two columns, and at the edges of a table together.
_GAP = 2


def table_of_numbers(*columns: str) -> Table:
    """A table narrow enough for 80 columns; all but the first of its columns hold numbers."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for i, column in enumerate(columns):
        table.add_column(column, justify="right" if i else "left", no_wrap=True)
    return table


def table_of_classes(names: Sequence[str], columns: Mapping[str, Sequence[str]], room: int, of: str = "class") -> Table:
    """A table with a row per class; long names are cut, numbers never.

    Args:
        names: Names of the classes.
        columns: Heading (of one line or several) to a number for each class.
        room: The width of the table in characters.
        of: What the rows are of.
    """
    taken = sum(max(map(cell_len, [*head.split("\n"), *cells])) + _GAP for head, cells in columns.items())
    table = table_of_numbers(of, *columns)
    for name, *cells in zip(cut_names(names, max(_NARROWEST, room - taken - _GAP)), *columns.values(), strict=True):
        table.add_row(Text(name), *cells)
    return table


def cut_names(names: Sequence[str], room: int) -> list[str]:
    """Names cut to fit, in such a way that no two become the same.

    Args:
        names: Distinct names.
        room: Characters for each, at least 4.
    """
    lines = [" ".join("".join(one if one.isprintable() else " " for one in name).split()) for name in names]
    ways: list[Callable[[int, str], str]] = [
        lambda _, name: _cut(name, room),
        lambda _, name: _cut(name, room, room // 2),
        lambda place, name: _cut(f"{name} {place}", room, len(str(place))),
    ]
    for way in ways:
        found = [way(place, name) for place, name in enumerate(lines, 1)]
        if len(set(found)) == len(names):
            break
    return found


def _cut(name: str, room: int, of_end: int = 0) -> str:
    """A name cut to `room` columns, `of_end` of them from its end; wide characters, such as Chinese, take two."""
    if cell_len(name) <= room:
        return name
    start, end = name, name[len(name) - of_end :]
    while cell_len(end) > of_end:
        end = end[1:]
    while cell_len(start) > room - 1 - cell_len(end):
        start = start[:-1]
    return f"{start}…{end}"


def meaning_of_classes(classes: Sequence[str], target: Target) -> str | None:
    """The facts about classes that their scores are read by, in words; None where there are none.

    Of two, the one that precision, recall, F1 and the curves are about; of more ordered ones, the ends of their order.
    """
    if target.several:
        return "Several labels per row: each is predicted from a threshold of its own"
    if target.is_binary:
        return f"Positive class: {classes[1]}"
    return (
        f"Ordered classes, from {classes[0]} to {classes[-1]}: MAE counts the steps between them"
        if target.ordered
        else None
    )


def short(value: float | None, digits: int = 3) -> str:
    """A number with `digits` decimals; a dash where there is none."""
    return "-" if value is None or math.isnan(value) else f"{value:.{digits}f}"


def _signed(value: float | None, digits: int) -> str:
    """A difference with its sign; a dash where there is none."""
    return "-" if value is None or math.isnan(value) else f"{value:+.{digits}f}"


def short_time(milliseconds: float | None) -> str:
    """A time with three decimals; a dash where there is none."""
    return "<0.001" if milliseconds is not None and milliseconds < 0.001 else short(milliseconds)


def with_article(noun: str) -> str:
    """A noun behind its article."""
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def table_of_baselines(baselines: Mapping[str, Any], verdict: Mapping[str, Any], time: str = "ms a text") -> Table:
    """The test score of each baseline, and what the model gains over it; the best baseline stands out.

    Args:
        baselines: That part of summary.json.
        verdict: Likewise.
        time: The heading of the times.
    """
    metric = verdict["metric"]
    table = table_of_numbers("baseline", f"test\n{metric}", "gain", "95 % interval", "\n".join(time.rsplit(" ", 1)))
    # Where there is too little room, names go on in the next line, and numbers stay whole.
    table.columns[0].no_wrap = False
    for name, baseline in baselines.items():
        words = name.replace("_", " ")
        gain = verdict["gains"].get(name, {"gain": None, "interval": (None, None)})
        table.add_row(
            f"[bold]{words}[/bold]" if name == verdict["best_baseline"] else words,
            short(baseline.get("test", {}).get(metric)),
            _signed(gain["gain"], 3),
            " to ".join(_signed(end, 3) for end in gain["interval"]),
            short_time(baseline.get("milliseconds_per_text")),
        )
    return table


def table_of_ensembles(ensembles: Mapping[str, Any]) -> Table:
    """A table of the ensembles beside the best trial alone; the chosen one is highlighted.

    Args:
        ensembles: The `ensembles` of summary.json.
    """
    metric = ensembles["metric"]
    table = table_of_numbers("method", "valid", "test", "95 % interval", "gain over\nbest trial", "95 % interval")
    for name, method in ensembles["methods"].items():
        gain = method["against_best"]
        table.add_row(
            f"[bold]{name}[/bold]" if name == ensembles["chosen"] else name,
            short(method["valid"][metric]),
            short(method["test"][metric]),
            " to ".join(short(end) for end in method["test_interval"][metric]),
            _signed(gain["gain"], 4),
            " to ".join(_signed(end, 4) for end in gain["interval"]),
        )
    return table


def describe_texts(columns: Sequence[str]) -> str:
    """The columns whose texts are joined, in a sentence."""
    return f"A text is {', '.join(columns)} of a row, each on a line of its own, a dash where it is empty."


def describe_columns(columns: Sequence[Mapping[str, Any]]) -> str:
    """The columns that a model takes beside the texts, from summary.json, in a sentence."""
    named = [f"{one['name']} ({one['kind']})" for one in columns]
    return f"Columns that the model takes as well: {', '.join(named)}."
