"""Keeps two processes out of one folder, or from doing the same piece of work."""

from __future__ import annotations

import fcntl
import json
import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from search.errors import InputError

LOCK = ".lock"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Holds a folder for this process while the block runs.

    The operating system holds the lock on the file and releases it when the process ends, in whatever way. So the lock
    of a killed process is free to take, by exactly one of those who try at the same moment, and a process that has got
    the pid of a dead one does not pass for it. The content of the file is for people, and for other machines, as not
    every network file system shows them a lock.

    Args:
        folder: It gets a file `.lock` with the owner's pid and host, which goes away at the end.

    Raises:
        InputError: Another process holds it, or one on another machine did, which may still run.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / LOCK
    file = _taken(path)
    try:
        content = json.dumps({"pid": os.getpid(), "host": socket.gethostname()}).encode()
        os.truncate(file, 0)
        os.pwrite(file, content, 0)
        yield
    finally:
        # Removed while it is still held: nobody can have taken this file, nor put another in its place.
        path.unlink(missing_ok=True)
        os.close(file)


@contextmanager
def waiting_for(folder: Path) -> Iterator[None]:
    """Lets one process at a time into the block: the others wait.

    It leaves no file behind. On a file system without locks nobody waits.

    Args:
        folder: An existing folder, which stands for what is to be kept apart.
    """
    with ExitStack() as held:
        with suppress(OSError):
            file = os.open(folder, os.O_RDONLY)
            held.callback(os.close, file)  # which lets go of the lock
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


class Claims:
    """Shares out pieces of work among processes: a byte of a file stands for each piece, locked while one is at it.

    The operating system lets go of the bytes of a process that ends, in whatever way. Threads of one process do not
    keep each other out. On a file system without locks each process gets all pieces.

    Args:
        path: The file; it stays, empty.
    """

    def __init__(self, path: Path) -> None:
        self._file: int | None = None
        with suppress(OSError):
            self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)

    def close(self) -> None:
        """Lets go of all pieces."""
        if self._file is not None:
            os.close(self._file)

    def take(self, piece: int) -> bool:
        """Takes a piece, a number below 2^63; False: another process has it."""
        try:
            self._lock(fcntl.LOCK_EX | fcntl.LOCK_NB, piece)
        except (BlockingIOError, PermissionError):  # which of the two depends on the system
            return False
        except OSError:  # this file system has no locks
            return True
        return True

    def release(self, piece: int) -> None:
        """Lets go of a piece."""
        with suppress(OSError):
            self._lock(fcntl.LOCK_UN, piece)

    def wait_for(self, piece: int) -> None:
        """Waits until no other process has a piece; it is not taken. The caller must not have any."""
        with suppress(OSError):
            self._lock(fcntl.LOCK_EX, piece)
        self.release(piece)

    def _lock(self, how: int, piece: int) -> None:
        if self._file is not None:
            fcntl.lockf(self._file, how, 1, piece)


def _taken(path: Path) -> int:
    """The lock's file, open and held by this process alone."""
    while True:
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            _hold(file, path)
            if _is_at(file, path):
                _refuse_other_host(file, path)
                return file
        except BaseException:
            os.close(file)
            raise
        # Its owner removed it between our opening and our holding it: what we hold is no longer there.
        os.close(file)


def _hold(file: int, path: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        pid, host = _owner(file) or ("unknown", socket.gethostname())
        where = "this machine" if host == socket.gethostname() else host
        raise InputError(
            f"{path.parent} is in use by process {pid} on {where}: wait for it, or end it first."
        ) from None
    except OSError as error:
        path.unlink(missing_ok=True)
        raise InputError(
            f"{path.parent} is on a file system that cannot lock a file ({error.strerror}), so nothing would keep two "
            "runs apart there: choose a folder on another file system."
        ) from error


def _is_at(file: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file), path.stat())
    except FileNotFoundError:
        return False


def _refuse_other_host(file: int, path: Path) -> None:
    pid, host = _owner(file) or (0, socket.gethostname())
    if host != socket.gethostname():
        raise InputError(
            f"{path.parent} is in use by process {pid} on {host}. If that has ended, remove {path} and try again."
        )


def _owner(file: int) -> tuple[int, str] | None:
    """Pid and host of the process that holds the lock or held it last; None if it was killed before writing them."""
    try:
        owner = json.loads(os.pread(file, 4096, 0))
        return int(owner["pid"]), str(owner["host"])
    except (ValueError, KeyError, TypeError):
        return None
