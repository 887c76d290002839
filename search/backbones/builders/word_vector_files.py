"""Readers of files of word vectors, row by row, in memory that does not grow with the file."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import count
from typing import BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from search.errors import InputError

# What is longer was not written as a line of text: 1,000 numbers take 10 to 25 kB.
_LONGEST_LINE = 2**20
_LONGEST_WORD = 2**16
_BLOCK = 2**22
_MOST_DIMENSIONS = 100_000
_HEADER = re.compile(rb"\s*(\d{1,18})\s+(\d{1,18})\s*")
_NUMBERS = b"0123456789.eE+- \n\r"
_NO_VALUES = np.empty(0, np.float32)
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Row(NamedTuple):
    """A word and its vector, or the fault in the row.

    Attributes:
        number: The line in a text file, the word's place in a binary one; the first is 1.
        word: As it is in the file.
        values: Its vector, float32 [dim]; undefined where there is a fault.
        fault: What was expected and what came instead; empty where there is a vector.
    """

    number: int
    word: bytes
    values: NDArray[np.float32]
    fault: str = ""


class Format(NamedTuple):
    """A kind of file.

    Attributes:
        rows: Reads an open file; the second argument is its name in messages. All vectors have the same dimension.
        place: What `Row.number` counts.
    """

    rows: Callable[[BinaryIO, str], Iterator[Row]]
    place: str


def _glove(file: BinaryIO, name: str) -> Iterator[Row]:
    """GloVe's text: a word and its numbers on each line, nothing before; the first line says how many.

    https://nlp.stanford.edu/projects/glove/
    """
    lines = _lines(file, name)
    number, first, _ = next(lines, (1, b"", True))
    dimension = first.count(b" ")
    if _HEADER.fullmatch(first):
        raise InputError(
            f"{name}, line {number}: expected a word and its vector, found the header '{_shown(first)}' of word2vec "
            "and fastText: give format=word2vec or format=fasttext."
        )
    row = _parsed(number, first, dimension)
    if dimension < 1 or row.fault:
        raise InputError(
            f"{name}, line {number}: expected a word and its vector, separated by spaces, found '{_shown(first)}'."
        )
    yield row
    yield from _rows(lines, dimension, name)


def _word2vec_text(file: BinaryIO, name: str) -> Iterator[Row]:
    """The text of word2vec and of fastText's .vec: number of words and dimension, then lines like GloVe's.

    https://fasttext.cc/docs/en/english-vectors.html
    """
    lines = _lines(file, name)
    number, first, _ = next(lines, (1, b"", True))
    words, dimension = _header(first, name, "; a file without it is read with format=glove")
    last, found = number, 0
    for row in _rows(lines, dimension, name):
        last, found = row.number, found + 1
        if found > words:
            raise InputError(
                f"{name}, line {last}: expected the end, since the header promises {words:,} words; correct it, or "
                f"set vocabulary={words}."
            )
        yield row
    if found < words:
        raise InputError(
            f"{name} ends after line {last} with {found:,} words, but its header promises {words:,}: is it incomplete? "
            f"vocabulary={max(1, found)} takes the first that are there."
        )


def _word2vec_binary(file: BinaryIO, name: str) -> Iterator[Row]:
    """word2vec's binary: the header, then each word, a space and its numbers as little-endian float32.

    https://code.google.com/archive/p/word2vec/
    """
    words, dimension = _header(file.readline(_LONGEST_WORD), name, "")
    size = 4 * dimension
    data, start = b"", 0
    for number in range(1, words + 1):
        while (space := data.find(b" ", start)) < 0 or space + 1 + size > len(data):
            more = file.read(max(_BLOCK, size))
            if not more:
                raise InputError(
                    f"{name} ends in word {number:,} of the {words:,} that its header promises: is it incomplete? "
                    f"vocabulary={max(1, number - 1)} takes the first that are there."
                )
            data, start = data[start:] + more, 0
        # The original program ends each vector with a line feed, others do not.
        word = data[start:space].lstrip(b"\n")
        vector = data[space + 1 : space + 1 + size]
        if len(word) > _LONGEST_WORD:
            raise InputError(f"{name}, word {number:,}: expected a word before its vector, found {len(word):,} bytes.")
        if number == 1 and not vector.strip(_NUMBERS):
            raise InputError(f"{name} holds text, not binary numbers: give format=word2vec.")
        start = space + 1 + size
        yield Row(number, word, np.frombuffer(vector, "<f4").astype(np.float32, copy=False))
    if (data[start:] + file.read(_BLOCK)).strip(b"\n"):
        raise InputError(
            f"{name} goes on after the {words:,} words that its header promises: vocabulary={words} takes only these."
        )


FORMATS = {
    "glove": Format(_glove, "line"),
    "word2vec": Format(_word2vec_text, "line"),
    "word2vec-binary": Format(_word2vec_binary, "word"),
    "fasttext": Format(_word2vec_text, "line"),
}
"""Formats by the name that a person gives."""


def _lines(file: BinaryIO, name: str) -> Iterator[tuple[int, bytes, bool]]:
    """Lines that are not blank: their number, content, and whether a line feed ends them."""
    for number in count(1):
        line = file.readline(_LONGEST_LINE)
        if not line:
            return
        if len(line) == _LONGEST_LINE:
            raise InputError(
                f"{name}, line {number:,}: expected a word and its vector, found a line of more than {_LONGEST_LINE:,} "
                "bytes; a binary file of word2vec is read with format=word2vec-binary."
            )
        content = line.rstrip(b" \t\r\n")
        if number == 1:
            content = content.removeprefix(_BYTE_ORDER_MARK)
        if content:
            yield number, content, line.endswith(b"\n")


def _rows(lines: Iterator[tuple[int, bytes, bool]], dimension: int, name: str) -> Iterator[Row]:
    for number, line, whole in lines:
        row = _parsed(number, line, dimension)
        if row.fault and not whole:
            raise InputError(f"{name} ends within line {number:,} ({row.fault}): is it incomplete?")
        yield row


def _parsed(number: int, line: bytes, dimension: int) -> Row:
    # A word may hold spaces: GloVe 840B has ". . ." and the like.
    word, *numbers = line.rsplit(b" ", dimension)
    if len(numbers) < dimension or not word:
        found = f"{len(numbers)} numbers" if word else "no word"
        return Row(number, word, _NO_VALUES, f"expected a word and {dimension} numbers, found {found}")
    try:
        with np.errstate(over="ignore"):
            values = np.array(numbers, np.float32)
    except ValueError:
        wrong = next(text for text in numbers if not _is_number(text))
        return Row(number, word, _NO_VALUES, f"expected {dimension} numbers after the word, found '{_shown(wrong)}'")
    if b" " in word and _is_number(word.rsplit(b" ", 1)[1]):
        return Row(number, word, _NO_VALUES, f"expected {dimension} numbers after the word, found more")
    return Row(number, word, values)


def _header(line: bytes, name: str, hint: str) -> tuple[int, int]:
    match = _HEADER.fullmatch(line)
    if match is None or not int(match[1]) or not 1 <= int(match[2]) <= _MOST_DIMENSIONS:
        raise InputError(
            f"{name}, line 1: expected the number of words and the dimension, such as '400000 100', found "
            f"'{_shown(line)}'{hint}."
        )
    return int(match[1]), int(match[2])


def _is_number(text: bytes) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _shown(line: bytes) -> str:
    text = line[:40].decode("utf-8", "replace")
    return " ".join(f"{text}…".split() if len(line) > 40 else text.split())
