"""Files inside .zip, .gz and .tar.gz archives, read where they are: nothing is ever unpacked to disk."""

from __future__ import annotations

import gzip
import posixpath
import re
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO

from search.errors import InputError

_TAR = (".tar", ".tar.gz", ".tgz")
_ENDINGS = (".zip", ".gz", *_TAR)
_Member = tuple[str, Callable[[], IO[bytes]]]


def is_archive(path: Path) -> bool:
    """Tells by the ending of its name whether a file is an archive."""
    return path.name.lower().endswith(_ENDINGS)


def names(path: Path) -> list[str]:
    """Lists the files in an archive, in its own order, without what operating systems add.

    Raises:
        InputError: It cannot be read, or one of its members would leave the folder it is unpacked in.
    """
    with _readable(path):
        return [name for name, _ in _members(path)]


@contextmanager
def open_member(path: Path, name: str) -> Iterator[IO[bytes]]:
    """Opens one file of an archive for reading.

    Raises:
        InputError: The archive turns out to be damaged, here or while the file is read.
    """
    with _readable(path):
        for member, opened in _members(path):
            if member == name:
                with opened() as stream:
                    yield stream
                return
    raise InputError(f"{path} holds no {name!r}")


def read_members(path: Path, wanted: Callable[[str], bool]) -> Iterator[tuple[str, bytes]]:
    """Reads the files of an archive whose names are wanted, in one pass over it.

    Raises:
        InputError: The archive turns out to be damaged.
    """
    with _readable(path):
        for name, opened in _members(path):
            if wanted(name):
                with opened() as stream:
                    content = stream.read()
                yield name, content


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Turns what a damaged archive raises into one line."""
    try:
        yield
    except (zipfile.BadZipFile, tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError, NotImplementedError) as error:
        reason = str(error) or type(error).__name__
        raise InputError(
            f"{path} cannot be read as an archive ({reason}): delete it and fetch or pack it anew"
        ) from error


def _members(path: Path) -> Iterator[_Member]:
    """Goes through the plain files of an archive; each can be opened while the iteration stands at it."""
    name = path.name.lower()
    if name.endswith(".zip"):
        found = _zip_members(path)
    elif name.endswith(_TAR):
        found = _tar_members(path)
    else:
        found = iter([(path.name[: -len(".gz")], partial(_open_gzip, path))])
    return (member for member in found if not _is_clutter(member[0]))


def _zip_members(path: Path) -> Iterator[_Member]:
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            if info.flag_bits & 1:
                raise InputError(f"{path} is locked with a password: unpack it and give the file itself")
            is_link = stat.S_ISLNK(info.external_attr >> 16)
            target = archive.read(info).decode(errors="replace") if is_link else ""
            _refuse_to_leave(path, info.filename, posixpath.join(posixpath.dirname(info.filename), target))
            if not info.is_dir() and not is_link:
                yield posixpath.normpath(info.filename), partial(archive.open, info)


def _tar_members(path: Path) -> Iterator[_Member]:
    with tarfile.open(path) as archive:
        for info in archive:
            # A hard link's target counts from the top of the archive, a symbolic one's from the folder it stands in.
            folder = posixpath.dirname(info.name) if info.issym() else ""
            _refuse_to_leave(path, info.name, posixpath.join(folder, info.linkname))
            if info.isfile():
                yield posixpath.normpath(info.name), partial(_open_tar_member, archive, info)
        # tarfile takes a damaged header for the end; reading on to the real end has gzip compare its checksum.
        while archive.fileobj is not None and archive.fileobj.read(1 << 20):
            pass


def _open_gzip(path: Path) -> IO[bytes]:
    stream: IO[bytes] = gzip.GzipFile(path)  # type: ignore[assignment]
    return stream


def _open_tar_member(archive: tarfile.TarFile, info: tarfile.TarInfo) -> IO[bytes]:
    stream = archive.extractfile(info)
    assert stream is not None  # only so for folders and devices
    return stream


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


def _is_clutter(name: str) -> bool:
    """Tells the files that operating systems add to archives: __MACOSX/, .DS_Store and the like."""
    return name.startswith("__MACOSX/") or posixpath.basename(name).startswith(".")
