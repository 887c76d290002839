"""Turns the labels of a file into classes: whole numbers, booleans, strings, or ranges of a number."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from search.config.dataset import DatasetConfig
from search.datasets.hints import listing, nearest
from search.datasets.notation import as_number, as_string, notation, whole
from search.datasets.ordering import in_order
from search.datasets.rare import MERGED
from search.datasets.several import encode_several, has_several, indicators_as
from search.datasets.table import Table
from search.errors import InputError

LEFT_OUT = -1
"""The code of a label that belongs to none of the requested classes."""

_SHOWN = 5  # unknown labels in a message
_Codes = NDArray[np.int64]


class Encoded(NamedTuple):
    """Labels as indices.

    Attributes:
        classes: Names of the classes.
        unseen: Names of those that only the other tables hold.
        codes: For each table [n] int64, an index into the classes, or from their number on into `unseen`; or LEFT_OUT.
            With several labels per text [n, classes] int8, see `search.datasets.several`.
    """

    classes: tuple[str, ...]
    unseen: tuple[str, ...]
    codes: list[NDArray[Any]]


def encode_labels(train: Table, others: Sequence[Table], config: DatasetConfig) -> Encoded:
    """Finds the classes, and encodes each row's class as an index.

    Labels that are whole numbers throughout (`1`, `1.0`, `"1"`) are sorted as numbers, booleans are False and True in
    any spelling, everything else is sorted as strings. Of two classes the positive one comes last. Classes of `ordered`
    come in that order, and may be numbers that are not whole.

    Args:
        train: The rows that define the classes; no label is missing.
        others: Rows of validation and test splits that came with the data.
        config: Its `label`, `label_ranges`, `classes`, `ordered` and `positive`.

    Returns:
        The classes, which follow from `train` alone, and the codes of `train` and each of the others.

    Raises:
        InputError: The labels are no classes, there is only one, a class in the configuration is unknown, another split
            holds no class of train, or the classes have not the order that is asked for.
    """
    tables = [train, *others]
    if has_several(config):
        return Encoded(*encode_several(tables, config))
    found = [_distinct(table.labels) for table in tables]
    named: list[list[str | None]]
    if config.label_ranges is not None:
        as_class: Callable[[Any], str] = as_string
        named = [_name_by_range(*one, table, config) for one, table in zip(found, tables, strict=True)]
    else:
        as_class = notation(set(found[0][0]))
        named = [[as_class(value) for value in values] for values, _ in found]
        _require_classes(found[0], as_class, train, config)
    names = there = {name for name in named[0] if name is not None}
    if config.classes is not None:
        names = {_known(as_class(value), names, "dataset.classes") for value in config.classes}
    if config.ordered:
        classes = in_order(names, there, as_class, config)
    else:
        classes = sorted(names, key=int if as_class is whole else str)
    if len(classes) < 2:
        raise InputError(
            f"{train.source} has one class only, {listing(classes)} in all {len(train):,} rows with a text "
            f"(dataset.label={config.label}): expected two or more"
        )
    if config.positive is not None:
        positive = _known(as_class(config.positive), classes, "dataset.positive")
        if len(classes) > 2:
            raise InputError(f"dataset.positive={positive} is for two classes, but there are {len(classes)}: remove it")
        if config.ordered and positive != classes[1]:
            raise InputError(f"dataset.positive={positive}: of ordered classes the last is positive, {classes[1]}")
        classes.sort(key=lambda name: name == positive)
    unseen: list[str] = []
    if config.classes is None:
        unseen = sorted({name for one in named[1:] for name in one if name is not None} - {*classes})
    if config.ordered and unseen:
        raise InputError(
            f"No training row is of class {listing(unseen)}, but rows of other splits are: where dataset.ordered is "
            "set the model must know all classes; leave those rows out by dataset.classes=[…]"
        )
    index = {name: position for position, name in enumerate([*classes, *unseen])}
    codes = [
        np.array([LEFT_OUT if name is None else index.get(name, LEFT_OUT) for name in one], dtype=np.int64)[where]
        for one, (_, where) in zip(named, found, strict=True)
    ]
    for other, its_names in zip(others, named[1:], strict=True):
        _require_known_class(its_names, classes, other)
    return Encoded(tuple(classes), tuple(unseen), codes)


def encode_as(table: Table, classes: Sequence[str], config: DatasetConfig) -> NDArray[Any]:
    """Encodes each row's class as an index into the classes of a trained model.

    Args:
        table: No label is missing.
        classes: The classes of the model, in its order.
        config: Its `label_ranges`, its `classes`: rows of others are then left out, and its `rare`: so are rows of
            classes that the model doesn't know, or they are of the class that rare ones were merged into.

    Returns:
        [n] int64, an index into the classes, or LEFT_OUT.

    Raises:
        InputError: A label is no class of the model; the message lists each with its rows.
    """
    if has_several(config):
        return indicators_as(table, classes, config)
    values, where = _distinct(table.labels)
    names: list[str | None]
    if config.label_ranges is not None:
        names = _name_by_range(values, where, table, config)
    else:
        # As in the training data, where 1.0 was the class '1' only if all labels were whole numbers.
        as_class = notation(set(classes))
        names = [text if (text := as_string(value)) in classes else as_class(value) for value in values]
    index = {name: position for position, name in enumerate(classes)}
    if config.classes is not None:
        wanted = {_known(notation(set(classes))(value), classes, "dataset.classes") for value in config.classes}
        names = [name if name in wanted else None for name in names]
    if config.rare == "drop" or (config.rare == "merge" and MERGED in index):
        # The classes that were too rare to be learned.
        names = [name if name in index else (MERGED if config.rare == "merge" else None) for name in names]
    unknown = [position for position, name in enumerate(names) if name is not None and name not in index]
    if unknown:
        rows = [(position, table.rows[where == position]) for position in unknown[:_SHOWN]]
        listed = [f"{names[i]!r:.60} ({len(at):,} row{'s' * (len(at) > 1)}, the first is {at[0]:,})" for i, at in rows]
        others = f" and {len(unknown) - _SHOWN:,} more" if len(unknown) > _SHOWN else ""
        raise InputError(
            f"{table.source} has labels in column {config.label!r} that the model does not know: {', '.join(listed)}"
            f"{others}; it knows {listing(classes)}. Name another column (dataset.label), cut numbers into classes "
            "(dataset.label_ranges), or leave those rows out by dataset.classes=[…]"
        )
    return np.array([LEFT_OUT if name is None else index[name] for name in names], dtype=np.int64)[where]


def _distinct(labels: NDArray[np.object_]) -> tuple[list[Any], _Codes]:
    """The distinct labels in order of appearance, and the position of each row's label among them."""
    seen: dict[tuple[type, Any], int] = {}  # by type too, as True == 1
    keys = ((type(label), label) for label in labels)
    where = np.fromiter((seen.setdefault(key, len(seen)) for key in keys), dtype=np.int64, count=len(labels))
    return [label for _, label in seen], where


