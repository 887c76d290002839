"""Writes tables with the predictions for their rows, some rows at a time."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import compress
from typing import IO, Any, TextIO

import numpy as np

from search.config.dataset import DatasetConfig
from search.datasets.stream import Rows, Stream
from search.errors import InputError
from search.inference.labels import Labels, Predictions

Write = Callable[[Rows, Predictions], None]
# Rows of a group in Parquet, which are held in memory until it is full.
_GROUP = 1 << 16


def check_added(added: Sequence[str], present: Sequence[str]) -> list[str]:
    """The names of the columns that predictions add to a table.

    Args:
        added: From `Labels.columns_added`.
        present: The columns of the table.

    Raises:
        InputError: The table has one of them already.
    """
    if taken := [name for name in added if name in present]:
        raise InputError(f"The input already has a column {taken[0]!r}, which predictions add: rename or remove it.")
    return list(added)


def delimited(file: TextIO, stream: Stream, added: Sequence[str], separator: str) -> Write:
    """Writes CSV or TSV with a header; everything but the probabilities is quoted."""
    import pyarrow as pa
    import pyarrow.csv

    names = [*stream.columns, *check_added(added, stream.columns)]
    csv.writer(file, delimiter=separator, lineterminator="\n", quoting=csv.QUOTE_ALL).writerow(names)
    options = pyarrow.csv.WriteOptions(include_header=False, delimiter=separator)

    def write(rows: Rows, scored: Predictions) -> None:
        # Arrow writes five times as fast as Python's own writer, and lets the model go on meanwhile.
        fields = zip(*rows.records, strict=True)
        strings = [*(pa.array(values, pa.string()) for values in fields), *_decisions(scored)]
        rendered = pa.BufferOutputStream()
        table = pa.table([*strings, *_probabilities(scored)], names)
        pyarrow.csv.write_csv(table, rendered, options)
        file.write(rendered.getvalue().to_pybytes().decode())

    return write


def json_lines(file: TextIO, stream: Stream, added: Sequence[str]) -> Write:
    """Writes JSON Lines."""
    names = check_added(added, stream.columns)

    def write(rows: Rows, scored: Predictions) -> None:
        decided = (one if isinstance(one, list) else one.tolist() for one in scored.decisions)
        for record, *found in zip(rows.records, *decided, *scored.probabilities.T.tolist(), strict=True):
            full = {**record, **dict(zip(names, found, strict=True))}
            file.write(json.dumps(full, ensure_ascii=False) + "\n")

    return write


def submission(file: TextIO, stream: Stream, dataset: DatasetConfig, labels: Labels) -> Write:
    """Writes a Kaggle submission: each row's identifier, a column of the input, and its class or labels.

    Several labels are written as the labelled rows have them: in a column of 0 and 1 for each, or their names in one.
    """
    assert dataset.submission is not None
    position = identifier_column(stream, dataset.submission)
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([*dataset.submission, *(labels.classes if dataset.labels is not None else ())])

    def answers(scored: Predictions) -> list[list[Any]]:
        if scored.several is None:
            return [[name] for name in scored.predicted]
        if dataset.label_separator is None:
            return [row.tolist() for row in scored.several]
        names = [compress(labels.classes, row) for row in scored.several]
        return [[dataset.label_separator.join(one)] for one in names]

    def write(rows: Rows, scored: Predictions) -> None:
        writer.writerows(
            [record[position], *answer] for record, answer in zip(rows.records, answers(scored), strict=True)
        )

    return write


def identifier_column(stream: Stream, columns: Sequence[str]) -> int:
    """Finds the column of a table that names its rows in a submission.

    Args:
        stream: The table.
        columns: The columns of the submission; the first is the identifier.

    Raises:
        InputError: There is no such column.
    """
    identifier = columns[0]
    if identifier not in stream.columns:
        raise InputError(f"A submission needs the column {identifier!r} to name rows by, and the input has none.")
    return stream.columns.index(identifier)


@contextmanager
def parquet(file: IO[bytes], stream: Stream, added: Sequence[str]) -> Iterator[Write]:
    """Writes Parquet; the input's columns keep their types."""
    import pyarrow as pa
    import pyarrow.parquet

    names = check_added(added, stream.columns)
    types = [
        pa.string() if name == "predicted" else pa.int8() if name.startswith("predicted_") else pa.float32()
        for name in names
    ]
    schema = stream.schema
    for name, kind in zip(names, types, strict=True):
        schema = schema.append(pa.field(name, kind))
    held: list[Any] = []
    with pa.parquet.ParquetWriter(file, schema) as writer:

        def put() -> None:
            writer.write_table(pa.Table.from_batches(held, schema))
            held.clear()

        def write(rows: Rows, scored: Predictions) -> None:
            found = [*_decisions(scored), *_probabilities(scored)]
            held.append(pa.RecordBatch.from_arrays([*rows.records.columns, *found], schema=schema))
            if sum(batch.num_rows for batch in held) >= _GROUP:
                put()

        yield write
        put()


def _decisions(scored: Predictions) -> list[Any]:
    """The column of the names of classes, or one of 0 and 1 for each of several labels."""
    import pyarrow as pa

    return [pa.array(one, pa.string() if isinstance(one, list) else pa.int8()) for one in scored.decisions]


def _probabilities(scored: Predictions) -> list[Any]:
    """A column for each class, float32 as the model computes it."""
    import pyarrow as pa

    return [pa.array(column) for column in scored.probabilities.T.astype(np.float32)]
