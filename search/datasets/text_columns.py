"""The columns of the texts: their names, the text of a row that has several, and its parts again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search.errors import InputError

LINE = "\n"
"""Stands between the texts of a row's columns."""
EMPTY = "-"
"""Stands for a column that has no text, where another of the row has one."""


def text_columns(given: Any) -> tuple[str, ...]:
    """The names of the columns of texts, from `dataset.text`: one, or a list.

    Raises:
        InputError: It is neither, or names a column twice.
    """
    if isinstance(given, str):
        return (given,)
    listed = [*given] if isinstance(given, Sequence) else [given]
    names = tuple(_name(one) for one in listed)
    if "" in names or len({*names}) < len(names) or not names:
        raise InputError(
            f"dataset.text={as_typed([*map(str, listed)])}: expected a column, or a list of several, each once"
        )
    return names


def as_typed(names: Sequence[str]) -> str:
    """Names of columns as `dataset.text` takes them."""
    return names[0] if len(names) == 1 else f"[{','.join(names)}]"


def joined_text(parts: Sequence[str | None]) -> str | None:
    """The text of a row: of several columns a line for each, `EMPTY` where one holds nothing.

    Args:
        parts: The text of each column. That of a single one stays as it is; line breaks within one of several become
            spaces.

    Returns:
        The text; "" where no part holds anything, None where all are missing.
    """
    if len(parts) == 1:
        return parts[0]
    lines = [" ".join((part or "").split(LINE)).strip() for part in parts]
    if not any(lines):
        return None if all(part is None for part in parts) else ""
    return LINE.join(line or EMPTY for line in lines)


def column_texts(texts: NDArray[np.object_], column: int, columns: int) -> NDArray[np.object_]:
    """The texts [n] of one of the columns of which `joined_text` made texts [n]; "" where it holds nothing."""
    found = np.empty(len(texts), dtype=object)
    for row, text in enumerate(texts):
        lines = text.split(LINE, columns - 1)
        found[row] = lines[column] if column < len(lines) and lines[column] != EMPTY else ""
    return found


def words_left_out(text: str, columns: int, most: int) -> tuple[list[str], list[str]]:
    """The words of a text, by white space, and the text without each of the first so many.

    Args:
        text: The text.
        columns: Number of columns of texts, whose lines stay.
        most: Words that are left out, one at a time.
    """
    lines = [line.split() for line in (text.split(LINE, columns - 1) if columns > 1 else [text])]
    whole = [" ".join(line) for line in lines]
    without = (
        joined_text([*whole[:row], " ".join(line[:at] + line[at + 1 :]), *whole[row + 1 :]]) or ""
        for row, line in enumerate(lines)
        for at in range(len(line))
    )
    return [word for line in lines for word in line], list(islice(without, most))


def joined_texts(columns: Sequence[NDArray[np.object_]]) -> NDArray[np.object_]:
    """The texts of rows, from their columns, [n] object each: str or None. One column stays as it is."""
    if len(columns) == 1:
        return columns[0]
    texts = np.empty(len(columns[0]), dtype=object)
    texts[:] = [joined_text(parts) for parts in zip(*columns, strict=True)]
    return texts


def text_at(places: Sequence[int]) -> Callable[[Sequence[str]], str]:
    """A function that gives the text of a row, without white space around it, from the places of its columns."""
    if len(places) == 1:  # most tables, which it is faster for
        place = places[0]
        return lambda row: row[place].strip()
    return lambda row: joined_text([row[one] for one in places]) or ""


def _name(given: Any) -> str:
    """A name as typed, where YAML and Hydra read a number or a boolean; "" of what can be none."""
    if isinstance(given, bool):
        return str(given).lower()
    return str(given).strip() if isinstance(given, str | int | float) else ""
