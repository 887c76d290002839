"""Reads a file of word vectors into the table of a module: checked, each word once, the vectors kept on disk."""

from __future__ import annotations

import gzip
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BufferedReader
from itertools import islice
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from search.backbones.builders.vectors import vocabulary_keys
from search.backbones.builders.word_vector_files import FORMATS, Row
from search.errors import InputError

_GZIP, _ZIP = b"\x1f\x8b", b"PK\x03\x04"
_BLOCK_ROWS = 4096
# Published files have a few rows that went wrong; where there are more, something else is wrong.
_FEW_FAULTS, _MOST_FAULTS = 10, 0.01


@dataclass(frozen=True)
class WordTable:
    """The words and vectors of a file, ready for a module.

    Attributes:
        words: Distinct words as the module's tokenizer spells them, in the order of the file [n].
        vectors: Their vectors, float32 [n, dim], mapped from disk.
        others: The mean of all vectors that were read, float64 [dim].
        rows: Number of rows that were read.
        left_out: A sentence for each reason why rows are not in the table.
    """

    words: Sequence[str]
    vectors: NDArray[np.float32]
    others: NDArray[np.float64]
    rows: int
    left_out: tuple[str, ...]


def read_word_vectors(path: Path, kind: str, vocabulary: int | None, scratch: Path) -> WordTable:
    """Reads a file of word vectors.

    A module looks texts up token by token, in lower case. So a word goes under its lower-cased spelling, the first of
    several spellings wins, and a word that the tokenizer would split, such as `New_York`, is left out: no text can
    meet it. It still counts in the mean, so that the module gives what it would give with the word.

    Args:
        path: The file, plain or gzipped.
        kind: A name of `FORMATS`.
        vocabulary: Number of words in the table, the first of the file; None, or more than there are: all.
        scratch: A folder that holds the vectors as long as they are used.

    Returns:
        The table. Broken rows are left out of it as long as they are few.

    Raises:
        InputError: The file cannot be read, or is not of that format; the message names the line.
        OSError: The vectors cannot be written.
    """
    reader = FORMATS[kind]
    table = _Table(reader.place, vocabulary)
    numbers = scratch / "vectors.float32"
    with _opened(path) as file, numbers.open("wb") as output:
        rows = reader.rows(file, str(path))
        while block := tuple(islice(rows, table.room(_BLOCK_ROWS))):
            output.write(table.add(block).tobytes())
            if table.faults > max(_FEW_FAULTS, _MOST_FAULTS * table.rows):
                raise InputError(
                    f"{path} has {table.faults:,} unusable rows among {table.rows:,}, the first in "
                    f"{table.first_fault}. Is its format not {kind}? There are: {', '.join(FORMATS)}."
                )
    if not table.words:
        raise InputError(f"{path} has no word for the table. {' '.join(table.told()) or 'It is empty.'}")
    vectors = np.memmap(numbers, np.float32, "r", shape=(len(table.words), len(table.total)))
    return WordTable(tuple(table.words), vectors, table.total / table.sound, table.rows, table.told())


@dataclass
class _Table:
    """The words so far, and the counts of rows.

    Attributes:
        place: What rows are numbered by: lines or words.
        vocabulary: Number of words that the table is to have.
    """

    place: str
    vocabulary: int | None
    words: dict[str, None] = field(default_factory=dict)
    left_out: Counter[str] = field(default_factory=Counter)
    firsts: dict[str, str] = field(default_factory=dict)
    total: NDArray[np.float64] = field(default_factory=lambda: np.zeros(1))
    rows: int = 0
    sound: int = 0
    faults: int = 0
    first_fault: str = ""

    def room(self, most: int) -> int:
        return most if self.vocabulary is None else min(most, self.vocabulary - len(self.words))

    def told(self) -> tuple[str, ...]:
        return tuple(
            f"Left out {rows:,} rows: {reason} (the first is {self.firsts[reason]})."
            for reason, rows in self.left_out.most_common()
        )

    def add(self, rows: Sequence[Row]) -> NDArray[np.float32]:
        """Adds rows, for all of which there is room; returns the vectors of the new words [k, dim]."""
        checked = [_checked(row) for row in rows]
        keys = iter(vocabulary_keys([word for word, fault in checked if not fault]))
        read, entered = [], []
        for row, (word, fault) in zip(rows, checked, strict=True):
            self.rows += 1
            if fault:
                self._note_fault(row, word, fault)
                continue
            key = next(keys)
            read.append(row.values)
            if key is None:
                self._leave_out("split by the tokenizer", row, repr(word))
            elif key in self.words:
                self._leave_out("another spelling of a word before", row, repr(word))
            else:
                self.words[key] = None
                entered.append(row.values)
        self.sound += len(read)
        self.total = self.total + np.sum(read, axis=0, dtype=np.float64)
        return np.array(entered, np.float32)

    def _note_fault(self, row: Row, word: str, fault: str) -> None:
        self.faults += 1
        detail = row.fault or repr(word)
        self.first_fault = self.first_fault or f"{self.place} {row.number:,}: {detail}"
        self._leave_out(fault, row, detail)

    def _leave_out(self, reason: str, row: Row, detail: str) -> None:
        self.left_out[reason] += 1
        self.firsts.setdefault(reason, f"{self.place} {row.number:,}: {detail}")


def _checked(row: Row) -> tuple[str, str]:
    """The word of a row, and the fault in the row, if any."""
    if row.fault:
        return "", "broken"
    try:
        word = row.word.decode()
    except UnicodeDecodeError:
        return row.word.decode(errors="backslashreplace"), "not UTF-8"
    return word, "" if np.isfinite(row.values).all() else "numbers that are not finite"


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """Opens a file, through gzip where it is compressed; what cannot be read becomes an `InputError`."""
    try:
        file = path.open("rb")
    except OSError as error:
        raise InputError(f"path={path} cannot be read: {error.strerror}.") from error
    with file:
        magic = file.peek(4)[:4]
        if magic == _ZIP:
            raise InputError(f"{path} is a .zip archive: unpack it and give the file inside.")
        if not magic.startswith(_GZIP):
            yield file
            return
        try:
            with gzip.open(file) as unpacked:
                yield cast(BinaryIO, BufferedReader(unpacked, 2**20))
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise InputError(f"{path} is damaged, or incomplete: {error}") from error
