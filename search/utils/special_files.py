"""Paths that lead to no file on a disk: devices, pipes, sockets, and open files such as /dev/stdout."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

_KINDS = {
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
}


def special(path: Path) -> str | None:
    """The kind of a path that is a device, a pipe or a socket; else None.

    Args:
        path: Links are followed.

    Raises:
        OSError: The path cannot be examined: a loop of links, a name too long.
    """
    try:
        return _KINDS.get(stat.S_IFMT(path.stat().st_mode))
    except (FileNotFoundError, NotADirectoryError):
        return None


def is_written_through(path: Path) -> bool:
    """Whether a path must be written directly, as there is no file to be replaced by another.

    Raises:
        OSError: See `special`.
    """
    return special(path) is not None or _descriptor(path) is not None


@contextmanager
def written_through(path: Path) -> Iterator[IO[bytes]]:
    """Opens a path for which `is_written_through` holds, for writing: nothing is replaced or truncated.

    Raises:
        OSError: It cannot be written.
    """
    number = _descriptor(path)
    # What is open already is shared with whoever opened it: `>> file` goes on behind what is there.
    with path.open("ab") if number is None else os.fdopen(os.dup(number), "wb") as stream:
        yield stream


def _descriptor(path: Path) -> int | None:
    """The descriptor of the open file that a path stands for, such as 1 for /dev/stdout."""
    for _ in range(40):  # as many links as Linux follows
        if os.path.realpath(path.parent) == f"/proc/{os.getpid()}/fd" and path.name.isdecimal():
            return int(path.name)
        if not path.is_symlink():
            return None
        path = path.parent / path.readlink()
    return None
