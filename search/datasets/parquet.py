"""Reads Parquet."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet
from numpy.typing import NDArray

from search.datasets.columns import label_column, text_column
from search.datasets.content import IMAGE, TEXT
from search.datasets.contents import FIRST, require_parquet
from search.datasets.named_columns import NamedColumns
from search.datasets.source import Source
from search.datasets.table import Table, first_rows, object_array
from search.datasets.text_columns import joined_texts
from search.errors import InputError


def read_parquet(
    source: Source,
    named: NamedColumns,
    content: str = TEXT.name,
) -> Table:
    """Reads the columns of a Parquet file.

    Args:
        source: The file.
        named: Its columns to read: texts of a string type, where lists of strings are joined by spaces; labels that are
            strings, integers, floats, decimals or booleans, or lists of them, which become tuples; splits, strings;
            others of the types of labels, or dates.
        content: Of `CONTENTS`: a column of pictures may hold them as bytes, or as structs of bytes and path.

    Returns:
        The table.

    Raises:
        InputError: The file is not Parquet, is empty, lacks a column, or a column is of another type.
    """
    with open_parquet(source) as file:
        schema = file.schema_arrow
        wanted = [schema.names[at] for at in named.find(schema.names, source.name)]
        unpacking = source.limits.unpacking(Path(source.name))
        batches = []
        for batch in read_batches(file, source, columns=wanted):
            unpacking.add(batch.nbytes)
            batches.append(batch)
        table = pa.Table.from_batches(batches) if batches else schema.empty_table()
    if table.num_rows == 0:
        raise InputError(f"{source.name} holds no rows")
    parts, names, held = [joined_words(table[column]) for column in wanted[: len(named.texts)]], None, None
    if content == IMAGE.name and is_encoded(parts[0].type):
        held, names = encoded(parts[0])
        parts = [pa.chunked_array([pa.nulls(table.num_rows)])]
    labels, *others = (table[column] for column in wanted[len(named.texts) :])
    splits, found = others[: named.split is not None], others[named.split is not None :]
    of_splits = () if named.split is None else (named.split,)
    for name, column in zip((*named.texts, *of_splits), (*parts, *splits), strict=True):
        if not is_string(column.type) and not pa.types.is_null(column.type):
            hint = "; of pictures: dataset.content=image" if is_encoded(column.type) else ""
            raise InputError(
                f"{source.name}: column {name!r} ({named.setting(name)}) holds {column.type}, expected texts{hint}"
            )
    listed = _is_list(labels.type)
    if not _is_class(labels.type.value_type if listed else labels.type):
        raise InputError(
            f"{source.name}: column {named.label!r} ({named.setting(named.label)}) holds {labels.type}: "
            "expected strings, whole numbers or booleans"
        )
    for name, column in zip(named.others, found, strict=True):
        if not (_is_class(column.type) or pa.types.is_temporal(column.type)):
            raise InputError(
                f"{source.name}: column {name!r} ({named.setting(name)}) holds {column.type}: "
                "expected numbers, strings or dates"
            )
    if is_string(labels.type):
        labels = labels.cast(pa.large_string())
    named_labels = object_array(list(map(_as_tuple, labels.to_pylist()))) if listed else label_column(labels)
    joined = joined_texts([text_column(part.cast(pa.large_string())) for part in parts])
    split = label_column(splits[0].cast(pa.large_string())) if splits else None
    columns = dict(zip(named.others, map(label_column, found), strict=True))
    rows = first_rows(table.num_rows)
    values = joined if held is None else held
    return Table(values, named_labels, rows, source.name, split, columns, names=names)


@contextmanager
def open_parquet(source: Source) -> Iterator[Any]:
    """Opens a file as a `pyarrow.parquet.ParquetFile`.

    Raises:
        InputError: It is not Parquet.
    """
    with source.open() as stream:
        # Parquet is read from its end: a member of an archive, which cannot be, goes through memory.
        on_disk = isinstance(stream, io.BufferedReader) and stream.seekable()
        first = stream.read(FIRST)
        require_parquet(source.name, first)
        try:
            file = pyarrow.parquet.ParquetFile(stream if on_disk else io.BytesIO(first + stream.read()))
        except (pa.ArrowException, OSError) as error:
            raise _damaged(source, error) from error
        yield file


def read_batches(file: Any, source: Source, rows: int = 1 << 14, columns: Sequence[str] | None = None) -> Iterator[Any]:
    """Reads a `ParquetFile` some rows at a time.

    Args:
        file: The file, from `open_parquet`.
        source: Its source.
        rows: Rows of a batch.
        columns: Names of the columns to read; None: all.

    Yields:
        Arrow record batches.

    Raises:
        InputError: The file is damaged.
    """
    batches = file.iter_batches(batch_size=rows, columns=columns)
    while True:
        try:
            batch = next(batches, None)
            if batch is not None:
                batch.validate(full=True)
        except (pa.ArrowException, OSError) as error:
            raise _damaged(source, error) from error
        if batch is None:
            return
        yield batch


def joined_words(column: Any) -> Any:
    """A column of lists of strings as strings, the words of each list with spaces between; any other as it is."""
    kind = column.type
    if not _is_list(kind) or not is_string(kind.value_type):
        return column
    rows = [None if words is None else " ".join(word or "" for word in words) for words in column.to_pylist()]
    return pa.chunked_array([pa.array(rows, pa.large_string())])


def _is_list(kind: Any) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind))


def _as_tuple(labels: list[Any] | None) -> tuple[Any, ...] | None:
    return None if labels is None else tuple(labels)


def is_encoded(kind: Any) -> bool:
    """Whether an Arrow type is one of encoded pictures: bytes, or structs of bytes and path, as Hugging Face has."""
    if pa.types.is_struct(kind):
        return kind.get_field_index("bytes") >= 0 and is_encoded(kind.field("bytes").type)
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind))


def encoded(column: Any) -> tuple[NDArray[np.object_], NDArray[np.object_] | None]:
    """The pictures of a column of a type that `is_encoded`, and their names.

    Returns:
        Bytes [n], where a struct has none its path, None where there is neither; and the paths [n], None without any.
    """
    rows = column.to_pylist()
    if not pa.types.is_struct(column.type):
        return object_array(rows), None
    found = [row or {} for row in rows]
    paths = [row.get("path") for row in found]
    values = [path if row.get("bytes") is None else row["bytes"] for row, path in zip(found, paths, strict=True)]
    return object_array(values), object_array(paths)


def _damaged(source: Source, error: Exception) -> InputError:
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    return InputError(f"{source.name} cannot be read as Parquet: {reason}")


def _value_type(kind: Any) -> Any:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def is_string(kind: Any) -> bool:
    """Whether an Arrow type is one of strings, plain or dictionary-encoded."""
    kind = _value_type(kind)
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _is_class(kind: Any) -> bool:
    kind = _value_type(kind)
    tests = (pa.types.is_null, pa.types.is_boolean, pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal)
    return is_string(kind) or any(test(kind) for test in tests)
