"""Columns of text, for a terminal and for Markdown."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, Literal, NamedTuple

from rich import box
from rich.markup import escape
from rich.table import Table

# The width in characters to which a column that may be broken can always be narrowed down.
_WIDEST = 22
# The least width of a column of words, however little room there is.
_NARROWEST = 8
# Characters between two columns.
_GAP = 2


class Cell(NamedTuple):
    """A value and a note on it: below it on a terminal, in brackets in Markdown."""

    value: str
    note: str = ""


class Column(NamedTuple):
    """A column of a table.

    Attributes:
        name: Its heading.
        cells: A cell per row.
        is_text: Whether cells are aligned left, as words are; numbers are aligned right.
        breaks: Whether a cell may take several lines where the terminal is narrow.
    """

    name: str
    cells: list[Cell]
    is_text: bool = False
    breaks: bool = False

    @property
    def whole_width(self) -> int:
        """The width in characters that breaks no cell; only the words of the heading stand below one another."""
        return max(map(len, [*self._texts, *self.name.split()]), default=0)

    @property
    def width(self) -> int:
        """The width in characters that breaks no word, unless it is a very long one."""
        return (
            max(self._longest(self.name), min(self._longest(*self._texts), _WIDEST))
            if self.breaks
            else self.whole_width
        )

    @property
    def least_width(self) -> int:
        """The width in characters that breaks no word of plain letters; names of runs and settings may be broken."""
        plain = [word for text in self._texts for word in text.split() if word.isalpha()]
        return max(_NARROWEST, min(self._longest(*plain), self.width))

    @property
    def _texts(self) -> list[str]:
        return [text for cell in self.cells for text in cell]

    @staticmethod
    def _longest(*texts: str) -> int:
        return max((len(word) for text in texts for word in text.split()), default=0)


def text_column(name: str, values: Iterable[Any], notes: Iterable[str] = ()) -> Column:
    """A column of words, with a note below each."""
    words = ["-" if is_missing(value) else str(value) for value in values]
    cells = [Cell(*pair) for pair in zip(words, [*notes] or [""] * len(words), strict=True)]
    return Column(name, cells, is_text=True, breaks=True)


def score_cell(score: Any, low: Any = None, high: Any = None) -> Cell:
    """A score with its interval, where it has one."""
    if is_missing(score):
        return Cell("-")
    has_interval = not (is_missing(low) or is_missing(high))
    return Cell(f"{score:.3f}", f"{low:.3f} to {high:.3f}" if has_interval else "")


def is_missing(value: Any) -> bool:
    """Whether there is no value."""
    return value is None or (isinstance(value, float) and math.isnan(value)) or bool(value != value)


def fitting(columns: Sequence[Column], extra: Sequence[Column], room: int) -> list[Column]:
    """The extra columns that fit beside those that must be there; `room` is in characters."""
    left = room - sum(column.width + _GAP for column in columns)
    found = []
    for column in extra:
        left -= column.width + _GAP
        if left < 0:
            break
        found.append(column)
    return found


def screen_table(columns: Sequence[Column], room: int) -> Table:
    """A table for a terminal that is `room` characters wide."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for column, width in zip(columns, _widths(columns, room), strict=True):
        justify: Literal["left", "right"] = "left" if column.is_text else "right"
        table.add_column(column.name, justify=justify, overflow="fold", width=width)
    for cells in zip(*(column.cells for column in columns), strict=True):
        table.add_row(*(escape(value) + (f"\n[dim]{escape(note)}[/dim]" if note else "") for value, note in cells))
    return table


def _widths(columns: Sequence[Column], room: int) -> list[int]:
    """The widths in characters: where room is short, long names are broken first, then words, numbers last of all."""
    widths = [column.width for column in columns]
    left = room - sum(width + _GAP for width in widths)
    for i, column in enumerate(columns):
        if column.breaks and left > 0:
            wider = min(column.whole_width - widths[i], left)
            widths[i], left = widths[i] + wider, left - wider
    for least in ([column.least_width for column in columns], [_NARROWEST] * len(columns)):
        while left < 0:
            wide = [i for i, column in enumerate(columns) if column.breaks and widths[i] > least[i]]
            if not wide:
                break
            widest = max(wide, key=lambda i: (widths[i], i))
            widths[widest], left = widths[widest] - 1, left + 1
    return widths


def markdown(columns: Sequence[Column]) -> str:
    """The table in Markdown."""
    rows = [[_line(f"{value} ({note})" if note else value) for value, note in column.cells] for column in columns]
    head = [[_line(column.name), ":--" if column.is_text else "--:"] for column in columns]
    lines = zip(*([*top, *below] for top, below in zip(head, rows, strict=True)), strict=True)
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _line(text: str) -> str:
    return " ".join(text.split()).replace("\\", "\\\\").replace("|", "\\|")
