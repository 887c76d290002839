"""Tables as the readers give them, and examples as the rest of the program uses them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from search.datasets.beside import joined

if TYPE_CHECKING:
    from search.datasets.images.faults import Unreadable

SPLITS = ("train", "valid", "test")


@dataclass(frozen=True)
class Table:
    """Texts and labels as in the file, before cleaning.

    Attributes:
        texts: [n] object: str, bytes of a picture, or None where the field is missing.
        labels: [n] object: str, int, float or bool as the format holds them, or None; a frozenset of names where a
            text has several labels.
        rows: [n] int64: the number of each row in its source. Row 1 is the first below the header; in a folder it is
            the first file in sorted order.
        source: The file or folder, as named in messages.
        splits: [n] object: the split that each row names in a column; None: the table has no such column.
        columns: [n] object for each column beside the texts that was asked for: values as the format holds them.
        left_out: Counts of files of a folder that were left out, by the names in `Cleaning`.
        names: [n] object: the path of each row's picture; None: rows are texts.
        faults: Why rows that are not in it have no picture.
    """

    texts: NDArray[np.object_]
    labels: NDArray[np.object_]
    rows: NDArray[np.int64]
    source: str
    splits: NDArray[np.object_] | None = None
    columns: Mapping[str, NDArray[np.object_]] = field(default_factory=dict)
    left_out: Mapping[str, int] = field(default_factory=dict)
    names: NDArray[np.object_] | None = None
    faults: tuple[Unreadable, ...] = ()

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, index: NDArray[Any]) -> Table:
        """Gives the rows of an index or a mask, in its order."""
        splits = None if self.splits is None else self.splits[index]
        columns = {name: values[index] for name, values in self.columns.items()}
        texts, labels, rows = self.texts[index], self.labels[index], self.rows[index]
        names = None if self.names is None else self.names[index]
        return replace(self, texts=texts, labels=labels, rows=rows, splits=splits, columns=columns, names=names)


@dataclass(frozen=True)
class Examples:
    """Texts and their classes.

    Attributes:
        texts: [n] object: str, never empty, without white space around; or bytes of pictures, as
            `search.datasets.images.normalise` gives them.
        labels: [n] int64: index into the classes. Several labels per text: [n, labels] int8, 1 where a row has one.
        rows: [n] int64: the number of each row in its source.
        beside: [n] structured: the columns beside the texts, from `search.datasets.beside`; None: there are none.
        names: [n] object: the path of each row's picture; None: rows are texts.
    """

    texts: NDArray[np.object_]
    labels: NDArray[Any]
    rows: NDArray[np.int64]
    beside: NDArray[Any] | None = None
    names: NDArray[np.object_] | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def __add__(self, other: Self) -> Examples:
        """Appends the rows of another: train + valid for the refit."""
        return Examples(
            np.concatenate([self.texts, other.texts]),
            np.concatenate([self.labels, other.labels]),
            np.concatenate([self.rows, other.rows]),
            None if self.beside is None else np.concatenate([self.beside, other.beside]),
            None if self.names is None else np.concatenate([self.names, other.names]),
        )

    def take(self, index: NDArray[Any]) -> Examples:
        """Gives the rows of an index or a mask, in its order."""
        beside = None if self.beside is None else self.beside[index]
        names = None if self.names is None else self.names[index]
        return Examples(self.texts[index], self.labels[index], self.rows[index], beside, names)

    @property
    def shown(self) -> NDArray[np.object_]:
        """What a person is shown of each row [n]: its text, or the name of its file."""
        return self.texts if self.names is None else self.names

    @property
    def inputs(self) -> NDArray[Any]:
        """The rows as a model takes them: the texts, or a structured array of texts and columns."""
        return joined(self.texts, self.beside)


def class_counts(labels: NDArray[Any], classes: int) -> NDArray[np.int64]:
    """Counts the rows of each class, or with each of several labels, int64 [classes]."""
    if labels.ndim == 2:
        return np.asarray(labels.sum(axis=0, dtype=np.int64))
    return np.asarray(np.bincount(labels, minlength=classes))


def every(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The rows of which all holds, bool [n], from a mask of their labels, [n] or [n, labels]."""
    return np.asarray(mask.all(axis=1) if mask.ndim == 2 else mask)


def without_space(rows: Iterable[Any]) -> list[Any]:
    """Rows without white space around texts; bytes, of which it may be a part, and None stay as they are."""
    return [row.strip() if isinstance(row, str) else row for row in rows]


def encoded(rows: Iterable[str | bytes]) -> list[bytes]:
    """Rows as TensorFlow takes them: texts in UTF-8, bytes as they are."""
    return [row.encode() if isinstance(row, str) else row for row in rows]


def object_array(values: Sequence[Any]) -> NDArray[np.object_]:
    """Makes a one-dimensional array of Python objects; NumPy alone would guess a dtype, or a second dimension."""
    return np.fromiter(values, dtype=object, count=len(values))


def first_rows(count: int) -> NDArray[np.int64]:
    """The row numbers 1 to count."""
    return np.arange(1, count + 1, dtype=np.int64)
