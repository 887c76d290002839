"""Reads CSV and TSV strictly: every field is text, only an empty one is missing, every row has all its fields."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import count, islice
from typing import IO, Self

import pyarrow as pa
import pyarrow.csv

from search.datasets.columns import label_column, text_column
from search.datasets.dialect import Dialect, Lines
from search.datasets.named_columns import NamedColumns
from search.datasets.quotes import Quotes
from search.datasets.source import Decoding, Source, is_undecoded
from search.datasets.table import Table, first_rows
from search.datasets.text_columns import joined_texts
from search.errors import InputError

# A row that follows the last one. Where a quote is never closed it is swallowed, and so tells.
_END = "\0end of file\0"
_ENDS = b"\r\n"


def read_delimited(
    source: Source,
    named: NamedColumns,
    dialect: Dialect,
    decoding: Decoding,
) -> Table:
    """Reads the columns of a CSV or TSV file.

    Fields may be quoted by `"` and then hold separators, line ends and doubled quotes. Empty lines are no rows.

    Args:
        source: The file.
        named: Its columns to read.
        dialect: Its dialect.
        decoding: Its encoding.

    Returns:
        The table; labels and the columns beside the texts are str.

    Raises:
        InputError: The file is empty, lacks a column or has rows with too many or too few fields, a quote that is never
            closed or has text behind it, or bytes that the encoding does not know in those columns; or it could be read
            as well without quotes.
    """
    file = _File(source, dialect, decoding)
    first, file = file.begun()
    wanted = named.find(file.dialect.columns(first), source.name, file.dialect.header)
    names = [str(position) for position in range(len(first))]
    columns = [names[position] for position in wanted]
    quotes = Quotes(file.dialect.separator)
    try:
        with source.open_text("CSV", _ENDS) as stream:
            table = pyarrow.csv.read_csv(
                _Body(stream, file.dialect.separator.join([_END] * len(names)), decoding, quotes),
                # Columns go by position, as names in a header may repeat; the header is read as a row.
                read_options=pyarrow.csv.ReadOptions(
                    column_names=names, block_size=source.limits.longest_row, skip_rows=file.preface
                ),
                parse_options=pyarrow.csv.ParseOptions(**file.dialect.parse_options()),
                convert_options=pyarrow.csv.ConvertOptions(
                    include_columns=columns,
                    column_types=dict.fromkeys(columns, pa.string()),
                    null_values=[""],
                    strings_can_be_null=True,
                ),
            )
    except (pa.ArrowInvalid, UnicodeError) as error:
        raise file.explained(len(names), str(error)) from error
    if any(table[column][-1].as_py() != _END for column in columns):
        raise file.explained(len(names), "a quote is never closed")
    file.check_quotes(quotes, table.num_rows - 1, len(names))
    table = table.slice(int(file.dialect.header), table.num_rows - 1 - file.dialect.header)
    texts = len(named.texts)
    labels, *others = (label_column(table[one]) for one in columns[texts:])
    return Table(
        texts=joined_texts([text_column(table[one]) for one in columns[:texts]]),
        labels=labels,
        rows=first_rows(table.num_rows),
        source=source.name,
        splits=others[0] if named.split is not None else None,
        columns=dict(zip(named.others, others[named.split is not None :], strict=True)),
    )


class _Body(io.RawIOBase):
    """The bytes of the file in UTF-8 and a last row after them, as a file object for pyarrow."""

    def __init__(self, stream: IO[bytes], end: str, decoding: Decoding, quotes: Quotes) -> None:
        self._stream = stream
        self._quotes = quotes
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

        A block never ends within a line end: pyarrow (26) drops the other half at the beginning of the next block,
        inside quotes too, and takes a block that holds nothing else for the end of the file.
        """
        chunk = self._held + self._next(size - len(self._held))
        whole = chunk.rstrip(b"\r") or chunk
        self._held = chunk[len(whole) :]
        self._quotes.see(whole)
        return whole

    def _next(self, size: int) -> bytes:
        if self._decoder is None:
            return self._stream.read(size) or self._tail.read(size)
        # No more than asked for: what one byte stands for takes up to four in UTF-8.
        while raw := self._stream.read(size // 4 - 1):
            if text := self._decoder.decode(raw):
                return text.encode()
        return self._decoder.decode(b"", final=True).encode() or self._tail.read(size)


@dataclass(frozen=True)
class _File:
    """A file that is read more than once: at its beginning, by Arrow, and again where something is wrong.

    Attributes:
        source: The file.
        dialect: Its dialect.
        decoding: Its encoding.
        preface: Number of lines before the first row: 1 where one names the separator.
    """

    source: Source
    dialect: Dialect
    decoding: Decoding
    preface: int = 0

    def begun(self) -> tuple[list[str], Self]:
        """Reads the first row, and the dialect where the first line names it.

        Raises:
            InputError: There is no row, or none below the header.
        """
        name, dialect = self.source.name, self.dialect
        file = self
        try:
            with self._lines() as lines:
                named = self.dialect.named_by(next(iter(lines), ""))
            if named is not None:
                file = replace(self, dialect=named, preface=1)
            with file._records() as (records, _):
                first, second = next(records, None), next(records, None)
        except UnicodeError as error:
            raise self.decoding.error(f"The beginning of {name}") from error
        except csv.Error as error:
            raise file.explained(0, str(error)) from error
        if first is None:
            raise InputError(f"{name} is empty: expected {'a header and rows below it' if dialect.header else 'rows'}")
        if any(is_undecoded(field) for field in first):
            marked = first[0].startswith(("\udcff\udcfe", "\udcfe\udcff"))  # the byte order mark of UTF-16
            raise self.decoding.error(f"The {dialect.first_row} of {name}", "utf-16" if marked else "latin-1")
        if dialect.header and second is None:
            shown = file.dialect.separator.join(first)[:200]
            raise InputError(f"{name} holds a header ({shown!r}) but no rows below it")
        return first, file

    def check_quotes(self, quotes: Quotes, records: int, columns: int) -> None:
        """Checks the quotes of a file that Arrow could read.

        Args:
            quotes: The quotes of the file.
            records: Number of records that were read, the header included.
            columns: Number of columns.

        Raises:
            InputError: There is text behind a closing quote, or the file could be read as well without quotes.
        """
        if self.dialect.quoting == "none" or not quotes.found:
            return
        if (not quotes.in_place or self.dialect.quoting == "backslash") and (fault := self._fault()):
            raise fault
        with self._lines() as lines:
            for _ in lines:
                if lines.settled:
                    return
            lines.require_one_reading(records, columns, self.source.name)

    def explained(self, columns: int, reason: str) -> InputError:
        """Reads a file that Arrow refused once more, to find the row at fault and why.

        Args:
            columns: Number of columns.
            reason: Arrow's message, used where nothing is found.
        """
        if "straddling" in reason:
            reason = str(self.source.limits.too_long("one of its rows"))
        return self._fault(columns) or InputError(f"{self.source.name} cannot be read as CSV: {reason.splitlines()[0]}")

    def _fault(self, columns: int | None = None) -> InputError | None:
        """Finds the first row at fault: its quotes, its bytes or, where their number is known, its fields."""
        dialect, where = self.dialect, ""
        try:
            with self._records() as (records, lines):
                for number in count(1 - dialect.header):
                    where = f"{f'Row {number:,}' if number else 'The header'} of {self.source.name}"
                    try:
                        record = next(records, None)
                    except csv.Error as error:
                        return dialect.fault(error, where, lines.last, self.source.limits)
                    if record is None:
                        return None
                    if any(map(is_undecoded, record)):
                        return self.decoding.error(where)
                    if columns and len(record) != columns:
                        return InputError(f"{where} {dialect.miscounted(len(record), columns)}")
        except UnicodeError:
            return self.decoding.error(self.source.name)
        return None

    @contextmanager
    def _records(self) -> Iterator[tuple[Iterator[list[str]], Lines]]:
        """Reads the records with Python's own reader, slower than Arrow but able to say where it is."""
        limit = csv.field_size_limit(self.source.limits.longest_row)
        try:
            with self._lines() as lines:
                yield (record for record in self.dialect.reader(lines) if record), lines
        finally:
            csv.field_size_limit(limit)

    @contextmanager
    def _lines(self) -> Iterator[Lines]:
        with self.source.open_text("CSV", _ENDS) as stream, self.decoding.lines(stream, newline="") as lines:
            yield Lines(islice(lines, self.preface, None), self.dialect)
