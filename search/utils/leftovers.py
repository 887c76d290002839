"""Temporary files and folders carry the process in their name, so that those of a killed one can be removed."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import socket
import time
from contextlib import suppress
from functools import cache
from pathlib import Path

# A hidden file or folder that is not finished: .NAME.PID-STARTED-MACHINE, and what makes the name unique or an ending.
_OWNED = re.compile(r"\..+\.(\d+)-(\d+)-([0-9a-f]{8})(\..*)?")
# As earlier versions named them: of a file no more than the pid is known, of a folder nothing.
_EARLIER_FILE = re.compile(r"\..+\.(\d+)\.[^.]+")
_EARLIER_FOLDER = re.compile(r"\..+\.[a-z0-9_]{8}")
# What a process on another machine may be at work on is left alone for so long after it was last written to.
_PATIENCE_SECONDS = 3600.0
_LONGEST_NAME = 120


def unfinished_name(name: str) -> str:
    """The beginning of a file's or folder's name while this process writes it."""
    return f"{_beginning(name)}{os.getpid()}-{_started(os.getpid()) or 0}-{_machine()}"


def remove_leftovers(folder: Path, name: str | None = None, patience: float = _PATIENCE_SECONDS) -> None:
    """Removes half-written files and folders of processes that have ended.

    Args:
        folder: The folder, without the folders in it.
        name: Remove only leftovers of this name, whatever the ending; None: all.
        patience: Seconds after which a leftover of another machine is removed, as it cannot be known whether its owner
            is alive; 0 where nobody else can be at work there.
    """
    beginning = "." if name is None else _beginning(name)
    with suppress(OSError):  # there is no such folder, or nothing can be removed there: that is no reason to stop
        for entry in list(os.scandir(folder)):
            if entry.name.startswith(beginning) and _is_left(entry, patience):
                _remove(Path(entry))


def remove_leftovers_below(folder: Path, patience: float = _PATIENCE_SECONDS) -> None:
    """Removes leftovers from a folder and from all folders in it; see `remove_leftovers`."""
    for place, folders, _ in os.walk(folder):
        remove_leftovers(Path(place), patience=patience)
        folders[:] = [name for name in folders if (Path(place) / name).is_dir()]


def is_alive(pid: int) -> bool:
    """Whether a process of this machine runs."""
    return _started(pid) is not None


def _beginning(name: str) -> str:
    # Many a name is as long as a file system allows.
    return f".{name.encode(errors='surrogateescape')[:_LONGEST_NAME].decode(errors='ignore')}."


def _is_left(entry: os.DirEntry[str], patience: float) -> bool:
    is_folder = entry.is_dir(follow_symlinks=False)
    if owned := _OWNED.fullmatch(entry.name):
        if owned[3] == _machine():
            return _started(int(owned[1])) != int(owned[2])
    elif not is_folder and (earlier := _EARLIER_FILE.fullmatch(entry.name)):
        if is_alive(int(earlier[1])):  # or another process has got its pid
            patience = _PATIENCE_SECONDS
    elif not (is_folder and _EARLIER_FOLDER.fullmatch(entry.name)):
        return False
    return time.time() - _last_written(Path(entry)) >= patience


def _last_written(path: Path) -> float:
    within = path.rglob("*") if path.is_dir() else ()
    return max(float(one.lstat().st_mtime) for one in (path, *within))


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _started(pid: int) -> int | None:
    """When a process of this machine began, in ticks since boot; None if there is no such process, 0 if unknown."""
    with suppress(OSError, ValueError, IndexError):
        # The name in parentheses, the second field, may hold anything.
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        return None if fields[0] in "ZX" else int(fields[19])
    if Path("/proc/self/stat").exists():
        return None
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        pass
    return 0


@cache
def _machine() -> str:
    """An identifier of the space of pids: this machine since its last boot, or this container."""
    parts = [socket.gethostname()]
    with suppress(OSError):
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii"))
    with suppress(OSError):
        parts.append(str(Path("/proc/self/ns/pid").readlink()))
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=4).hexdigest()
