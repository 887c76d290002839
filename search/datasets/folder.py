"""Reads a folder of text files, one text each, whose parent folders are the classes."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from search.datasets import archive
from search.datasets.hints import listing, require_known
from search.datasets.source import Decoding
from search.datasets.table import Table, first_rows, object_array
from search.errors import InputError

_Place = tuple[str, str]  # split and class


def list_files(path: Path) -> list[str]:
    """Lists the files below a folder or in an archive, named from its top with forward slashes."""
    if not path.is_dir():
        return archive.names(path)
    return [(Path(folder) / name).relative_to(path).as_posix() for folder, _, names in os.walk(path) for name in names]


def read_folder(
    path: Path, names: Sequence[str], member: str | None, classes: Sequence[Any] | None, decoding: Decoding
) -> tuple[Table, Table | None]:
    """Reads the layout of the IMDB reviews, `train/pos/1.txt`, or class folders without splits, `pos/1.txt`.

    Args:
        path: A folder, or an archive that holds one.
        names: The files in it, as `list_files` gives them: of a large archive that takes seconds.
        member: The folder to begin at, where it is not the only one at the top.
        classes: Read these class folders only; None: all.
        decoding: Of the files.

    Returns:
        The table of `train/` (or of all class folders) and that of `test/`, None where there is none.

    Raises:
        InputError: There are no such folders, a class is unknown, or a file is not of the encoding.
    """
    places = _places(names, member, str(path))
    if classes is not None:
        known = sorted({label for _, label in places.values()})
        for wanted in classes:
            require_known(str(wanted), known, "dataset.classes")
        places = {name: place for name, place in places.items() if place[1] in map(str, classes)}
    contents = _read_files(path, places) if path.is_dir() else archive.read_members(path, places.__contains__)
    texts = {name: decoding.text(content, f"{path}/{name}") for name, content in contents}
    train, test = (
        [(texts[name], label) for name, (side, label) in sorted(places.items()) if side == split]
        for split in ("train", "test")
    )
    return _table(train, str(path)), _table(test, str(path)) if test else None


def _places(names: Iterable[str], member: str | None, source: str) -> dict[str, _Place]:
    """Gives the split and the class of each text file."""
    texts = [name for name in names if name.endswith(".txt")]
    if member is not None:
        texts = [name for name in texts if PurePosixPath(name).is_relative_to(member)]
        if not texts:
            raise InputError(f"{source} holds no .txt files in a folder {member!r} (dataset.member)")
    folders = {posixpath.dirname(name) for name in texts}
    top = posixpath.commonpath(folders) if folders else ""
    if folders == {top}:  # one class only, which is said elsewhere
        top = posixpath.dirname(top)
    parts = {name: PurePosixPath(name).relative_to(top).parts for name in texts}
    if any(len(part) == 3 and part[0] == "train" for part in parts.values()):
        parts = {name: part for name, part in parts.items() if len(part) == 3 and part[0] in ("train", "test")}
        return {name: (part[0], part[1]) for name, part in parts.items()}
    places = {name: ("train", part[0]) for name, part in parts.items() if len(part) == 2}
    if not places:
        there = listing(sorted({name.split("/")[0] for name in names}))
        raise InputError(
            f"{source} holds no class folders: expected train/<class>/*.txt or <class>/*.txt, found "
            f"{there or 'nothing'}; a table in it is given by its own path (dataset.path)"
        )
    return places


def _read_files(path: Path, names: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    for name in names:
        try:
            yield name, (path / name).read_bytes()
        except OSError as error:
            raise InputError(f"{path / name} cannot be read: {error.strerror}") from error


def _table(rows: list[tuple[str, str]], source: str) -> Table:
    return Table(
        texts=object_array([text for text, _ in rows]),
        labels=object_array([label for _, label in rows]),
        rows=first_rows(len(rows)),
        source=source,
    )
