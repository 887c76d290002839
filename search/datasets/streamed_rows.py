"""Some rows of a table that is read part by part, and the columns beside their texts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search.datasets.beside import Column, beside
from search.datasets.hints import find_column
from search.datasets.source import Decoding, Source
from search.errors import InputError

Refuse = Callable[[InputError], None]
"""Takes the error about a row that cannot be used, and raises it or lets the row be skipped."""


@dataclass(frozen=True)
class Rows:
    """Some rows of a table.

    Attributes:
        texts: Their texts, without white space around, none empty; or bytes, where the rows are no texts.
        records: The rows themselves: a list of lists of fields, a list of JSON objects or an Arrow record batch.
        beside: The columns beside the texts, from `search.datasets.beside`; None: there are none.
        names: What rows that are bytes are called in messages; None: rows are texts.
    """

    texts: list[Any]
    records: Any
    beside: NDArray[Any] | None = None
    names: Sequence[str] | None = None

    def take(self, places: Sequence[int], columns: NDArray[Any] | None) -> Rows:
        """The rows in some places, with their columns."""
        is_list = isinstance(self.records, list)
        records = [self.records[place] for place in places] if is_list else self.records.take(places)
        names = None if self.names is None else [self.names[place] for place in places]
        return Rows([self.texts[place] for place in places], records, columns, names)


def read_lines(lines: Iterable[str], source: Source, decoding: Decoding) -> Iterator[str]:
    """Reads lines; raises an error where they end too early."""
    try:
        yield from lines
    except UnicodeError as error:
        raise decoding.error(source.name) from error
    except OSError as error:
        raise InputError(f"{source.name} cannot be read: {error.strerror or error}") from error


def find_beside(
    names: Sequence[str], columns: Sequence[Column], source: str, header: bool | None = None
) -> dict[str, int]:
    """Finds the position of each column that a model takes beside the texts: see `find_column`.

    Raises:
        InputError: There is no such column, or there are two.
    """
    return {one.name: find_column(names, one.name, "dataset.columns", source, header) for one in columns}


def with_columns(
    rows: Rows,
    columns: Sequence[Column],
    table: Mapping[str, Sequence[Any]],
    numbers: Sequence[int],
    source: str,
    refuse: Refuse,
) -> Iterator[Rows]:
    """Reads the columns beside the texts of rows.

    Args:
        rows: The rows.
        columns: The columns; there may be none.
        table: The values of each, by its name [n].
        numbers: The number of each row, for messages.
        source: The table, for messages.
        refuse: Called with the error about each row that has a value which cannot be read.

    Yields:
        The rows that can be used, if any.
    """
    if not columns:
        yield rows
        return

    def of(places: Sequence[int]) -> NDArray[Any] | None:
        some = {name: [values[place] for place in places] for name, values in table.items()}
        return beside(columns, some, np.array(numbers)[list(places)].tolist(), source)

    places = [*range(len(numbers))]  # a list, which Arrow takes
    try:
        found = of(places)
    except InputError:  # which rows are at fault is found out one by one
        places = [place for place in places if _is_used(place, of, refuse)]
        found = of(places)
    if places:
        yield rows.take(places, found)


def _is_used(place: int, of: Callable[[Sequence[int]], Any], refuse: Refuse) -> bool:
    try:
        of([place])
    except InputError as error:
        refuse(error)
        return False
    return True
