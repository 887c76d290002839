"""Columns of numbers, categories and dates beside the texts, and their values as a model takes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from search.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

NUMBER, CATEGORY, DATE = "number", "category", "date"
TEXTS = "texts"
"""The name of a model's input of texts, beside which each column has an input of its own."""
MISSING = frozenset(("", "na", "n/a", "nan", "null", "none", "-", "?"))
"""How numbers and dates say that there is none, in small letters."""
ISO = "ISO8601"
PERIODS = (365.2425 * 86_400, 7 * 86_400.0, 86_400.0)
"""Seconds after which the parts of a date come round again: the time of the year, of the week and of the day."""


@dataclass(frozen=True)
class Column:
    """A column beside the texts.

    Attributes:
        name: Its name in the table.
        kind: `NUMBER`, `CATEGORY` or `DATE`.
        input: The name of the model's input for it.
        format: How a date is written, as `pandas.to_datetime` takes it.
    """

    name: str
    kind: str
    input: str
    format: str | None = None

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Self:
        """The column of a record that JSON has kept of its attributes."""
        return cls(str(record["name"]), str(record["kind"]), str(record["input"]), record["format"])

    def values(self, given: Sequence[Any] | NDArray[Any], rows: Iterable[int], where: str) -> NDArray[Any]:
        """Reads values.

        Args:
            given: As the table holds them [n].
            rows: Their rows, for messages.
            where: The table, for messages.

        Returns:
            [n] float64 of a number, or of a date in seconds since 1970 (UTC), NaN where it is missing; [n] object of
            categories, "" where it is missing.

        Raises:
            InputError: One is neither missing nor of the kind.
        """
        words = written(given)
        if self.kind == CATEGORY:
            return words
        found, wrong = read_as(words, self)
        for row, text, bad in zip(rows, words, wrong, strict=True):
            if bad:
                raise InputError(f"Row {row:,} of {where} has {text!r:.80} as {self.name!r}: expected {self._expected}")
        return found

    @property
    def _expected(self) -> str:
        how = ", such as 2026-01-31" if self.format in (None, ISO) else f" as {self.format} or 2026-01-31"
        return "a number, or nothing" if self.kind == NUMBER else f"a date{how}, or nothing"


def beside(columns: Sequence[Column], table: Mapping[str, Any], rows: Iterable[int], where: str) -> NDArray[Any] | None:
    """The columns of some rows as one structured array, a field for each by the name of its input; None without any.

    Raises:
        InputError: A value cannot be read: see `Column.values`.
    """
    if not columns:
        return None
    rows = list(rows)
    made = np.empty(len(rows), fields_of(columns))
    for column in columns:
        made[column.input] = column.values(table[column.name], rows, where)
    return made


def fields_of(columns: Sequence[Column]) -> list[tuple[str, Any]]:
    """The fields of the array of `beside`, and their types."""
    return [(column.input, np.object_ if column.kind == CATEGORY else np.float64) for column in columns]


def joined(texts: NDArray[np.object_], columns: NDArray[Any] | None) -> NDArray[Any]:
    """The rows of a model: the texts [n] alone, or a structured array [n] of them and the columns beside them."""
    if columns is None:
        return texts
    names = columns.dtype.names or ()
    made = np.empty(len(texts), [(TEXTS, np.object_), *((name, columns.dtype[name]) for name in names)])
    made[TEXTS] = texts
    for name in names:
        made[name] = columns[name]
    return made


def texts_of(rows: NDArray[Any]) -> NDArray[np.object_]:
    """The texts of what `joined` gives, strings [n]."""
    texts: NDArray[np.object_] = rows[TEXTS] if rows.dtype.names else rows
    return texts


def written(values: Sequence[Any] | NDArray[Any]) -> NDArray[np.object_]:
    """Values of any format as they would stand in a CSV, "" where one is missing."""
    made = np.empty(len(values), dtype=object)
    made[:] = [_word(value) for value in values]
    return made


def _word(value: Any) -> str:
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool | np.bool_):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    word = str(value)
    # In that order of None, of floats, of dates and of numbers in pandas.
    return "" if word in ("None", "nan", "NaT", "<NA>") else word


def read_as(words: NDArray[np.object_], column: Column) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Numbers or dates as numbers, NaN where there is none; and which of them are neither that nor missing."""
    import pandas as pd  # takes its time to load

    missing = np.array([one.lower() in MISSING for one in words], dtype=bool)
    values = pd.Series([None if gone else word for gone, word in zip(missing, words, strict=True)], dtype="object")
    if column.kind == NUMBER:
        found = pd.to_numeric(values, errors="coerce").to_numpy(np.float64, copy=True)
        found[np.isinf(found)] = np.nan
    else:
        moments = _moments(values, column.format)
        # Dates that are none by that format may be of a table that holds dates, not strings.
        others = moments.isna().to_numpy() & ~missing
        if others.any():
            moments = moments.where(~others, _moments(values.where(others, None), ISO))
        # In whole seconds they reach years that nanoseconds do not, such as the 9999 of "for ever".
        since = moments - pd.Timestamp(0, tz="UTC").as_unit("s")
        seconds = since / pd.Timedelta(seconds=1).as_unit("s")
        found = seconds.to_numpy(np.float64)
    wrong: NDArray[np.bool_] = np.isnan(found) & ~missing
    return found, wrong


def _moments(values: pd.Series[Any], form: str | None) -> pd.Series[Any]:
    import pandas as pd

    return pd.to_datetime(values, format=form, errors="coerce", utc=True)
