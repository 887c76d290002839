"""Keeps two processes out of one folder."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from search.errors import InputError

LOCK = ".lock"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Holds a folder for this process while the block runs.

    Args:
        folder: It gets a file `.lock` with the owner's pid and host, which goes away at the end.

    Raises:
        InputError: Another process that is alive holds it, or one on another machine, of which that cannot be told.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / LOCK
    while True:
        try:
            handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
            break
        except FileExistsError:
            _remove_if_stale(path)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump({"pid": os.getpid(), "host": socket.gethostname()}, file)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def _remove_if_stale(path: Path) -> None:
    try:
        owner = json.loads(path.read_text(encoding="utf-8"))
        pid, host = int(owner["pid"]), str(owner["host"])
    except FileNotFoundError:
        return
    except (ValueError, KeyError, TypeError):
        # Killed between making the file and filling it.
        path.unlink(missing_ok=True)
        return
    if host != socket.gethostname():
        raise InputError(
            f"{path.parent} is in use by process {pid} on {host}. If that has ended, remove {path} and try again."
        )
    if _is_alive(pid):
        raise InputError(f"{path.parent} is in use by process {pid} on this machine: wait for it, or end it first.")
    path.unlink(missing_ok=True)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return pid != os.getpid()
