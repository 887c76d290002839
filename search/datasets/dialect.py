"""The dialect of a CSV or TSV: separator, quotes, header."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Self

from search.config.dataset import DatasetConfig
from search.datasets.limits import Limits
from search.errors import InputError

# What Excel takes for the name of the separator, and no row.
_PREFACE = re.compile(r'"?sep=([^"\r\n])"?\r?\n?', re.IGNORECASE)


@dataclass(frozen=True)
class Dialect:
    """The dialect of a CSV or TSV.

    Attributes:
        separator: One character.
        quoting: See `DatasetConfig.quoting`.
        header: Whether its first row names the columns.
        is_set: Whether the user set the separator, so that no first line changes it.
    """

    separator: str = ","
    quoting: str = "auto"
    header: bool = True
    is_set: bool = False

    @classmethod
    def of(cls, config: DatasetConfig, file_format: str | None) -> Self:
        """The dialect of the settings, for a file of the format csv or tsv."""
        separator = config.separator or ("\t" if file_format == "tsv" else ",")
        separator = "\t" if separator == r"\t" else separator  # as a shell passes it on
        return cls(separator, config.quoting, config.header, config.separator is not None)

    def named_by(self, first_line: str) -> Self | None:
        """The dialect of a file whose first line is like `sep=;`; None for another line."""
        found = _PREFACE.fullmatch(first_line)
        if found is None:
            return None
        return self if self.is_set else replace(self, separator=found[1])

    def columns(self, first: list[str]) -> list[str]:
        """The names of the columns by the first row: its fields, or without a header their numbers."""
        return first if self.header else [str(number) for number in range(1, len(first) + 1)]

    def reader(self, lines: Iterable[str]) -> Iterator[list[str]]:
        """A reader of Python's csv; text behind a closing quote is an error."""
        if self.quoting == "none":
            return csv.reader(lines, delimiter=self.separator, quoting=csv.QUOTE_NONE)
        escape = "\\" if self.quoting == "backslash" else None
        return csv.reader(lines, delimiter=self.separator, escapechar=escape, strict=True)

    def parse_options(self) -> dict[str, Any]:
        """The arguments of `pyarrow.csv.ParseOptions`."""
        return {
            "delimiter": self.separator,
            "quote_char": False if self.quoting == "none" else '"',
            "escape_char": "\\" if self.quoting == "backslash" else False,
            "newlines_in_values": self.quoting != "none",
        }

    @property
    def first_row(self) -> str:
        """The first row, in words."""
        return "header" if self.header else "first row"

    def miscounted(self, fields: int, columns: int) -> str:
        """The message about a row with another number of fields than the first."""
        return (
            f"has {fields} fields where the {self.first_row} has {columns}: quote the fields "
            f"that hold a {self.separator!r} or a line end, or set dataset.separator"
        )

    def fault(self, error: csv.Error, where: str, line: str, limits: Limits) -> InputError:
        """The error about a row that cannot be read.

        Args:
            error: The reader's error.
            where: The row and its file, in words.
            line: The last line that was read.
            limits: The limits of the data set.
        """
        said = str(error)
        if "expected after" in said:
            if self.quoting != "backslash" and '\\"' in line:
                remedy = "its quotes seem to be escaped by backslashes: set dataset.quoting=backslash"
            else:
                remedy = "double the quotes within a field, or set dataset.quoting=none where quotes mean nothing"
            return InputError(f'{where} has text behind a closing quote ("): {remedy}')
        if "unexpected end" in said:
            return self.never_closed(where)
        if "field limit" in said:
            return limits.too_long(f"{where}, where a quote may be left open,")
        return InputError(f"{where} cannot be read as CSV: {said}")

    def never_closed(self, where: str) -> InputError:
        """The message about a row with a quote that is not closed."""
        return InputError(
            f'{where} opens a quote (") that is never closed: close or double it, or set dataset.quoting=none where '
            "quotes mean nothing"
        )


class Lines:
    """The lines of a file, and whether it could be read just as well without quotes.

    That is so where every line has the same number of separators, although quotes join some of them to one row. Then
    either reading may be meant, and one of them would be silently wrong.

    Args:
        lines: The lines, with their ends.
        dialect: The dialect.

    Attributes:
        last: The last line that was read.
        number: Number of lines that were read.
    """

    def __init__(self, lines: Iterable[str], dialect: Dialect) -> None:
        self._lines, self._separator = lines, dialect.separator
        self._watched = dialect.quoting == "auto"
        self._separators: set[int] = set()
        self._full = 0  # lines that are not empty
        self.last = ""
        self.number = 0

    def __iter__(self) -> Iterator[str]:
        """Gives the lines."""
        for line in self._lines:
            self.last = line
            self.number += 1
            if self._watched and not line.isspace():
                self._full += 1
                self._separators.add(line.count(self._separator))
            yield line

    @property
    def settled(self) -> bool:
        """Whether it is decided by now if quotes have a meaning."""
        return not self._watched or len(self._separators) > 1

    def require_one_reading(self, records: int, columns: int, source: str) -> None:
        """Checks, after the last line, that quotes join no lines that are rows by themselves.

        Args:
            records: Number of records that were read, the header included.
            columns: Number of columns.
            source: The file.

        Raises:
            InputError: They do.
        """
        if not self._watched or columns < 2 or self._separators != {columns - 1} or self._full == records:
            return
        raise InputError(
            f'In {source} quotes (") join {self._full:,} lines to {records:,} rows, but each line could be a row: '
            "set dataset.quoting=none if quotes mean nothing, or dataset.quoting=double if they do"
        )
