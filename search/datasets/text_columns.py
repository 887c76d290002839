"""The columns of the texts: their names, and the text of a row that has several."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search.errors import InputError

LINE = "\n"
"""Stands between the texts of a row's columns."""


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


def joined_text(parts: Iterable[str | None]) -> str | None:
    """The text of a row: its parts that hold something, without white space around them, each on a line of its own.

    Returns:
        The text; "" where no part holds anything, None where all are missing.
    """
    there = [part.strip() for part in parts if part is not None]
    return LINE.join(filter(None, there)) if there else None


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
    return lambda row: joined_text(row[one] for one in places) or ""


def _name(given: Any) -> str:
    """A name as typed, where YAML and Hydra read a number or a boolean; "" of what can be none."""
    if isinstance(given, bool):
        return str(given).lower()
    return str(given).strip() if isinstance(given, str | int | float) else ""
