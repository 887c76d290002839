"""The kinds of columns beside the texts: numbers, categories or dates, by their values."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search.config.dataset import DatasetConfig
from search.datasets.beside import CATEGORY, DATE, ISO, MISSING, NUMBER, TEXTS, Column, read_as, written
from search.datasets.hints import require_known
from search.datasets.text_columns import text_columns
from search.errors import InputError
from spaces import AUTO

KINDS = (AUTO, NUMBER, CATEGORY, DATE)
RAREST = 5
"""Rows that a category stands in at least; rarer ones count as one."""

_ALMOST = 0.9
_TRIED = 20
# Years of two digits, which pandas does not guess.
_SHORT_YEARS = ("%d-%b-%y", "%m/%d/%y", "%d/%m/%y", "%d.%m.%y")


def asked_columns(config: DatasetConfig) -> dict[str, str]:
    """The columns that a data set names beside its text, each with its kind or `auto`.

    Raises:
        InputError: The setting cannot be read, or one of them is the text, the label or the splits.
    """
    given = config.columns
    if given is None:
        return {}
    key = "dataset.columns"
    if isinstance(given, Mapping):
        asked = {str(name).strip(): AUTO if kind is None else kind for name, kind in given.items()}
    elif _is_listed(given) and all(isinstance(one, str | int | float) for one in given):
        asked = dict.fromkeys((str(one).strip() for one in given), AUTO)
    else:
        raise InputError(
            f"{key}={given}: expected a list of columns, [price,brand], or {{price: number, brand: category}}"
        )
    if not asked or len(asked) < len(given):
        raise InputError(f"{key}={given}: expected one column or more, each once; null: none")
    for name, kind in asked.items():
        require_known(kind, KINDS, f"{key}.{name}")
        for other in ("text", "label", "split_column"):
            names = text_columns(config.text) if other == "text" else (str(getattr(config, other)),)
            if name in (one.strip() for one in names):
                raise InputError(f"{key}: {name!r} is the column of dataset.{other}: leave it out of {key}")
    return asked


def _is_listed(given: Any) -> bool:
    """Whether a setting is a list, of Python's or of the composed configuration."""
    return isinstance(given, Sequence) and not isinstance(given, str)


def found_columns(
    asked: Mapping[str, str], table: Mapping[str, NDArray[np.object_]], rows: NDArray[np.int64], where: str
) -> tuple[Column, ...]:
    """Finds of which kind columns are: numbers if all their values are, else dates, else categories.

    Args:
        asked: From `asked_columns`.
        table: The values of each.
        rows: The number of each row, for messages.
        where: The table, for messages.

    Raises:
        InputError: A column holds nothing, always the same, or nothing that comes up again; or it is of numbers or
            dates but for some rows.
    """
    inputs = _inputs(asked)
    return tuple(_found(name, kind, inputs[name], table[name], rows, where) for name, kind in asked.items())


def _inputs(names: Iterable[str]) -> dict[str, str]:
    """A name for each column that every format of models takes: letters, digits and underscores."""
    found: dict[str, str] = {}
    for name in names:
        plain = re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_").lower() or "column"
        plain = f"column_{plain}" if plain[0].isdigit() or plain == TEXTS else plain
        taken = set(found.values())
        numbers = (plain if number == 1 else f"{plain}_{number}" for number in range(1, len(taken) + 2))
        found[name] = next(one for one in numbers if one not in taken)
    return found


def _found(name: str, kind: str, made: str, values: NDArray[np.object_], rows: NDArray[np.int64], where: str) -> Column:
    column = f"Column {name!r} of {where} (dataset.columns)"
    words = written(values)
    distinct, counts = np.unique(words, return_counts=True)
    if all(one.lower() in MISSING for one in distinct):
        raise InputError(f"{column} holds nothing in any row: leave it out")
    if len(distinct) == 1:
        raise InputError(f"{column} holds {distinct[0]!r:.80} in every row, which tells nothing: leave it out")
    there = np.array([one for one in distinct if one.lower() not in MISSING], object)
    candidates = [Column(name, NUMBER, made), *(Column(name, DATE, made, one) for one in _formats(there.tolist()))]
    tried = [(one, read_as(distinct, one)[1]) for one in candidates if kind in (AUTO, one.kind)]
    for candidate, wrong in tried:
        if not wrong.any():
            return candidate
    if tried:
        candidate, wrong = min(tried, key=lambda one: int(counts[one[1]].sum()))
        # Of another kind by a mistake in some rows, or than it was said to be.
        if kind != AUTO or counts[wrong].sum() <= (1 - _ALMOST) * len(words):
            at = int(np.flatnonzero(np.isin(words, distinct[wrong]))[0])
            raise InputError(
                f"{column} holds {candidate.kind}s, but row {rows[at]:,} has {words[at]!r:.80}, the first of "
                f"{int(counts[wrong].sum()):,} such rows: correct them, or set dataset.columns={{{name}: category}}"
            )
    if counts.max() < RAREST:
        others = "holds neither numbers nor dates of one format, and " if kind == AUTO else ""
        raise InputError(
            f"{column} {others}has no category that stands in {RAREST} rows or more, such as {there[0]!r:.60}: leave "
            "it out"
        )
    return Column(name, CATEGORY, made)


def _formats(values: Sequence[str]) -> Iterator[str]:
    """Formats that dates may have; of 1/2/2026 the month is the first."""
    yield ISO
    # Those of the first value that looks like a date: a few others may be mistakes.
    yield from next(filter(None, map(_written_as, values[:_TRIED])), [])


def _written_as(value: str) -> list[str]:
    import pandas as pd
    from pandas.tseries.api import guess_datetime_format

    with warnings.catch_warnings():  # that the day is the first of no date in ISO's format
        warnings.simplefilter("ignore")
        guessed = [guess_datetime_format(value, dayfirst=dayfirst) for dayfirst in (False, True)]
    short = [one for one in _SHORT_YEARS if not pd.isna(pd.to_datetime(value, format=one, errors="coerce"))]
    # Nobody writes year, day and month, which could be taken for ISO's format.
    return [one for one in dict.fromkeys([*guessed, *short]) if one is not None and not one.startswith("%Y-%d")]
