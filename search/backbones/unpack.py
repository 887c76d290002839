"""Unpacks the archive of a module."""

from __future__ import annotations

import errno
import hashlib
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO

from search.errors import InputError
from search.utils.files import whole_folder
from search.utils.unpacking import DAMAGED, STEP, Unpacking, tar_members

LIMIT = "module.max_unpacked_gib"
"""The setting that limits what comes out of an archive."""
_ENDINGS = (".tar.gz", ".tgz", ".tar")
# What the disk says of a name that it cannot hold, or that two members want for a file and for a folder.
_NO_PLACE = {errno.ENAMETOOLONG, errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.EINVAL, errno.EILSEQ}


def is_archive(path: Path) -> bool:
    """Whether a file has the ending of an archive that `unpack` reads."""
    return path.name.endswith(_ENDINGS)


def unpack(archive: Path, modules: Path, max_gib: float | None) -> Path:
    """Unpacks a .tar or .tar.gz, unless the same file was unpacked before.

    Args:
        archive: The file.
        modules: Folder that modules are kept in.
        max_gib: The limit to the unpacked size, in GiB; None: no limit.

    Returns:
        The folder with its content.

    Raises:
        InputError: It is damaged, too large, or holds anything but files and folders inside its own.
        OSError: `modules` cannot be written.
    """
    status = archive.stat()
    # Reading a gigabyte anew to tell whether it is the same file would cost as much as unpacking it.
    key = hashlib.sha256(f"{archive.resolve()}\0{status.st_size}\0{status.st_mtime_ns}".encode()).hexdigest()[:12]
    folder = modules / f"{archive.name.split('.')[0]}-{key}"
    if not folder.is_dir():
        with whole_folder(folder) as beside:
            extract(archive, beside, Unpacking(archive, max_gib, LIMIT))
    return folder


def extract(archive: Path, folder: Path, unpacking: Unpacking) -> None:
    """Unpacks a .tar, plain or compressed, to an empty folder.

    Raises:
        InputError: It is damaged, too large, or holds anything but files and folders inside its own.
        OSError: The folder cannot be written.
    """
    try:
        for member, opened in tar_members(archive, unpacking):
            _extract(member, opened, unpacking, folder)
    except DAMAGED as error:
        raise _damaged(unpacking, error) from error
    except OSError as error:
        # A decompressor's own error is an OSError without a number; one with a number is the disk's.
        if error.errno is not None:
            raise
        raise _damaged(unpacking, error) from error


def _extract(member: tarfile.TarInfo, opened: Callable[[], IO[bytes]], unpacking: Unpacking, folder: Path) -> None:
    path, refused = PurePosixPath(member.name), f"{unpacking.archive} is refused: its member {member.name!r:.80}"
    if path.is_absolute() or PureWindowsPath(member.name).drive or ".." in path.parts:
        raise InputError(f"{refused} lies outside its folder.")
    if not (member.isdir() or member.isreg()):
        raise InputError(f"{refused} is neither a file nor a folder.")
    target = folder / path
    try:
        if member.isdir():
            target.mkdir(parents=True, exist_ok=True)
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        file = target.open("wb")
    except ValueError as error:  # a character that no name can hold
        raise InputError(f"{refused} cannot be written ({error}).") from error
    except OSError as error:
        if error.errno not in _NO_PLACE:
            raise
        raise InputError(f"{refused} cannot be written ({error.strerror}).") from error
    with file, opened() as content:
        shutil.copyfileobj(content, file, STEP)


def _damaged(unpacking: Unpacking, error: Exception) -> InputError:
    return InputError(f"{unpacking.archive} is damaged or no .tar.gz ({error}): fetch it again.")
