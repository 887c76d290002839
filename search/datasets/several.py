"""Several labels per text: read from columns of 0 and 1 or from names in one column, and dealt to splits evenly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search.config.dataset import DatasetConfig
from search.datasets.hints import listing, require_known
from search.datasets.notation import as_string
from search.datasets.table import Table, object_array
from search.errors import InputError

_YES, _NO = ("1", "1.0", "true"), ("0", "0.0", "false")


def has_several(config: DatasetConfig) -> bool:
    """Whether a text has several labels, each of which it may have or not."""
    return config.labels is not None or config.label_separator is not None


def label_columns(config: DatasetConfig) -> tuple[str, ...]:
    """The columns that hold a label each, of 0 and 1; empty where one column has them all."""
    return () if config.labels is None else tuple(as_string(name) for name in config.labels)


def check_several(config: DatasetConfig) -> None:
    """Checks the settings of several labels per text, and that nothing else is set which is for one label alone.

    Raises:
        InputError: They cannot be used.
    """
    if not has_several(config):
        return
    key = "dataset.label_separator" if config.labels is None else "dataset.labels"
    if config.labels is not None:
        _check_columns(config)
    elif not config.label_separator:
        raise InputError("dataset.label_separator is empty: expected what stands between labels, such as ','")
    one: dict[str, Any] = {"label_ranges": config.label_ranges, "positive": config.positive}
    one |= {"ordered": config.ordered or None, "rare=merge": True if config.rare == "merge" else None}
    for name in (name for name, value in one.items() if value is not None):
        raise InputError(f"dataset.{name} is for one label per text, and {key} gives a text several: leave one out")


def _check_columns(config: DatasetConfig) -> None:
    given = config.labels
    names = label_columns(config) if isinstance(given, list | tuple) else ()
    if len(names) < 2 or len(set(names)) < len(names):
        raise InputError(
            f"dataset.labels={given}: expected two columns or more, each once, such as [toxic,insult]; a single one is "
            "dataset.label"
        )
    if config.label_separator is not None:
        raise InputError("dataset.labels and dataset.label_separator are both set: give one, as the table holds them")
    others: dict[str, list[Any]] = {
        "text": [config.text],
        "split_column": [config.split_column],
        "columns": [*(config.columns or ())],
    }
    for other, columns in others.items():
        if taken := [name for name in names if name in map(as_string, columns)]:
            raise InputError(f"dataset.labels: {taken[0]!r} is also in dataset.{other}: leave it out of one")


def gathered(table: Table, config: DatasetConfig) -> Table:
    """Puts the labels of each row of a table into a set of names; a table with one label per text stays as it is.

    Args:
        table: As read: `labels` holds the first of the columns of labels, and `columns` the others.
        config: Its `labels` or `label_separator`.

    Returns:
        The table with a frozenset of names for each row. None where one of the columns has no value; an empty field of
        names is an empty set.

    Raises:
        InputError: A column of labels holds something else than 0 and 1, or lists where a text has one label.
    """
    if not has_several(config):
        listed = [isinstance(label, tuple) for label in table.labels]
        if any(listed):
            raise InputError(
                f"Row {table.rows[listed][0]:,} of {table.source} has a list in column {config.label!r}: expected one "
                "label; dataset.label_separator=',' reads several per text"
            )
        return table
    names = label_columns(config)
    if not names:
        return replace(table, labels=object_array([_parted(value, config) for value in table.labels]))
    columns = dict(table.columns)
    values = {name: columns.pop(name) if at else table.labels for at, name in enumerate(names)}
    there = np.column_stack([_indicated(column, name, table) for name, column in values.items()])
    labels = [
        None if (row < 0).any() else frozenset(name for name, has in zip(names, row, strict=True) if has)
        for row in there
    ]
    return replace(table, labels=object_array(labels), columns=columns)


def _parted(value: Any, config: DatasetConfig) -> frozenset[str]:
    assert config.label_separator is not None
    if isinstance(value, tuple):
        parts = [as_string(one) for one in value if one is not None]
    else:
        parts = [] if value is None else str(value).split(config.label_separator)
    return frozenset(name for part in parts if (name := part.strip()))


def _indicated(values: NDArray[np.object_], name: str, table: Table) -> NDArray[np.int8]:
    """1 where a row has the label, 0 where it has not, -1 where nothing says so."""
    read: dict[Any, int] = {}
    for value in set(values.tolist()):
        text = "" if value is None or value != value else as_string(value).lower()
        if text not in ("", *_YES, *_NO):
            row = table.rows[[one == value for one in values]][0]
            raise InputError(
                f"Row {row:,} of {table.source} has {value!r:.80} in column {name!r} (dataset.labels): expected 0 or "
                "1, or true and false; names in one column are read by dataset.label and dataset.label_separator"
            )
        read[value] = -1 if not text else int(text in _YES)
    return np.array([read[value] for value in values], dtype=np.int8)


def encode_several(
    tables: Sequence[Table], config: DatasetConfig
) -> tuple[tuple[str, ...], tuple[str, ...], list[NDArray[Any]]]:
    """Finds the labels that the first table, the training rows, has, and encodes those of each table.

    Columns keep their order, names are sorted. Labels that only other tables have are no part of it: no model can learn
    them.

    Args:
        tables: Train, and valid and test where they came with the data; each label is a frozenset.
        config: Its `labels`, and its `classes`: the labels to keep, all rows stay.

    Returns:
        The labels, those that only other tables have, and for each table int8 [n, labels].

    Raises:
        InputError: There are fewer than two labels, one is unknown, all training rows or none have one, or none of them
            has two of a column of names.
    """
    train = tables[0]
    found = sorted({name for row in train.labels for name in row})
    names = label_columns(config) or tuple(found)
    if config.labels is None and all(len(row) < 2 for row in train.labels):
        raise InputError(
            f"No row of {train.source} has two labels in column {config.label!r}: expected names with "
            f"{config.label_separator!r} between them; leave dataset.label_separator out where a text has one label; "
            "columns of 0 and 1 are dataset.labels=[…]"
        )
    if config.classes is not None:
        names = tuple(as_string(name) for name in config.classes)
        for name in names:
            require_known(name, found, "dataset.classes")
        if len(names) < 2:
            raise InputError(f"dataset.classes={config.classes}: expected two labels or more")
    codes = [indicators(table, names) for table in tables]
    for name, share in zip(names, codes[0].mean(axis=0), strict=True):
        if share in (0, 1):
            raise InputError(
                f"{'Every' if share else 'No'} row of {train.source} has the label {name!r}: there is nothing to learn "
                "from, leave it out (dataset.labels, dataset.classes)"
            )
    unseen = {name for table in tables[1:] for row in table.labels for name in row} - {*found}
    if unseen and config.classes is None:
        raise InputError(
            f"No training row has the label {listing(sorted(unseen))}, which rows of another split have: leave it out "
            "by dataset.classes=[…], the labels to keep"
        )
    return names, (), codes


def indicators_as(table: Table, names: Sequence[str], config: DatasetConfig) -> NDArray[Any]:
    """Which of a trained model's labels each row of a table has, int8 [n, labels].

    Args:
        table: Its labels are frozensets of names.
        names: The labels of the model, in its order.
        config: Where its `classes` or `rare` left labels out of the model, rows may have others.

    Raises:
        InputError: A row has a label that the model does not know, or no column tells of one that it knows.
    """
    columns = label_columns(config)
    if untold := [name for name in names if columns and name not in columns]:
        raise InputError(
            f"dataset.labels={[*columns]} lacks {listing(untold)}, which the model predicts: name the column of each "
            f"of its labels, {listing(names)}"
        )
    others = sorted({name for row in table.labels for name in row} - {*names})
    if others and config.classes is None and config.rare != "drop":
        row = table.rows[[others[0] in labels for labels in table.labels]][0]
        raise InputError(
            f"Row {row:,} of {table.source} has the label {others[0]!r}, which the model does not know: it knows "
            f"{listing(names)}. Name another column, or leave such labels out by dataset.classes=[…]"
        )
    return indicators(table, names)


def indicators(table: Table, names: Sequence[str]) -> NDArray[np.int8]:
    """Which of some labels each row of a table has, int8 [n, labels]."""
    found = np.zeros((len(table), len(names)), np.int8)
    for at, name in enumerate(names):
        found[:, at] = [name in row for row in table.labels]
    return found
