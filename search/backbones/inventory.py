"""A list of the modules in the catalog and on disk, from their files, without loading any."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from search.backbones.catalog import Entry
from search.backbones.hub.saved_variables import variable_counts
from search.backbones.tokens.token_names import NOTE, title_of_tokens
from search.utils.paths import read_path

# Of the modules this package makes of word vectors.
_VOCABULARY = "assets/vocabulary.txt"


@dataclass(frozen=True)
class Listed:
    """A module of the list; facts that are not known until it is loaded are None.

    Attributes:
        name: Its name in `space.modules`, the handle it was downloaded from, or the name of its folder.
        dimension: Width of its vectors, for texts or, where the name says so, for their tokens.
        vocabulary: Words in its table.
        parameters: Numbers in its variables.
        trainable: Numbers in the variables that fine-tuning changes.
        size: Bytes on disk.
        folder: Its folder; None: it has been neither downloaded nor built.
    """

    name: str
    dimension: int | None
    vocabulary: int | None = None
    parameters: int | None = None
    trainable: int | None = None
    size: int | None = None
    folder: Path | None = None


def inventory(entries: Iterable[Entry], modules: Path) -> list[Listed]:
    """Lists the modules of the catalog, then what else is on disk.

    Args:
        entries: Entries of the catalog and of exported modules.
        modules: Folder that modules are kept in.
    """
    left = [path for path in sorted(modules.glob("*")) if path.is_dir() and not path.name.startswith(".")]
    left = [path for path in left if _saved_model(path) is not None]
    listed = []
    for entry in entries:
        own = [path for path in left if _is_of(path, entry)]
        handle = _local(entry)
        if not own and handle is not None and handle.is_dir():
            own = [handle]
        listed += [_listed(entry.name, entry.dimension, path) for path in own]
        if not own:
            listed.append(Listed(entry.name, entry.dimension))
        left = [path for path in left if path not in own]
    return listed + [_tokens(path) or _listed(_downloaded_from(path) or path.name, None, path) for path in left]


def _local(entry: Entry) -> Path | None:
    """The path of an entry whose handle is one; None for an address."""
    if entry.handle is None or "://" in entry.handle:
        return None
    return read_path(entry.handle, f"module {entry.name}")


def _is_of(path: Path, entry: Entry) -> bool:
    if entry.source is not None:
        return path.name.startswith(f"{entry.source}-")
    return entry.handle in (_downloaded_from(path), str(path), str(_saved_model(path)))


def _downloaded_from(path: Path) -> str | None:
    """The handle that tensorflow_hub notes beside what it downloads."""
    try:
        first = path.with_name(f"{path.name}.descriptor.txt").read_text(encoding="utf-8").partition("\n")[0]
    except (OSError, ValueError):
        return None
    return first.removeprefix("Module: ")


def _tokens(path: Path) -> Listed | None:
    """The title and token width of a module that `token_module` made; None for any other."""
    try:
        note = json.loads((path / NOTE).read_text(encoding="utf-8"))
        return _listed(title_of_tokens(note["name"]), int(note["width"]), path)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _saved_model(path: Path) -> Path | None:
    """The SavedModel in a folder, or in the one folder inside it."""
    inside = [path, *(found.parent for found in sorted(path.glob("*/saved_model.pb")))]
    return next((folder for folder in inside if (folder / "saved_model.pb").is_file()), None)


def _listed(name: str, dimension: int | None, path: Path) -> Listed:
    saved = _saved_model(path) or path
    counts = variable_counts(saved)
    words = saved / _VOCABULARY
    vocabulary = words.read_bytes().count(b"\n") if words.is_file() else None
    size = sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    if counts is None:
        return Listed(name, dimension, vocabulary, size=size, folder=path)
    return Listed(name, dimension, vocabulary, counts.parameters, counts.trainable, size, path)