def _name_by_range(values: list[Any], where: _Codes, table: Table, config: DatasetConfig) -> list[str | None]:
    """The first range that each distinct label lies in."""
    assert config.label_ranges is not None
    names: list[str | None] = []
    for position, value in enumerate(values):
        number = as_number(value)
        if number is None:
            row = table.rows[where == position][0]
            raise InputError(
                f"Row {row:,} of {table.source} has {value!r:.80} in column {config.label!r}, expected a number: "
                "dataset.label_ranges cuts a column of numbers into classes"
            )
        fits = (
            str(name)
            for name, bounds in config.label_ranges.items()
            if bounds.get("min", -math.inf) <= number <= bounds.get("max", math.inf)
        )
        names.append(next(fits, None))
    return names


def _require_classes(
    found: tuple[list[Any], _Codes], as_class: Callable[[Any], str], table: Table, config: DatasetConfig
) -> None:
    """Refuses a column of labels that looks like a quantity or an identifier; ordered ones may be halves."""
    label = config.label
    values, where = found
    names = [as_class(value) for value in values]
    numbers = [as_number(value) for value in values]
    hint = "expected classes; name another column (dataset.label) or cut numbers into classes (dataset.label_ranges)"
    fractions = [position for position, number in enumerate(numbers) if number is not None and number % 1 != 0]
    if fractions and None not in numbers and not config.ordered:
        position = fractions[0]
        raise InputError(
            f"Column {label!r} of {table.source} holds numbers that are not whole, such as {names[position]} in row "
            f"{table.rows[where == position][0]:,}: {hint}, or set dataset.ordered=true where they are ratings"
        )
    distinct = len(set(names))
    if distinct > 2 and 2 * distinct > len(table):
        raise InputError(
            f"Column {label!r} of {table.source} holds {distinct:,} different values in {len(table):,} rows: {hint}"
        )


def _known(name: str, names: Sequence[str] | set[str], key: str) -> str:
    if name not in names:
        there = sorted(names)
        raise InputError(f"{key}: there is no class {name!r}, the classes are {listing(there)}{nearest(name, there)}")
    return name


def _require_known_class(names: list[str | None], classes: Sequence[str], other: Table) -> None:
    """Refuses another split none of whose classes the training rows have: its labels are written in another way."""
    there = [name for name in names if name is not None]
    if there and not {*there} & {*classes}:
        raise InputError(
            f"No row of {other.source} is of a class of the training rows: its labels are {listing(sorted(there))}, "
            f"theirs {listing(classes)}"
        )
