"""Reads CSV and TSV to the letter: every field is text, only an empty one is missing, every row has all its fields."""

from __future__ import annotations

import codecs
import csv
import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from typing import IO

import pyarrow as pa
import pyarrow.csv

from search.datasets.columns import label_column, text_column
from search.datasets.hints import find_columns
from search.datasets.source import Decoding, Source, is_undecoded
from search.datasets.table import Table, first_rows
from search.errors import InputError

# A row that follows the last one. Where a quote is never closed it is swallowed, and so tells.
_END = "\0end of file\0"
_BLOCK = 1 << 24  # bytes; a row must fit into one


def read_delimited(
    source: Source, text: str, label: str, separator: str, decoding: Decoding, split: str | None = None
) -> Table:
    """Reads the columns of a CSV or TSV file with a header.

    Fields may be quoted by `"` and then hold separators, line ends and doubled quotes. Empty lines are no rows.

    Args:
        source: The file.
        text: Name of the column of texts.
        label: Name of the column of labels.
        separator: One character.
        decoding: Of the file.
        split: Name of the column of splits, where there is one.

    Returns:
        The table; labels are str.

    Raises:
        InputError: The file is empty, lacks a column or has rows with too many or too few fields, a quote that is never
            closed, or bytes that the encoding does not know in those columns.
    """
    header = _read_header(source, separator, decoding)
    wanted = find_columns(header, text, label, split, source.name)
    names = [str(position) for position in range(len(header))]
    columns = [names[position] for position in wanted]
    try:
        with source.open() as stream:
            table = pyarrow.csv.read_csv(
                _Body(stream, separator.join([_END] * len(header)), decoding),
                # Columns go by position, as names in a header may repeat; the header is read as a row.
                read_options=pyarrow.csv.ReadOptions(column_names=names, block_size=_BLOCK),
                parse_options=pyarrow.csv.ParseOptions(delimiter=separator, newlines_in_values=True),
                convert_options=pyarrow.csv.ConvertOptions(
                    include_columns=columns,
                    column_types=dict.fromkeys(columns, pa.string()),
                    null_values=[""],
                    strings_can_be_null=True,
                ),
            )
    except (pa.ArrowInvalid, UnicodeError) as error:
        raise _explain(source, separator, decoding, len(header), str(error)) from error
    if any(table[column][-1].as_py() != _END for column in columns):
        raise _explain(source, separator, decoding, len(header), "a quote is never closed")
    table = table.slice(1, table.num_rows - 2)
    return Table(
        texts=text_column(table[columns[0]]),
        labels=label_column(table[columns[1]]),
        rows=first_rows(table.num_rows),
        source=source.name,
        splits=label_column(table[columns[2]]) if split is not None else None,
    )


class _Body(io.RawIOBase):
    """The bytes of the file in UTF-8, and the end row behind them; the part of a file object that pyarrow reads."""

    def __init__(self, stream: IO[bytes], end: str, decoding: Decoding) -> None:
        self._stream = stream
        self._held = b""
        self._tail = io.BytesIO(f"\n{end}\n".encode())
        self._decoder: codecs.IncrementalDecoder | None = None
        if decoding.replace or not decoding.is_utf8:  # else pyarrow checks UTF-8 itself, much faster
            errors = "replace" if decoding.replace else "strict"
            self._decoder = codecs.getincrementaldecoder(decoding.codec)(errors)

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        """Reads up to `size` bytes, none at the end only.

        What is read never ends within a line end: of a block that begins with the other half of one pyarrow (26) drops
        that half, inside quotes too, and takes a block that holds nothing else for the end of the file.
        """
        chunk = self._held + self._next(size - len(self._held))
        whole = chunk.rstrip(b"\r") or chunk
        self._held = chunk[len(whole) :]
        return whole

    def _next(self, size: int) -> bytes:
        if self._decoder is None:
            return self._stream.read(size) or self._tail.read(size)
        # No more than asked for: what one byte stands for takes up to four in UTF-8.
        while raw := self._stream.read(size // 4 - 1):
            if text := self._decoder.decode(raw):
                return text.encode()
        return self._decoder.decode(b"", final=True).encode() or self._tail.read(size)


def _read_header(source: Source, separator: str, decoding: Decoding) -> list[str]:
    """Reads the names of the columns.

    Raises:
        InputError: There is no header, or nothing below it.
    """
    try:
        with _records(source, separator, decoding) as records:
            header = next(records, None)
            first = next(records, None)
    except (UnicodeError, csv.Error) as error:
        raise decoding.error(f"The beginning of {source.name}") from error
    if header is None:
        raise InputError(f"{source.name} is empty: expected a header and rows below it")
    if first is None:
        raise InputError(f"{source.name} holds a header ({separator.join(header)[:200]!r}) but no rows below it")
    if any(is_undecoded(name) for name in header):
        marked = header[0].startswith(("\udcff\udcfe", "\udcfe\udcff"))  # the byte order mark of UTF-16
        raise decoding.error(f"The header of {source.name}", "utf-16" if marked else "latin-1")
    return header


@contextmanager
def _records(source: Source, separator: str, decoding: Decoding, end: str = "") -> Iterator[Iterator[list[str]]]:
    """Goes through the records by Python's own reader, slower than pyarrow but able to say where it stands."""
    limit = csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    try:
        with source.open() as stream, decoding.lines(stream, newline="") as lines:
            yield (record for record in csv.reader(chain(lines, [end]), delimiter=separator) if record)
    finally:
        csv.field_size_limit(limit)


def _explain(source: Source, separator: str, decoding: Decoding, fields: int, reason: str) -> InputError:
    """Goes through a file that pyarrow refused once more, to say which row is at fault and why."""
    end = separator.join([_END] * fields)
    number, record = 0, [""]
    try:
        with _records(source, separator, decoding, f"{end}\n") as records:
            for number, record in enumerate(records):
                if any(is_undecoded(field) for field in record):
                    return decoding.error(f"Row {number:,} of {source.name}")
                if len(record) != fields and not record[-1].endswith(f"{end}\n"):
                    return InputError(
                        f"Row {number:,} of {source.name} has {len(record)} fields where the header has {fields}: "
                        f"quote the fields that hold a {separator!r} or a line end, or set dataset.separator"
                    )
    except UnicodeError:
        return decoding.error(source.name)
    except csv.Error as error:
        return InputError(f"{source.name} cannot be read as CSV after row {number:,}: {error}")
    if record != [_END] * fields:
        return InputError(f'Row {number:,} of {source.name} opens a quote (") that is never closed: close or double it')
    return InputError(f"{source.name} cannot be read as CSV: {reason.splitlines()[0]}")
