"""A limit on what comes out of an archive, so that a small file fills neither the memory nor the disk."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, cast

from search.errors import InputError

GIB = 1 << 30
STEP = 1 << 20
"""Bytes asked of a decompressor at once."""
DAMAGED = (
    tarfile.TarError,
    zipfile.BadZipFile,
    gzip.BadGzipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    NotImplementedError,
)
"""Exceptions that a damaged archive makes the standard library raise."""
# An archive member takes so much even if it is empty: a header on the way, a name in memory.
_MEMBER = 512
# Names and other headers are read at once, and a damaged one may claim any length.
_LONGEST_HEADER = 1 << 26
_COMPRESSED: dict[bytes, Callable[[Path], IO[bytes]]] = {
    b"\x1f\x8b": lambda path: cast(IO[bytes], gzip.GzipFile(path)),
    b"BZh": lambda path: bz2.BZ2File(path),
    b"\xfd7zXZ\x00": lambda path: lzma.LZMAFile(path),  # noqa: SIM115 - whoever asks for it closes it
}


@dataclass
class Unpacking:
    """A count of the bytes that have come out of an archive.

    Attributes:
        archive: Its path, as messages name it.
        max_gib: The limit in GiB; None: there is none.
        setting: The setting that the limit comes from, such as `dataset.max_unpacked_gib`.
        size: Bytes so far.
    """

    archive: Path
    max_gib: float | None
    setting: str
    size: int = 0

    def add(self, size: int) -> None:
        """Counts bytes that came out, or are about to.

        Raises:
            InputError: They are more than the limit; the message names the setting.
        """
        self.size += size
        if self.max_gib is not None and self.size > self.max_gib * GIB:
            raise InputError(
                f"{self.archive} unpacks to more than {self.max_gib:g} GiB, the limit: where you trust it and it is "
                f"meant to be so large, set {self.setting} higher (null: no limit)"
            )


def tar_members(path: Path, unpacking: Unpacking) -> Iterator[tuple[tarfile.TarInfo, Callable[[], IO[bytes]]]]:
    """Goes once through the members of a .tar, plain or compressed by gzip, bzip2 or xz.

    What a member claims as its size is counted before anything of it is read: a sparse one claims terabytes in a few
    bytes.

    Args:
        path: The archive.
        unpacking: Counts what comes out.

    Yields:
        Each member, and what opens the content of a plain file while the iteration stands at it.

    Raises:
        InputError: It is more than the limit.
        TarError: The archive is damaged, as are all of `DAMAGED`.
    """
    with _decompressed(path) as plain, tarfile.open(fileobj=cast(IO[bytes], _Headers(plain)), mode="r:") as archive:
        for info in archive:
            if info.size < 0:
                raise tarfile.ReadError(f"the member {info.name!r:.80} claims a size below zero")
            unpacking.add(info.size + _MEMBER)
            yield info, partial(_content, archive, info)
            archive.members.clear()  # type: ignore[attr-defined] # tarfile keeps all it has seen
        # tarfile takes a damaged header for the end; reading on to the real end has gzip compare its checksum.
        while chunk := plain.read(STEP):
            unpacking.add(len(chunk))


def _decompressed(path: Path) -> IO[bytes]:
    with path.open("rb") as file:
        first = file.read(max(map(len, _COMPRESSED)))
    opened = (opener(path) for magic, opener in _COMPRESSED.items() if first.startswith(magic))
    return next(opened, None) or path.open("rb")


def _content(archive: tarfile.TarFile, info: tarfile.TarInfo) -> IO[bytes]:
    stream = archive.extractfile(info)
    if stream is None:  # only so for folders, devices and the like
        raise tarfile.ReadError(f"the member {info.name!r:.80} is no file")
    return io.BufferedReader(Watched(stream, lambda piece: None))


class _Headers:
    """A stream of which tarfile can read no header that claims an absurd length; contents are read in steps."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.seek, self.tell = stream.seek, stream.tell

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= _LONGEST_HEADER:
            raise tarfile.ReadError(f"a header claims {size:,} bytes")
        return self._stream.read(size)


class Watched(io.RawIOBase):
    """A stream whose every piece is shown to a function before it is handed out.

    Wrapped in `io.BufferedReader` it reads like any file.

    Args:
        stream: Read in pieces, and closed with this one.
        watch: Is given each piece, and raises where it has seen enough.
        step: Bytes asked for at once.
    """

    def __init__(self, stream: IO[bytes], watch: Callable[[bytes], None], step: int = STEP) -> None:
        self._stream, self._watch, self._step = stream, watch, step

    def readable(self) -> bool:
        """Tells that it can be read."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fills a part of the buffer; returns how many bytes that are, none at the end only."""
        # As much as is there: who types texts into a terminal waits for an answer.
        read = getattr(self._stream, "read1", self._stream.read)
        piece = read(min(len(buffer), self._step))
        self._watch(piece)
        buffer[: len(piece)] = piece
        return len(piece)

    def close(self) -> None:
        """Closes the stream."""
        if not self.closed:
            self._stream.close()
        super().close()
