"""Unpacks the archive of a module."""

from __future__ import annotations

import hashlib
import shutil
import tarfile
import zlib
from pathlib import Path, PurePosixPath, PureWindowsPath

from search.errors import InputError
from search.utils.files import whole_folder

_ENDINGS = (".tar.gz", ".tgz", ".tar")


def is_archive(path: Path) -> bool:
    """Whether a file is called like an archive that `unpack` reads."""
    return path.name.endswith(_ENDINGS)


def unpack(archive: Path, modules: Path) -> Path:
    """Unpacks a .tar or .tar.gz, unless the same file was unpacked before.

    Args:
        archive: The file.
        modules: Folder that modules are kept in.

    Returns:
        The folder with its content.

    Raises:
        InputError: It is damaged, or holds anything but files and folders inside its own.
        OSError: `modules` cannot be written.
    """
    status = archive.stat()
    # Reading a gigabyte anew to tell whether it is the same file would cost as much as unpacking it.
    key = hashlib.sha256(f"{archive.resolve()}\0{status.st_size}\0{status.st_mtime_ns}".encode()).hexdigest()[:12]
    folder = modules / f"{archive.name.split('.')[0]}-{key}"
    if not folder.is_dir():
        with whole_folder(folder) as beside:
            try:
                with tarfile.open(archive, "r:*") as tar:
                    for member in tar:
                        _extract(tar, member, archive, beside)
                    # gzip's checksum stands behind the end that tar sees.
                    while tar.fileobj is not None and tar.fileobj.read(1 << 20):
                        pass
            except (tarfile.TarError, zlib.error, EOFError) as error:
                raise _damaged(archive, error) from error
            except OSError as error:
                # gzip's own error is an OSError without a number; one with a number is the disk's.
                if error.errno is not None:
                    raise
                raise _damaged(archive, error) from error
    return folder


def _extract(tar: tarfile.TarFile, member: tarfile.TarInfo, archive: Path, folder: Path) -> None:
    path = PurePosixPath(member.name)
    if path.is_absolute() or PureWindowsPath(member.name).drive or ".." in path.parts:
        raise InputError(f"{archive} is refused: its member {member.name!r} lies outside its folder.")
    target = folder / path
    if member.isdir():
        target.mkdir(parents=True, exist_ok=True)
        return
    content = tar.extractfile(member) if member.isreg() else None
    if content is None:
        raise InputError(f"{archive} is refused: its member {member.name!r} is neither a file nor a folder.")
    target.parent.mkdir(parents=True, exist_ok=True)
    with content, target.open("wb") as file:
        shutil.copyfileobj(content, file, 1 << 20)


def _damaged(archive: Path, error: Exception) -> InputError:
    return InputError(f"{archive} is damaged or no .tar.gz ({error}): fetch it again.")
