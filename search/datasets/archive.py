"""Files inside .zip, .gz and .tar.gz archives, read in place: nothing is ever unpacked to disk."""

from __future__ import annotations

import copy
import gzip
import io
import posixpath
import re
import stat
import zipfile
from bz2 import BZ2File
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO, cast

from search.datasets.contents import FIRST, kind_of
from search.datasets.limits import Limits
from search.errors import InputError
from search.utils.unpacking import DAMAGED, STEP, Unpacking, Watched, tar_members

_TAR = (".tar", ".tar.gz", ".tgz")
_ENDINGS = (".zip", ".gz", *_TAR)
# What stands behind a link is a path; more is none.
_LONGEST_TARGET = 1 << 12
# Each of these bytes unpacks to up to 7,000 at once.
_LZMA_STEP = 1 << 12
_Member = tuple[str, Callable[[], IO[bytes]] | None]
"""The name of a member, and a function that opens it if it is a file."""


def is_archive(path: Path) -> bool:
    """Whether a file is an archive, by the ending of its name."""
    return path.name.lower().endswith(_ENDINGS)


def names(path: Path, limits: Limits) -> tuple[list[str], int]:
    """Lists the files in an archive, in its own order, and counts its links and devices, which are not read.

    Raises:
        InputError: It cannot be read, is larger than the limit, or one of its members points outside the folder it is
            unpacked in.
    """
    with _readable(path):
        members = list(_members(path, limits))
    files = [name for name, opened in members if opened is not None]
    return files, len(members) - len(files)


@contextmanager
def open_member(path: Path, name: str, limits: Limits) -> Iterator[IO[bytes]]:
    """Opens one file of an archive for reading.

    Raises:
        InputError: The archive turns out to be damaged or larger than the limit, here or while the file is read.
    """
    with _readable(path):
        for member, opened in _members(path, limits):
            if member == name and opened is not None:
                with opened() as stream:
                    yield stream
                return
    raise InputError(f"{path} holds no {name!r}")


def read_members(path: Path, wanted: Callable[[str], bool], limits: Limits) -> Iterator[tuple[str, bytes]]:
    """Reads the files of an archive whose names are wanted, in one pass over it.

    Raises:
        InputError: The archive turns out to be damaged or larger than the limit, or one of the files is longer than a
            row may be.
    """
    with _readable(path):
        for name, opened in _members(path, limits):
            if opened is not None and wanted(name):
                with opened() as stream:
                    content = stream.read(limits.longest_row + 1)
                if len(content) > limits.longest_row:
                    raise limits.too_long(f"{path}/{name}")
                yield name, content


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Turns the errors of a damaged archive into one line."""
    try:
        yield
    except DAMAGED as error:
        reason = str(error) or type(error).__name__
        with path.open("rb") as file:
            found = kind_of(file.read(FIRST))
        hint = f"; by its first bytes it is {found[0]}" if found else ""
        raise InputError(
            f"{path} cannot be read as an archive ({reason}{hint}): delete it and fetch or pack it anew"
        ) from error


def _members(path: Path, limits: Limits) -> Iterator[_Member]:
    """Goes through the files and links of an archive; each can be opened while the iteration stands at it."""
    name = path.name.lower()
    unpacking = limits.unpacking(path)
    if name.endswith(".zip"):
        return _zip_members(path, unpacking)
    if name.endswith(_TAR):
        return _tar_members(path, unpacking)
    return iter([(path.name[: -len(".gz")], lambda: _counted(cast(IO[bytes], gzip.GzipFile(path)), unpacking))])


def _zip_members(path: Path, unpacking: Unpacking) -> Iterator[_Member]:
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            if info.flag_bits & 1:
                raise InputError(f"{path} is locked with a password: unpack it and give the file itself")
            is_link = stat.S_ISLNK(info.external_attr >> 16)
            target = ""
            if is_link:
                with _open_zipped(archive, info, unpacking) as stream:
                    target = stream.read(_LONGEST_TARGET).decode(errors="replace")
            _refuse_to_leave(path, info.filename, posixpath.join(posixpath.dirname(info.filename), target))
            if not info.is_dir():
                opened = None if is_link else partial(_open_zipped, archive, info, unpacking)
                yield posixpath.normpath(info.filename), opened


def _open_zipped(archive: zipfile.ZipFile, info: zipfile.ZipInfo, unpacking: Unpacking) -> IO[bytes]:
    """Opens a member to be read in pieces; for bzip2, zipfile itself would unpack a gigabyte at once."""
    if info.compress_type != zipfile.ZIP_BZIP2:
        step = STEP if info.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) else _LZMA_STEP
        return _counted(archive.open(info), unpacking, step)
    packed = copy.copy(info)
    packed.compress_type, packed.file_size = zipfile.ZIP_STORED, info.compress_size
    packed.CRC = None  # type: ignore[assignment] # of the content; bzip2 has checksums of its own
    return _counted(BZ2File(archive.open(packed)), unpacking)


def _counted(stream: IO[bytes], unpacking: Unpacking, step: int = STEP) -> IO[bytes]:
    return io.BufferedReader(Watched(stream, lambda piece: unpacking.add(len(piece)), step))


def _tar_members(path: Path, unpacking: Unpacking) -> Iterator[_Member]:
    for info, opened in tar_members(path, unpacking):
        # A hard link's target counts from the top of the archive, a symbolic one's from the folder it stands in.
        folder = posixpath.dirname(info.name) if info.issym() else ""
        _refuse_to_leave(path, info.name, posixpath.join(folder, info.linkname))
        if not info.isdir():
            yield posixpath.normpath(info.name), opened if info.isfile() else None


def _refuse_to_leave(path: Path, name: str, target: str) -> None:
    """Refuses a member that would be written, or whose link points, outside the folder the archive is unpacked in."""
    climbs = ".." in name.replace("\\", "/").split("/")
    for place in (name.replace("\\", "/"), target.replace("\\", "/")):
        absolute = place.startswith("/") or re.match(r"[A-Za-z]:", place) is not None
        if climbs or absolute or posixpath.normpath(place).split("/")[0] == "..":
            raise InputError(
                f"{path} is refused: its member {name!r} leads out of the archive's own folder; "
                "take the archive from a source you trust"
            )
