"""Tables that are given from Python, kept as Parquet, which the ordinary reader then reads."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet

from search.datasets.content import IMAGE, TEXT, Content
from search.datasets.hints import find_column
from search.datasets.table import object_array
from search.datasets.text_columns import joined_text
from search.errors import InputError
from search.utils.files import whole_file

_EXPECTED = "expected a pandas DataFrame, a datasets.Dataset, a mapping of columns, or a pair (texts, labels)"
_SURROGATE = re.compile("[\ud800-\udfff]")  # half a letter, which UTF-8 cannot hold


def as_frame(given: Any, name: str, text: str, label: str) -> pd.DataFrame:
    """Turns what a person holds in memory into a table.

    Args:
        given: A pandas DataFrame; anything with `to_pandas`, such as a `datasets.Dataset`, whose class labels then bear
            their names; a mapping of columns; or a pair of texts and labels.
        name: The argument, for messages.
        text: The column that the texts of a pair become.
        label: The column that its labels become.

    Raises:
        InputError: It is none of these, its columns are of different lengths, or it has no rows.
    """
    if not isinstance(given, pd.DataFrame) and hasattr(given, "to_pandas"):
        given = _with_names(given)
    elif isinstance(given, Mapping):
        if given and all(hasattr(part, "columns") or hasattr(part, "to_pandas") for part in given.values()):
            splits = ", ".join(f"{name}[{key!r}]" for key in given)
            raise InputError(f"{name} holds several tables: give one of them, such as {splits}; others as valid, test.")
        given = _from_columns({str(key): column for key, column in given.items()}, name)
    elif isinstance(given, tuple | list) and len(given) == 2 and not any(isinstance(one, str) for one in given):
        given = _from_columns({text: given[0], label: given[1]}, name)
    if not isinstance(given, pd.DataFrame):
        raise InputError(f"{name} is of type {type(given).__name__}: {_EXPECTED}.")
    if isinstance(given.columns, pd.MultiIndex):
        raise InputError(f"{name} has columns of {given.columns.nlevels} levels: expected one name for each.")
    if given.empty:
        raise InputError(f"{name} has no rows.")
    return given


def positive_class(given: Any, label: str) -> str | None:
    """The second of the two names that a `datasets.Dataset` gives its classes; None where it names none, or others."""
    names = getattr((getattr(given, "features", None) or {}).get(label), "names", None)
    return str(names[1]) if isinstance(names, list) and len(names) == 2 else None


def texts_of(table: pd.DataFrame, columns: Sequence[str]) -> pd.Series[Any]:
    """The texts of a table's rows, with its index; those of several columns are joined.

    Raises:
        InputError: A column is not there, is there twice, or one of several holds no text.
    """
    names = [str(name) for name in table.columns]
    places = [find_column(names, name, "dataset.text", "The DataFrame") for name in columns]
    if len(places) == 1:
        return table.iloc[:, places[0]]
    parts = [as_texts(table.iloc[:, at], f"column {names[at]!r} of the DataFrame").to_pylist() for at in places]
    return pd.Series([joined_text(row) for row in zip(*parts, strict=True)], table.index, dtype=object)


def as_texts(column: pd.Series[Any], name: str) -> pa.Array:
    """Converts a column of texts; what is missing (None, NaN, NA) becomes null.

    Args:
        column: The column.
        name: Its name, for messages.

    Raises:
        InputError: A value is no text; the message names the first.
    """
    values = column.astype(object).where(column.notna(), None).tolist()
    for row, value in enumerate(values, 1):
        if value is not None and (not isinstance(value, str) or _SURROGATE.search(value)):
            raise InputError(f"Row {row:,} of {name} is {value!r:.80}: expected a text, or None where there is none.")
    return pa.array(values, pa.large_string())


def as_pictures(column: pd.Series[Any], name: str) -> pa.Array:
    """Converts a column of pictures, of the kinds of `search.datasets.images.given`; what is missing becomes null.

    Raises:
        InputError: A value is no picture and names none; the message names the first.
    """
    from search.datasets.images.given import with_bytes

    rows = [with_bytes(value, f"Row {row:,} of {name}") for row, value in enumerate(column.tolist(), 1)]
    return pa.array(rows, pa.struct({"bytes": pa.large_binary(), "path": pa.large_string()}))


def content_given(given: Any) -> Content:
    """The content of what a person holds in memory, by the types of its values: paths in strings are texts."""
    columns: Iterable[Any] = ()
    if not isinstance(given, pd.DataFrame) and hasattr(given, "to_pandas"):
        given = given[:1] if hasattr(given, "__getitem__") else given  # all of a large data set would take its time
        given = given.to_pandas() if hasattr(given, "to_pandas") else given
    if isinstance(given, pd.DataFrame):
        columns = (given.iloc[:, at] for at in range(given.shape[1]))
    elif isinstance(given, Mapping):
        columns = given.values()
    elif isinstance(given, tuple | list):
        columns = given[:1]
    return IMAGE if any(map(holds_pictures, columns)) else TEXT


def holds_pictures(values: Any) -> bool:
    """Whether the first value of a list, an array or a Series that is not missing is a picture."""
    if not hasattr(values, "__len__") or isinstance(values, str | bytes | Mapping):
        return False
    if getattr(values, "ndim", 1) > 2:
        return True
    if str(getattr(values, "dtype", "object")) != "object":
        return False
    from search.datasets.images.given import is_picture

    first = next((one for one in values if one is not None), None)
    return is_picture(first)


def write_table(
    frame: pd.DataFrame,
    path: Path,
    name: str,
    texts: Sequence[str],
    labels: Sequence[str],
    content: str = TEXT.name,
    beside: Collection[str] = (),
) -> None:
    """Writes a table as Parquet, whole or not at all.

    Args:
        frame: The table; its index is left out, and so are columns that nobody asks for and Parquet cannot hold.
        path: The file.
        name: The argument that gave the table, for messages.
        texts: The names of the columns of texts.
        labels: The name of the column of labels, or the names of several.
        content: What the columns of texts hold: `dataset.content`.
        beside: The names of the columns beside the texts.

    Raises:
        InputError: A column of texts or labels is not there, is there twice, or holds something else, or one beside the
            texts does.
    """
    names = [str(column) for column in frame.columns]
    columns = {}
    for wanted in texts:
        at = find_column(names, wanted, "text", name)
        convert = as_pictures if content == IMAGE.name else as_texts
        columns[names[at]] = convert(frame.iloc[:, at], f"column {wanted!r} of {name}")
    for wanted in labels:
        at = find_column(names, wanted, "label", name)
        columns[names[at]] = _as_fields(frame.iloc[:, at], f"column {wanted!r} of {name}")
    for at, other in enumerate(names):
        if other in columns or names.count(other) > 1:
            continue
        if other.strip() in beside:
            columns[other] = _as_fields(frame.iloc[:, at], f"column {other!r} of {name}")
        elif (column := _as_it_is(frame.iloc[:, at])) is not None:
            columns[other] = column
    # In the order of the table, as messages list them.
    table = pa.table({one: columns[one] for one in names if one in columns})
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as unfinished:
        pyarrow.parquet.write_table(table, unfinished)


def _as_fields(column: pd.Series[Any], name: str) -> pa.Array:
    """Values of one type as they are; of several, such as 1 and "a", as a CSV would hold them."""
    found = _as_it_is(column)
    if found is not None:
        return found
    values = column.astype(object).where(column.notna(), None).tolist()
    for row, value in enumerate(values, 1):
        if value is not None and not isinstance(value, str | bool | int | float | np.bool_ | np.number):
            raise InputError(f"Row {row:,} of {name} is {value!r:.80}: expected a string or a number.")
    return pa.array([None if value is None else str(value) for value in values], pa.large_string())


def _as_it_is(column: pd.Series[Any]) -> pa.Array | None:
    """A column in its own type; None where Arrow or Parquet has none for it."""
    try:
        found = pa.array(column, from_pandas=True)
        pyarrow.parquet.write_table(pa.table({"": found}).slice(0, 0), pa.BufferOutputStream())  # its type decides
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        return None
    return found


def _with_names(given: Any) -> Any:
    """The table of a `datasets.Dataset` or its like; whole numbers that stand for named classes become the names."""
    frame = given.to_pandas()
    features = getattr(given, "features", None)
    for column, feature in (features or {}).items():
        names = getattr(feature, "names", None)
        if isinstance(names, list) and column in frame:
            # -1 says that there is no label.
            named = dict(enumerate(names))
            frame[column] = frame[column].map(named).astype(object)
    return frame


def _from_columns(columns: Mapping[str, Any], name: str) -> pd.DataFrame:
    series = {}
    for key, values in columns.items():
        if isinstance(values, str | bytes | Mapping) or not hasattr(values, "__len__"):
            raise InputError(f"{name}: {key!r} is of type {type(values).__name__}: expected a list or an array.")
        if holds_pictures(values):
            values = pd.Series(object_array(values))
        if getattr(values, "ndim", 1) != 1:
            raise InputError(f"{name}: {key!r} has {values.ndim} dimensions: expected one.")
        series[key] = values if isinstance(values, pd.Series) else pd.Series(values, dtype=_dtype(values))
    lengths = {key: len(one) for key, one in series.items()}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{length:,} of {key!r}" for key, length in lengths.items())
        raise InputError(f"{name} has columns of different lengths: {told}.")
    return pd.DataFrame({key: one.reset_index(drop=True) for key, one in series.items()})


def _dtype(values: Any) -> Any:
    """Lists are taken as they are: pandas would make strings of what is mixed with them."""
    return None if hasattr(values, "dtype") else object
