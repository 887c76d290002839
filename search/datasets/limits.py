"""Limits on the size of rows and archives, against mistakes and attacks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from search.config.dataset import DatasetConfig
from search.errors import InputError
from search.utils.unpacking import GIB, Unpacking

MIB = 1 << 20
# Bytes that a row takes in memory however short it is; in an archive it may take next to none.
_LINE = 128


@dataclass(frozen=True)
class Limits:
    """The limits of a data set.

    Attributes:
        max_row_mib: Length of a row, or of a text of a folder, in MiB.
        max_unpacked_gib: Unpacked size of an archive or a Parquet file, in GiB; None: no limit.
    """

    max_row_mib: float = DatasetConfig.max_row_mib
    max_unpacked_gib: float | None = DatasetConfig.max_unpacked_gib

    @classmethod
    def of(cls, config: DatasetConfig) -> Self:
        """The limits of the settings."""
        return cls(config.max_row_mib, config.max_unpacked_gib)

    @property
    def longest_row(self) -> int:
        """Bytes of the longest row, one at least."""
        return max(1, int(self.max_row_mib * MIB))

    def unpacking(self, path: Path) -> Unpacking:
        """A counter of the bytes that are unpacked from a file."""
        return Unpacking(path, self.max_unpacked_gib, "dataset.max_unpacked_gib")

    def too_long(self, what: str) -> InputError:
        """The error about a text that is longer than a row may be."""
        return InputError(
            f"{what} is longer than {self.max_row_mib:g} MiB, which no row should be: if it is meant to be so long, "
            "set dataset.max_row_mib higher"
        )


LIMITS = Limits()
"""The default limits."""


class LineLimit:
    """A check of the length and number of lines while a file is read, so that they cannot fill the memory.

    Args:
        name: The file, for messages.
        limits: The limits of the data set.
        ends: The bytes that end a line.
        packed: Whether the file comes out of an archive, and so may have any number of lines.
    """

    def __init__(self, name: str, limits: Limits, ends: bytes, packed: bool) -> None:
        self._name, self._limits = name, limits
        most = limits.max_unpacked_gib
        self._most = most * GIB / _LINE if packed and most is not None else math.inf
        self._blank = 0  # bytes of white space that the last piece ended in
        self._ends = [ends[at : at + 1] for at in range(len(ends))]
        self._begun = 0  # bytes of the line that the last piece ended in
        self._lines = 0

    def __call__(self, piece: bytes) -> None:
        """Checks the next bytes, which are no more than a line may have.

        Raises:
            InputError: A line, or what is between two lines, is longer than a row may be, or there are too many lines.
        """
        last = max(piece.rfind(end) for end in self._ends)
        first = min((at for end in self._ends if (at := piece.find(end)) >= 0), default=len(piece))
        if self._begun + first > self._limits.longest_row:
            raise self._limits.too_long(f"Line {self._lines + 1:,} of {self._name}")
        self._begun = len(piece) - last - 1 if last >= 0 else self._begun + len(piece)
        self._lines += piece.count(b"\n")
        self._blank = self._blank + len(piece) if piece.isspace() else 0
        if self._blank > self._limits.longest_row:
            raise self._limits.too_long(f"White space in {self._name} up to line {self._lines:,}")
        if self._lines > self._most:
            raise InputError(
                f"{self._name} has more than {int(self._most):,} lines, of which each takes {_LINE} bytes at least: "
                f"where you trust it, set dataset.max_unpacked_gib higher than {self._limits.max_unpacked_gib:g}"
            )
