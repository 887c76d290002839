"""Goes through tables of any length some rows at a time, and past the rows that cannot be used."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any, NoReturn

from search.datasets.hints import find_column
from search.datasets.jsonlines import parse_line, text_of
from search.datasets.source import Decoding, Source, is_undecoded
from search.errors import InputError

ROWS = 4096
"""Rows given at once, and so held in memory."""
# A row that follows the last one. Where a quote is never closed it is swallowed, and so tells.
_END = "\0end of file\0"
# Characters of a field. A quote that is never closed makes one field of all that follows: it must not fill the memory.
_LONGEST = 1 << 24

Refuse = Callable[[InputError], None]
"""Is told why a row cannot be used; it either raises that, or lets the row be passed over."""


@dataclass(frozen=True)
class Rows:
    """Some rows of a table.

    Attributes:
        texts: Their texts, without white space around, none empty.
        records: The rows themselves: a list of lists of fields, a list of JSON objects or an Arrow record batch.
    """

    texts: list[str]
    records: Any


@dataclass(frozen=True)
class Stream:
    """A table that is being read.

    Attributes:
        columns: Names of its columns; of JSON Lines those that its first rows have.
        rows: All rows that can be used, in their order.
        schema: Of Parquet, the Arrow schema.
    """

    columns: list[str]
    rows: Iterator[Rows]
    schema: Any = None


@contextmanager
def stream_lines(source: Source, decoding: Decoding, refuse: Refuse) -> Iterator[Stream]:
    """Reads texts, one per line, as a table with the column `text`; line 1 is row 1."""
    with source.open() as stream, decoding.lines(stream, newline="\n") as lines:

        def pairs() -> Iterator[tuple[str, list[str]]]:
            for number, line in enumerate(_read(lines, source, decoding), 1):
                where = f"Row {number:,} of {source.name}"
                if is_undecoded(line):
                    refuse(decoding.error(where))
                elif text := line.strip():
                    yield text, [line.rstrip("\r\n")]
                else:
                    refuse(InputError(f"{where} has no text"))

        yield Stream(["text"], _chunks(pairs()))


@contextmanager
def stream_delimited(source: Source, text: str, separator: str, decoding: Decoding, refuse: Refuse) -> Iterator[Stream]:
    """Reads CSV or TSV with a header, by the rules of `read_delimited`.

    Args:
        source: The file.
        text: Name of the column of texts.
        separator: One character.
        decoding: Of the file.
        refuse: Is told of rows with too few or too many fields, bytes that the encoding does not know, or no text.

    Yields:
        The table; each record is the list of a row's fields.

    Raises:
        InputError: There is no header, no such column, or a quote is never closed.
    """
    limit = csv.field_size_limit(_LONGEST)
    try:
        with source.open() as stream, decoding.lines(stream, newline="") as lines:
            reader = csv.reader(chain(_read(lines, source, decoding), [_END]), delimiter=separator)
            try:
                header = next(record for record in reader if record)
            except csv.Error as error:
                raise InputError(f"The header of {source.name} cannot be read as CSV: {error}") from error
            if header == [_END]:
                raise InputError(f"{source.name} is empty: expected a header and rows below it")
            if any(map(is_undecoded, header)):
                raise decoding.error(f"The header of {source.name}")
            position = find_column(header, text, "text_column", source.name)

            def check(number: int, record: list[str]) -> bool:
                where = f"Row {number:,} of {source.name}"
                if len(record) != len(header):
                    refuse(InputError(f"{where} has {len(record)} fields where the header has {len(header)}"))
                elif any(map(is_undecoded, record)):
                    refuse(decoding.error(where))
                elif not record[position].strip():
                    refuse(InputError(f"{where} has no text in {text!r}"))
                else:
                    return True
                return False

            def chunks() -> Iterator[Rows]:
                before = 0
                for records in _records(reader, source):
                    # All at once first, as looking at each row takes longer than reading it.
                    texts = [record[position].strip() for record in records if len(record) == len(header)]
                    if len(texts) < len(records) or not all(texts) or is_undecoded("".join(map("".join, records))):
                        numbered = enumerate(records, before + 1)
                        before += len(records)
                        records = [record for number, record in numbered if check(number, record)]
                        texts = [record[position].strip() for record in records]
                    else:
                        before += len(records)
                    if records:
                        yield Rows(texts, records)

            yield Stream(header, chunks())
    finally:
        csv.field_size_limit(limit)


@contextmanager
def stream_json_lines(source: Source, text: str, decoding: Decoding, refuse: Refuse) -> Iterator[Stream]:
    """Reads JSON Lines; empty lines do not count as rows.

    Args:
        source: The file.
        text: Name of the field of texts.
        decoding: Of the file.
        refuse: Is told of rows that are no JSON object, are not of the encoding, or whose text is none.

    Yields:
        The table; each record is a row's object.

    Raises:
        InputError: None of the first rows has the field.
    """
    with source.open() as stream, decoding.lines(stream, newline="\n") as lines:

        def objects() -> Iterator[dict[str, Any] | InputError]:
            full = (line for line in _read(lines, source, decoding) if not line.isspace())
            for number, line in enumerate(full, 1):
                try:
                    yield parse_line(line, f"Row {number:,} of {source.name}", decoding)
                except InputError as error:
                    yield error

        rest = objects()
        first = list(islice(rest, ROWS))
        fields = list(dict.fromkeys(chain.from_iterable(record for record in first if isinstance(record, dict))))
        if fields:
            find_column(fields, text, "text_column", source.name)

        def pairs() -> Iterator[tuple[str, dict[str, Any]]]:
            for number, record in enumerate(chain(first, rest), 1):
                try:
                    if isinstance(record, InputError):
                        raise record
                    found = (text_of(record.get(text), text, number, source.name) or "").strip()
                    if not found:
                        raise InputError(f"Row {number:,} of {source.name} has no text in {text!r}")
                except InputError as error:
                    refuse(error)
                else:
                    yield found, record

        yield Stream(fields, _chunks(pairs()))


@contextmanager
def stream_parquet(source: Source, text: str, refuse: Refuse) -> Iterator[Stream]:
    """Reads Parquet.

    Args:
        source: The file.
        text: Name of the column of texts, of a string type.
        refuse: Is told of rows without a text.

    Yields:
        The table; records are Arrow record batches.

    Raises:
        InputError: The file is not Parquet, lacks the column, or it is of another type.
    """
    # Arrow takes its time to load, and the other formats do without.
    import pyarrow as pa
    import pyarrow.parquet

    from search.datasets.parquet import is_string

    def damaged(error: Exception) -> NoReturn:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"{source.name} cannot be read as Parquet: {reason}") from error

    with source.open() as stream:
        try:
            # Parquet is read from its end: a member of an archive, which cannot be, goes through memory.
            file = pa.parquet.ParquetFile(stream if type(stream) is io.BufferedReader else io.BytesIO(stream.read()))
        except (pa.ArrowException, OSError) as error:
            damaged(error)
        schema = file.schema_arrow
        position = find_column(schema.names, text, "text_column", source.name)
        if not is_string(schema.types[position]) and not pa.types.is_null(schema.types[position]):
            raise InputError(
                f"{source.name}: column {text!r} (text_column) holds {schema.types[position]}, expected texts"
            )

        def batches() -> Iterator[Rows]:
            before = 0
            try:
                for batch in file.iter_batches(batch_size=ROWS):
                    batch.validate(full=True)
                    texts = [(value or "").strip() for value in batch.column(position).to_pylist()]
                    kept = [row for row, found in enumerate(texts) if found]
                    for row in range(len(texts)) if len(kept) < len(texts) else ():
                        if not texts[row]:
                            refuse(InputError(f"Row {before + row + 1:,} of {source.name} has no text in {text!r}"))
                    before += len(texts)
                    if kept:
                        yield Rows([texts[row] for row in kept], batch.take(pa.array(kept)))
            except (pa.ArrowException, OSError) as error:
                damaged(error)

        yield Stream(schema.names, batches(), schema)


def _chunks(pairs: Iterator[tuple[str, Any]]) -> Iterator[Rows]:
    while some := list(islice(pairs, ROWS)):
        yield Rows([text for text, _ in some], [record for _, record in some])


def _read(lines: Iterable[str], source: Source, decoding: Decoding) -> Iterator[str]:
    """Goes through lines; says what is wrong where they end too early."""
    try:
        yield from lines
    except UnicodeError as error:
        raise decoding.error(source.name) from error
    except OSError as error:
        raise InputError(f"{source.name} cannot be read: {error.strerror or error}") from error


def _records(reader: Iterator[list[str]], source: Source) -> Iterator[list[list[str]]]:
    """Goes through the records of a CSV file up to the one that marks the end, some at a time."""
    read = 0
    while True:
        try:
            # At the speed of C: a file of short texts is read faster than it is looked at row by row.
            records = [record for record in islice(reader, ROWS) if record]
        except csv.Error as error:
            raise InputError(
                f"{source.name} cannot be read as CSV after row {read:,}, where a quote may be left open: {error}"
            ) from error
        last = records.pop() if records and records[-1][-1].endswith(_END) else None
        if records:
            yield records
            read += len(records)
        if last == [_END]:
            return
        if last is not None:
            raise InputError(f'Row {read + 1:,} of {source.name} opens a quote (") that is never closed: close it')
