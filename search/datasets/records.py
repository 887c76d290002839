"""Reads the records of a CSV one by one, skipping those that cannot be read."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from itertools import chain

from search.datasets.dialect import Dialect, Lines
from search.datasets.source import Source
from search.errors import InputError


class Records:
    """The records of a CSV, in one pass.

    Args:
        lines: The lines, with their ends.
        source: The file.
        dialect: Its dialect.
        refuse: Called with records that cannot be read, where it is certain that no other row is lost with them.

    Attributes:
        dialect: The dialect; a first line such as `sep=;` changes it.
    """

    def __init__(
        self, lines: Iterator[str], source: Source, dialect: Dialect, refuse: Callable[[InputError], None]
    ) -> None:
        line = next(lines, "")
        named = dialect.named_by(line)
        self.dialect = named or dialect
        self._source, self._refuse = source, refuse
        self._lines = Lines(lines if named else chain([line], lines), self.dialect)
        self._reader = self.dialect.reader(self._lines)
        self._count = 0

    def first(self) -> list[str]:
        """Reads the first record, the header or, without one, a row.

        Raises:
            InputError: There is no record, or it cannot be read.
        """
        try:
            first = next((record for record in self._reader if record), None)
        except csv.Error as error:
            where = f"The {self.dialect.first_row} of {self._source.name}"
            raise self.dialect.fault(error, where, self._lines.last, self._source.limits) from error
        if first is None:
            expected = "a header and rows below it" if self.dialect.header else "rows"
            raise InputError(f"{self._source.name} is empty: expected {expected}")
        self._count = 1
        return first

    def others(self) -> Iterator[tuple[int, list[str]]]:
        """The records after the first, each with its row's number.

        Raises:
            InputError: A record that cannot be read has more than a line, and so perhaps other rows in it.
        """
        header = int(self.dialect.header)
        while True:
            begun = self._lines.number
            try:
                record = next(self._reader)
            except StopIteration:
                return
            except csv.Error as error:
                where = f"Row {self._count + 1 - header:,} of {self._source.name}"
                fault = self.dialect.fault(error, where, self._lines.last, self._source.limits)
                if self._lines.number - begun > 1:
                    raise fault from error
                self._refuse(fault)
                self._count += 1
            else:
                if record:
                    self._count += 1
                    yield self._count - header, record

    def require_one_reading(self, columns: int) -> None:
        """Checks, after the last record, that the file could not be read as well without quotes.

        Raises:
            InputError: It could; see `Lines`.
        """
        self._lines.require_one_reading(self._count, columns, self._source.name)
