"""Reads JSON Lines: one object per line."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from search.datasets.named_columns import NamedColumns
from search.datasets.source import Decoding, Source, is_undecoded
from search.datasets.table import Table, first_rows, object_array
from search.datasets.text_columns import joined_text
from search.errors import InputError


def read_json_lines(
    source: Source,
    named: NamedColumns,
    decoding: Decoding,
) -> Table:
    """Reads the fields of the objects in a JSON Lines file; empty lines do not count as rows.

    Args:
        source: The file.
        named: Its fields to read.
        decoding: Its encoding.

    Returns:
        The table; a field that is null or left out of an object is missing.

    Raises:
        InputError: The file is empty, or a row is no JSON object, is not of the encoding, has a text that is no string
            or a label or split that is no string, number or boolean (or, of labels, a list of them); or no row has one
            of the fields.
    """
    found: list[str | None] = []
    labels: list[Any] = []
    splits: list[Any] = []
    columns: dict[str, list[Any]] = {name: [] for name in named.others}
    fields_of = [(labels, named.label), *([] if named.split is None else [(splits, named.split)])]
    fields_of += [(values, name) for name, values in columns.items()]
    shared: dict[Any, Any] = {}  # one object for each distinct label
    fields: dict[str, None] = {}
    try:
        with source.open_text("JSON Lines") as stream, decoding.lines(stream, newline="\n") as lines:
            for line in lines:
                if not line.isspace():
                    record = parse_line(line, f"Row {len(found) + 1:,} of {source.name}", decoding)
                    found.append(row_text(record, named.texts, len(found) + 1, source.name))
                    for values, name in fields_of:
                        value = label_of(record.get(name), name, named.setting(name), len(found), source.name)
                        values.append(shared.setdefault((type(value), value), value))
                    fields.update(dict.fromkeys(record))
    except UnicodeError as error:
        raise decoding.error(source.name) from error
    if not found:
        raise InputError(f"{source.name} is empty: expected one JSON object per line")
    named.find(list(fields), source.name)
    parts = None if named.split is None else object_array(splits)
    others = {name: object_array(values) for name, values in columns.items()}
    return Table(object_array(found), object_array(labels), first_rows(len(found)), source.name, parts, others)


def parse_line(line: str, where: str, decoding: Decoding) -> dict[str, Any]:
    """Reads the object of a line.

    Raises:
        InputError: It is no object; the message begins with `where`.
    """
    if is_undecoded(line):
        raise decoding.error(where)
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        if not isinstance(error, json.JSONDecodeError | RecursionError):
            raise InputError(f"{where} holds a number of thousands of digits: write it as a string") from error
        hint = "; a JSON array is not JSON Lines: write one object per line" if line.lstrip().startswith("[") else ""
        raise InputError(f"{where} is not JSON ({error}){hint}") from error
    if not isinstance(record, dict):
        raise InputError(f"{where} is a JSON {type(record).__name__}: expected one object per line")
    return record


def row_text(record: Mapping[str, Any], texts: Sequence[str], row: int, source: str) -> str | None:
    """The text of a row's object, of one field or several; None where it is missing.

    Raises:
        InputError: A field holds something else: see `text_of`.
    """
    return joined_text([text_of(record.get(name), name, row, source) for name in texts])


def text_of(value: Any, name: str, row: int, source: str) -> str | None:
    """Checks that a field holds a text, or null.

    Raises:
        InputError: It holds something else.
    """
    if value is None:
        return None
    if not isinstance(value, str):
        raise InputError(
            f"Row {row:,} of {source} has {value!r:.80} as {name!r} (dataset.text): expected a text, not a "
            f"{'number' if isinstance(value, int | float) else type(value).__name__}"
        )
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise InputError(f"Row {row:,} of {source}: {name!r} holds half of a \\u surrogate pair") from error
    return value


def label_of(value: Any, name: str, key: str, row: int, source: str) -> Any:
    """Checks that a field holds what a label can be, or null; a list of labels becomes a tuple.

    Raises:
        InputError: It holds something else.
    """
    if key == "dataset.label" and isinstance(value, list):
        return tuple(label_of(one, name, f"{key}, in a list", row, source) for one in value)
    if value is not None and not isinstance(value, str | int | float):
        raise InputError(
            f"Row {row:,} of {source} has a {type(value).__name__} as {name!r} ({key}): "
            "expected a string, whole number or boolean"
        )
    return value
