"""Fetches modules by TF Hub handles and addresses."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import shutil
import socket
import tempfile
import urllib.request
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPException
from pathlib import Path, PurePosixPath
from urllib.error import URLError
from urllib.parse import urlsplit

from search.backbones.unpack import LIMIT, extract
from search.errors import InputError
from search.utils.files import is_refused
from search.utils.leftovers import is_alive, unfinished_name
from search.utils.unpacking import STEP, Unpacking, Watched

_TIMEOUT_SECONDS = 60
# So long another process may seem to stand still that fetches the same.
_LOCK_SECONDS = 600
_HUB_CACHE = "TFHUB_CACHE_DIR"


def download(handle: str, name: str, modules: Path, max_gib: float | None) -> Path:
    """Fetches a module, unless this package or TensorFlow Hub fetched it before.

    Args:
        handle: A TF Hub handle, or the address of a .tar.gz.
        name: Its name in messages.
        modules: Folder that modules are kept in.
        max_gib: The limit to the unpacked size of its archive, in GiB; None: no limit.

    Returns:
        Its folder: in `modules`, or in the environment variable TFHUB_CACHE_DIR, TensorFlow Hub's own folder.

    Raises:
        InputError: It cannot be reached, or the download is damaged or too large.
        OSError: `modules` cannot be written.
    """
    key = hashlib.sha1(handle.encode()).hexdigest()  # as TensorFlow Hub names the folders
    theirs = os.environ.get(_HUB_CACHE)
    for folder in [modules, *([Path(theirs).expanduser()] if theirs else [])]:
        there = folder / key
        if there.is_dir() and any(there.iterdir()):
            return there
    # Imported here: it takes seconds, and most runs need neither.
    import tensorflow as tf

    try:
        with _hub_settings(modules):
            return _fetched(handle, modules / key, max_gib)
    except tf.errors.ResourceExhaustedError as error:
        raise OSError(errno.ENOSPC, "No space left on device", str(modules)) from error
    except tf.errors.PermissionDeniedError as error:
        raise OSError(errno.EACCES, "Permission denied", str(modules)) from error
    # Of the last type is what TensorFlow Hub says of an address of a kind that it does not know.
    except (InputError, OSError, ValueError, HTTPException, tf.errors.OpError, RuntimeError) as error:
        if is_refused(error):
            raise
        reason = str(error.reason if type(error) is URLError else error).splitlines()[0].rstrip(".")
        place = "" if name == handle else f" from {handle}"
        raise InputError(
            f"module {name} cannot be fetched{place} ({reason}): check the address and the connection, or download it "
            "by other means and give its .tar.gz or folder instead, space.modules=[/path/to/it]"
        ) from error


def remove_broken_downloads(modules: Path) -> None:
    """Removes unfinished downloads of killed processes of this machine, for which tensorflow_hub would wait.

    The lock beside the module's folder holds host, pid and the name of the folder that it unpacks to.
    """
    for lock in modules.glob("*.lock"):
        with suppress(OSError, ValueError):
            host, pid, task = lock.read_text(encoding="utf-8").rsplit(".", 2)
            if host == socket.gethostname() and not is_alive(int(pid)):
                shutil.rmtree(modules / f"{lock.stem}.{task}.tmp", ignore_errors=True)
                lock.unlink()


def _fetched(handle: str, folder: Path, max_gib: float | None) -> Path:
    with warnings.catch_warnings():
        # It imports pkg_resources, which announces its own end to whoever runs the program.
        warnings.filterwarnings("ignore", message="pkg_resources is deprecated")
        import tensorflow_hub
        from tensorflow_hub import resolver
    if not handle.startswith(("http://", "https://")):
        return Path(tensorflow_hub.resolve(handle))
    server = resolver.HttpResolverBase()

    def fetch(handle: str, aside: str) -> None:
        # Its own way to unpack knows no limit.
        name = PurePosixPath(urlsplit(handle).path).name or "it"
        request = urllib.request.Request(server._append_format_query(handle, ("tf-hub-format", "compressed")))
        with tempfile.NamedTemporaryFile(dir=folder.parent, prefix=f"{unfinished_name(folder.name)}.") as archive:
            with server._call_urlopen(request) as answer:
                came = Unpacking(Path(name), max_gib, LIMIT)
                shutil.copyfileobj(
                    io.BufferedReader(Watched(answer, lambda piece: came.add(len(piece)))), archive, STEP
                )
            archive.flush()
            extract(Path(archive.name), Path(aside), Unpacking(Path(name), max_gib, LIMIT))

    return Path(resolver.atomic_download(handle, fetch, str(folder), _LOCK_SECONDS))


@contextmanager
def _hub_settings(modules: Path) -> Iterator[None]:
    """Makes tensorflow_hub keep modules in our folder and give up on a server that does not answer."""
    ours = {_HUB_CACHE: str(modules), "TFHUB_MODEL_LOAD_FORMAT": "COMPRESSED"}
    before = {key: os.environ.get(key) for key in ours}
    timeout = socket.getdefaulttimeout()
    os.environ.update(ours)
    socket.setdefaulttimeout(_TIMEOUT_SECONDS)
    try:
        yield
    finally:
        socket.setdefaulttimeout(timeout)
        for key, value in before.items():
            if value is None:
                del os.environ[key]
            else:
                os.environ[key] = value
