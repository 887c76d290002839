"""A file to read, on disk or inside an archive, which can be opened more than once."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Self

from search.config.dataset import DatasetConfig
from search.datasets import archive
from search.datasets.contents import require_text
from search.datasets.limits import LIMITS, Limits, LineLimit
from search.errors import InputError
from search.utils.unpacking import STEP, Watched

_UNDECODED = re.compile("[\udc80-\udcff]")


@dataclass(frozen=True)
class Source:
    """A file to read.

    Attributes:
        name: Its name in messages: its path, and for a member of an archive `:member` after it.
        open: Opens its bytes from the beginning.
        limits: The limits of the data set.
        packed: Whether it lies in an archive.
    """

    name: str
    open: Callable[[], AbstractContextManager[IO[bytes]]]
    limits: Limits = LIMITS
    packed: bool = False

    @classmethod
    def of(cls, path: Path, member: str | None = None, limits: Limits = LIMITS) -> Self:
        """Makes the source of a plain file, or of a member of an archive."""
        if member is None:
            return cls(str(path), lambda: path.open("rb"), limits)
        return cls(f"{path}:{member}", lambda: archive.open_member(path, member, limits), limits, packed=True)

    @contextmanager
    def open_text(self, expected: str, ends: bytes = b"\n") -> Iterator[IO[bytes]]:
        """Opens a file of lines; refuses one that is no text by its first bytes, or has an endless line.

        Args:
            expected: The format, for the message.
            ends: The bytes that end a line.

        Raises:
            InputError: It is something else, here or while it is read.
        """
        limit = LineLimit(self.name, self.limits, ends, self.packed)
        seen = False

        def watch(piece: bytes) -> None:
            nonlocal seen
            if not seen:
                require_text(self.name, piece, expected)
                seen = True
            limit(piece)

        step = min(STEP, self.limits.longest_row)
        with self.open() as stream, io.BufferedReader(Watched(stream, watch, step)) as watched:
            yield watched


@dataclass(frozen=True)
class Decoding:
    """The encoding of a file, and how to treat bytes that are not of it.

    Attributes:
        encoding: A codec of Python.
        replace: Whether bytes that are not of the encoding become U+FFFD; else they are an error.
    """

    encoding: str
    replace: bool = False

    @classmethod
    def of(cls, config: DatasetConfig) -> Self:
        """The encoding of the settings."""
        return cls(config.encoding, replace=config.undecodable == "replace")

    @property
    def codec(self) -> str:
        """The codec to decode with: for UTF-8 the one that drops a byte order mark."""
        return "utf-8-sig" if self.is_utf8 else self.encoding

    @property
    def is_utf8(self) -> bool:
        """Whether the encoding is UTF-8 under any of its names."""
        return codecs.lookup(self.encoding).name == "utf-8"

    def lines(self, stream: IO[bytes], newline: str) -> io.TextIOWrapper:
        """Decodes a stream; undecodable bytes become lone surrogates, so that the reader can name their row."""
        errors = "replace" if self.replace else "surrogateescape"
        return io.TextIOWrapper(stream, encoding=self.codec, errors=errors, newline=newline)

    def text(self, content: bytes, where: str) -> str:
        """Decodes a whole file.

        Raises:
            InputError: It is not of the encoding.
        """
        try:
            return content.decode(self.codec, errors="replace" if self.replace else "strict")
        except UnicodeError as error:
            raise self.error(where) from error

    def error(self, where: str, likely: str = "latin-1") -> InputError:
        """The error about bytes that are not of the encoding, with a guess at the right one."""
        likely = "utf-8" if self.encoding.lower().startswith(("utf-16", "utf-32", "ascii")) else likely
        return InputError(
            f"{where} holds bytes that are not {self.encoding}: set dataset.encoding to the file's own, such as "
            f"dataset.encoding={likely}, or dataset.undecodable=replace"
        )


def is_undecoded(text: str) -> bool:
    """Whether text from `Decoding.lines` holds a byte that the encoding does not know."""
    try:
        # Ten times as fast as to search, and refuses all surrogates, which are rare.
        text.encode()
    except UnicodeEncodeError:
        return _UNDECODED.search(text) is not None
    return False
