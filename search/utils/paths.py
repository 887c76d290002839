"""Paths given by people, in settings, arguments and Python."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from search.errors import InputError

PATH = {"kind": "path"}
"""Metadata of a setting that is a path."""
_HUB = "hf://"
LATEST = "latest"
"""The last part of a path that stands for the newest run below a folder; alone, below outputs."""
_OF_RUNS = ("run", "resume")
_SHOWN = 120
_LONGEST_NAME = 255  # bytes, of the usual file systems


def read_path(given: str | Path, key: str) -> Path:
    """Reads a path: `~` is the home folder, and a relative one starts at the working directory.

    Args:
        given: The path as a person wrote it.
        key: The setting or argument, for the message.

    Returns:
        The path with `~` replaced; a relative one stays relative. It need not exist.

    Raises:
        InputError: It is empty or impossible: too long, a loop of links, below a file, or in the home folder of
            somebody who has none.
    """
    if not isinstance(given, str | os.PathLike):
        raise InputError(f"{key} is of type {type(given).__name__}: expected a path.")
    if not str(given).strip():
        raise InputError(f"{key} is empty: expected a file or a folder.")
    try:
        path = Path(given).expanduser()
        if path.name == LATEST and key in _OF_RUNS and not path.exists():
            path = _latest(path, key)
        if any(
            len(os.fsencode(part)) > _LONGEST_NAME for part in path.parts
        ):  # also below a folder that is yet to come
            raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG))
        path.stat()
    except (FileNotFoundError, PermissionError):
        pass  # whoever reads or writes it says so
    except RuntimeError:
        raise InputError(f"{key}={shown(given)}: there is no home folder for ~.") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it holds a character that no path can hold"
        raise InputError(f"{key}={shown(given)} cannot be used: {reason}.") from error
    return path


def _latest(path: Path, key: str) -> Path:
    """The newest run below a folder: one that has ended, where there is any, but for one that is to be resumed.

    Raises:
        InputError: There is none.
    """
    folder = path.parent if len(path.parts) > 1 else Path("outputs")
    # A data set's runs, and those of a multirun.
    begun = {file.parents[1]: file.stat().st_mtime for depth in range(1, 5) for file in _configurations(folder, depth)}
    ended = {run: when for run, when in begun.items() if (run / "summary.json").is_file()}
    found = begun if key == "resume" else ended or begun
    if not found:
        raise InputError(f"{key}={shown(path)}: there is no run below {folder}.")
    return max(found, key=lambda run: found[run])


def _configurations(folder: Path, depth: int) -> Iterator[Path]:
    return folder.glob("/".join(["*"] * depth + [".hydra", "config.yaml"]))


def absolute_path(given: str | Path, key: str) -> Path:
    """Reads a path and makes it absolute, so that it leads to the same place from any folder.

    Raises:
        InputError: It cannot be used, see `read_path`.
    """
    return read_path(given, key).absolute()


def cache_folder() -> str:
    """The default folder of modules and features, as a person would write it."""
    return os.environ.get("SEARCH_CACHE") or "~/.cache/search"


def make_absolute(settings: DictConfig, schema: type) -> None:
    """Makes each path among settings absolute, but for addresses on Hugging Face's hub.

    Args:
        settings: The settings, changed in place.
        schema: Their dataclass; its fields with the metadata `PATH` are paths.

    Raises:
        InputError: One cannot be used, see `read_path`.
    """
    for key in _paths_of(schema):
        given = OmegaConf.select(settings, key, throw_on_missing=False)
        if isinstance(given, str) and not given.startswith(_HUB):
            OmegaConf.update(settings, key, str(absolute_path(given, key)))


def shown(given: str | Path) -> str:
    """A path for a message, cut if it is too long to read."""
    text = str(given)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _paths_of(schema: type, prefix: str = "") -> Iterator[str]:
    for one in fields(schema):
        if one.metadata == PATH:
            yield f"{prefix}{one.name}"
        elif isinstance(one.default_factory, type) and is_dataclass(one.default_factory):
            yield from _paths_of(one.default_factory, f"{prefix}{one.name}.")
