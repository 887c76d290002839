"""Files and folders that appear whole or not at all."""

from __future__ import annotations

import errno
import json
import math
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from search.utils.leftovers import remove_leftovers, unfinished_name
from search.utils.special_files import is_written_through, written_through

# What the machine, not the program, refuses: a full disk, a quota, a place that must not be written.
_REFUSED = {errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.ENXIO}
# TensorFlow has errors of its own for these, told apart from others of their type by the words of the system.
_REFUSALS = [os.strerror(number) for number in _REFUSED]


def refusal(error: BaseException) -> str | None:
    """The reason why the machine refuses to write (no space, no permission, no folder); None for any other error."""
    if isinstance(error, OSError):
        reason = error.strerror if error.errno in _REFUSED else None
        return f"{reason}: {error.filename}" if reason and error.filename else reason
    if type(error).__module__.startswith("tensorflow."):
        return next((reason for reason in _REFUSALS if reason in str(error)), None)
    return None


def is_refused(error: BaseException) -> bool:
    """Whether an error says that the machine refuses to write."""
    return refusal(error) is not None


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Gives a path beside `path` to write to; the file takes its name only when the block ends well.

    A symbolic link stays, and the file that it leads to is replaced. A device, a pipe or an open file such as
    /dev/stdout is never replaced: what was written goes into it when the block ends well.

    Args:
        path: The path of the finished file; an existing file is replaced in one step.

    Yields:
        The path to write to; it is removed if the block raises.

    Example:
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with whole_file(Path(folder, "summary.json")) as path:
        ...         _ = path.write_text("{}")
        ...     Path(folder, "summary.json").read_text()
        '{}'
    """
    if is_written_through(path):
        with tempfile.TemporaryDirectory() as folder:
            yield (elsewhere := Path(folder, path.name))
            try:
                with elsewhere.open("rb") as finished, written_through(path) as target:
                    shutil.copyfileobj(finished, target)
            except OSError as error:
                raise OSError(error.errno, error.strerror, str(path)) from error
        return
    path = Path(os.path.realpath(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    # The ending stays: writers such as numpy.savez choose the format by it.
    remove_leftovers(path.parent, path.stem)
    beside = path.with_name(f"{unfinished_name(path.stem)}{path.suffix}")
    try:
        yield beside
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """Gives an empty folder beside `path` to fill; it takes its name only when the block ends well.

    Args:
        path: The path of the finished folder. If another process finished the same folder in the meantime, that one
            stays and this one is removed.

    Yields:
        The folder to fill; it is removed if the block raises.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    remove_leftovers(path.parent, path.name)
    beside = Path(tempfile.mkdtemp(prefix=f"{unfinished_name(path.name)}.", dir=path.parent))
    try:
        yield beside
        # mkdtemp makes folders that only their owner may read; a finished one follows the umask like any other.
        umask = os.umask(0)
        os.umask(umask)
        beside.chmod(0o777 & ~umask)
        try:
            beside.rename(path)
        except OSError:
            if not path.is_dir():
                raise
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def unusable_folder(path: Path) -> str | None:
    """The reason why a folder can neither be read nor created, found without writing anything.

    Args:
        path: The folder. An existing one may be read-only.

    Returns:
        The reason; None if the folder can be used.
    """
    for place in (path, *path.absolute().parents):
        try:
            is_folder = stat.S_ISDIR(place.stat().st_mode)
        except FileNotFoundError:
            if place.is_symlink():
                return f"a link that leads nowhere: {place}"
            continue
        except (OSError, ValueError) as error:  # the latter for a name that no file can have
            return f"{getattr(error, 'strerror', error)}: {path}"
        if not is_folder:
            return f"{os.strerror(errno.ENOTDIR)}: {place}"
        if any(len(os.fsencode(name)) > os.pathconf(place, "PC_NAME_MAX") for name in path.parts):
            return f"{os.strerror(errno.ENAMETOOLONG)}: {path}"
        needed = os.R_OK if place == path else os.W_OK
        return None if os.access(place, needed | os.X_OK) else f"{os.strerror(errno.EACCES)}: {place}"
    return None


def write_text(path: Path, text: str) -> None:
    """Writes a text file whole, in UTF-8."""
    with whole_file(path) as beside:
        beside.write_text(text, encoding="utf-8")


def write_json(path: Path, content: Mapping[str, Any] | list[Any], indent: int | None = 2) -> None:
    """Writes a JSON file whole; NaN and infinities, which JSON does not know, become null.

    Args:
        path: The file.
        content: The content.
        indent: Spaces before each level, for people; None: all in one line, ten times as fast.
    """
    try:
        text = json.dumps(content, indent=indent, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError):
        text = json.dumps(_finite(content), indent=indent, ensure_ascii=False)
    write_text(path, text + "\n")


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
