"""Reads tables of any length some rows at a time, skipping rows that cannot be used."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

from search.datasets.beside import Column
from search.datasets.dialect import Dialect
from search.datasets.hints import find_column, listing
from search.datasets.jsonlines import label_of, parse_line, row_text
from search.datasets.records import Records
from search.datasets.source import Decoding, Source, is_undecoded
from search.datasets.streamed_rows import Refuse, Rows, find_beside, read_lines, with_columns
from search.datasets.text_columns import text_at
from search.errors import InputError

__all__ = ["ROWS", "Refuse", "Rows", "Stream"]
ROWS = 4096
"""Rows that are read at once and held in memory."""
KEY = "text_column"
"""The setting that names the columns of texts."""


@dataclass(frozen=True)
class Stream:
    """A table that is being read.

    Attributes:
        columns: Names of its columns; for JSON Lines those of its first rows.
        rows: All rows that can be used, in their order.
        schema: The Arrow schema of Parquet.
        separator: The separator of CSV.
    """

    columns: list[str]
    rows: Iterator[Rows]
    schema: Any = None
    separator: str = ","


@contextmanager
def stream_lines(source: Source, decoding: Decoding, refuse: Refuse, column: str) -> Iterator[Stream]:
    """Reads texts, one per line, as a table with a column of this name; line 1 is row 1."""
    with source.open_text("lines of text") as stream, decoding.lines(stream, newline="\n") as lines:

        def pairs() -> Iterator[tuple[str, list[str]]]:
            for number, line in enumerate(read_lines(lines, source, decoding), 1):
                where = f"Row {number:,} of {source.name}"
                if is_undecoded(line):
                    refuse(decoding.error(where))
                elif text := line.strip():
                    yield text, [line.rstrip("\r\n")]
                else:
                    refuse(InputError(f"{where} has no text"))

        yield Stream([column], _chunks(pairs()))


@contextmanager
def stream_delimited(
    source: Source,
    texts: Sequence[str],
    dialect: Dialect,
    decoding: Decoding,
    refuse: Refuse,
    columns: Sequence[Column] = (),
) -> Iterator[Stream]:
    """Reads CSV or TSV by the rules of `read_delimited`.

    Args:
        source: The file.
        texts: Names of the columns of texts.
        dialect: Its dialect.
        decoding: Its encoding.
        refuse: Called with rows with too few or too many fields, text behind a closing quote, bytes that the encoding
            does not know, no text, or what is not of a column's kind.
        columns: The columns beside the texts.

    Yields:
        The table; each record is the list of a row's fields.

    Raises:
        InputError: There is no header, no such column, a quote is never closed, what joins lines to a row turns out to
            mean nothing, or, at the end, all of it could be read as well without quotes.
    """
    limit = csv.field_size_limit(source.limits.longest_row)
    try:
        with source.open_text("CSV", b"\r\n") as stream, decoding.lines(stream, newline="") as plain:
            records = Records(read_lines(plain, source, decoding), source, dialect, refuse)
            first = records.first()
            if any(map(is_undecoded, first)):
                raise decoding.error(f"The {dialect.first_row} of {source.name}")
            header = dialect.columns(first)
            text_of_row = text_at([find_column(header, one, KEY, source.name, dialect.header) for one in texts])
            places = find_beside(header, columns, source.name, dialect.header)

            def check(number: int, record: list[str]) -> bool:
                where = f"Row {number:,} of {source.name}"
                if len(record) != len(header):
                    refuse(InputError(f"{where} {records.dialect.miscounted(len(record), len(header))}"))
                elif any(map(is_undecoded, record)):
                    refuse(decoding.error(where))
                elif not text_of_row(record):
                    refuse(InputError(f"{where} has no text in {listing(texts)}"))
                else:
                    return True
                return False

            def chunks() -> Iterator[Rows]:
                rows = records.others() if dialect.header else chain([(1, first)], records.others())
                while some := list(islice(rows, ROWS)):
                    numbers, found = [number for number, _ in some], [record for _, record in some]
                    # All at once first, as looking at each row takes longer than reading it.
                    there = [text_of_row(record) for record in found if len(record) == len(header)]
                    if len(there) < len(found) or not all(there) or is_undecoded("".join(map("".join, found))):
                        some = [(number, record) for number, record in some if check(number, record)]
                        numbers, found = [number for number, _ in some], [record for _, record in some]
                        there = [text_of_row(record) for record in found]
                    if found:
                        table = {name: [record[place] for record in found] for name, place in places.items()}
                        yield from with_columns(Rows(there, found), columns, table, numbers, source.name, refuse)
                records.require_one_reading(len(header))

            yield Stream(header, chunks(), separator=records.dialect.separator)
    finally:
        csv.field_size_limit(limit)


@contextmanager
def stream_json_lines(
    source: Source, texts: Sequence[str], decoding: Decoding, refuse: Refuse, columns: Sequence[Column] = ()
) -> Iterator[Stream]:
    """Reads JSON Lines; empty lines do not count as rows.

    Args:
        source: The file.
        texts: Names of the fields of texts.
        decoding: Its encoding.
        refuse: Called with rows that are no JSON object, are not of the encoding, have no text, or what is not of a
            column's kind.
        columns: The columns beside the texts.

    Yields:
        The table; each record is a row's object.

    Raises:
        InputError: None of the first rows has the field.
    """
    with source.open_text("JSON Lines") as stream, decoding.lines(stream, newline="\n") as lines:

        def objects() -> Iterator[dict[str, Any] | InputError]:
            full = (line for line in read_lines(lines, source, decoding) if not line.isspace())
            for number, line in enumerate(full, 1):
                try:
                    yield parse_line(line, f"Row {number:,} of {source.name}", decoding)
                except InputError as error:
                    yield error

        rest = objects()
        first = list(islice(rest, ROWS))
        fields = list(dict.fromkeys(chain.from_iterable(record for record in first if isinstance(record, dict))))
        if fields:
            for name in texts:
                find_column(fields, name, KEY, source.name)
            find_beside(fields, columns, source.name)

        def found_rows() -> Iterator[tuple[int, str, dict[str, Any]]]:
            for number, record in enumerate(chain(first, rest), 1):
                try:
                    if isinstance(record, InputError):
                        raise record
                    found = (row_text(record, texts, number, source.name) or "").strip()
                    for one in columns:
                        label_of(record.get(one.name), one.name, "dataset.columns", number, source.name)
                    if not found:
                        raise InputError(f"Row {number:,} of {source.name} has no text in {listing(texts)}")
                except InputError as error:
                    refuse(error)
                else:
                    yield number, found, record

        def chunks() -> Iterator[Rows]:
            each = found_rows()
            while some := list(islice(each, ROWS)):
                records = [record for _, _, record in some]
                table = {one.name: [record.get(one.name) for record in records] for one in columns}
                rows = Rows([found for _, found, _ in some], records)
                yield from with_columns(rows, columns, table, [number for number, _, _ in some], source.name, refuse)

        yield Stream(fields, chunks())


def _chunks(pairs: Iterator[tuple[str, Any]]) -> Iterator[Rows]:
    while some := list(islice(pairs, ROWS)):
        yield Rows([text for text, _ in some], [record for _, record in some])
