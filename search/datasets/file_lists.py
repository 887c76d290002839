"""Lists the files below a folder or in an archive, and counts those left out."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from search.datasets import archive
from search.datasets.limits import Limits
from search.errors import InputError


@dataclass(frozen=True)
class Files:
    """The files that a folder or an archive holds.

    Attributes:
        names: Paths from its top, with forward slashes.
        hidden: Number of files with a dot at the beginning of their name or a folder's, and of those that a Mac adds to
            archives.
        special: Number of links in an archive, and of pipes, devices and links to nothing.
    """

    names: list[str]
    hidden: int
    special: int


def list_files(path: Path, limits: Limits) -> Files:
    """Lists the files below a folder or in an archive.

    Args:
        path: The folder, in which links to folders are followed, or the archive.
        limits: The limits of unpacking an archive.

    Raises:
        InputError: A folder or the archive cannot be read.
    """
    if path.is_dir():
        names, special = _below(path)
    else:
        names, special = archive.names(path, limits)
    visible = [name for name in names if not _is_hidden(name)]
    return Files(visible, len(names) - len(visible), special)


def _below(path: Path) -> tuple[list[str], int]:
    names, special = [], 0
    for file in _walk(path):
        try:
            is_file = stat.S_ISREG(file.stat().st_mode)
        except OSError:  # a link to nothing, or to itself
            is_file = False
        if is_file:
            names.append(file.relative_to(path).as_posix())
        else:
            special += 1
    return names, special


def _walk(path: Path) -> Iterator[Path]:
    """All files below a folder; a folder that a link leads back to is entered once."""

    def refuse(error: OSError) -> None:
        raise InputError(f"{error.filename} cannot be read: {error.strerror}") from error

    entered = set()
    for folder, below, names in os.walk(path, followlinks=True, onerror=refuse):
        status = Path(folder).stat()
        if (status.st_dev, status.st_ino) in entered:
            below.clear()
            continue
        entered.add((status.st_dev, status.st_ino))
        yield from (Path(folder, name) for name in names)


def _is_hidden(name: str) -> bool:
    return any(part.startswith(".") or part == "__MACOSX" for part in name.split("/"))
