"""Reads a folder of text files, one text each, whose parent folders are the classes."""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from search.datasets import archive
from search.datasets.contents import FIRST, require_text
from search.datasets.file_lists import Files
from search.datasets.hints import listing, require_known
from search.datasets.limits import LIMITS, Limits
from search.datasets.source import Decoding
from search.datasets.table import Table, first_rows, object_array
from search.errors import InputError

_Place = tuple[str, str]  # split and class


def read_folder(
    path: Path,
    files: Files,
    member: str | None,
    classes: Sequence[Any] | None,
    decoding: Decoding,
    limits: Limits = LIMITS,
) -> tuple[Table, Table | None]:
    """Reads the layout of the IMDB reviews, `train/pos/1.txt`, or class folders without splits, `pos/1.txt`.

    Args:
        path: A folder, or an archive that holds one.
        files: The files in it, from `list_files`, which takes seconds for a large archive.
        member: The folder to begin at, where it is not the only one at the top.
        classes: Read these class folders only; None: all.
        decoding: The encoding of the files.
        limits: The limits of the data set.

    Returns:
        The table of `train/` (or of all class folders) and that of `test/`, None where there is none. Files that are in
        neither are counted in the first.

    Raises:
        InputError: There are no such folders, a class is unknown, or a file is not of the encoding or too long.
    """
    left_out = Counter(hidden_files=files.hidden, special_files=files.special)
    places = _places(files.names, member, str(path), left_out)
    if classes is not None:
        known = sorted({label for _, label in places.values()})
        for wanted in classes:
            require_known(str(wanted), known, "dataset.classes")
        left_out["other_class_files"] += len(places)
        places = {name: place for name, place in places.items() if place[1] in map(str, classes)}
        left_out["other_class_files"] -= len(places)
    contents = (
        _read_files(path, places, limits) if path.is_dir() else archive.read_members(path, places.__contains__, limits)
    )
    texts = {name: _text(content, f"{path}/{name}", decoding) for name, content in contents}
    train, test = (
        [(texts[name], label) for name, (side, label) in sorted(places.items()) if side == split]
        for split in ("train", "test")
    )
    return _table(train, str(path), left_out), _table(test, str(path), {}) if test else None


def _places(names: Sequence[str], member: str | None, source: str, left_out: Counter[str]) -> dict[str, _Place]:
    """The split and the class of each text file, and the counts of other files."""
    texts = [name for name in names if name.lower().endswith(".txt")]
    left_out["other_files"] += len(names) - len(texts)
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
        sides = {name: part for name, part in parts.items() if len(part) == 3 and part[0] in ("train", "test")}
        places = {name: (part[0], part[1]) for name, part in sides.items()}
    else:
        places = {name: ("train", part[0]) for name, part in parts.items() if len(part) == 2}
    left_out["misplaced_files"] += len(texts) - len(places)
    if not places:
        there = listing(sorted({name.split("/")[0] for name in names}))
        raise InputError(
            f"{source} holds no class folders: expected train/<class>/*.txt or <class>/*.txt, found "
            f"{there or 'nothing'}; a table in it is given by its own path (dataset.path)"
        )
    return places


def _read_files(path: Path, names: Iterable[str], limits: Limits) -> Iterator[tuple[str, bytes]]:
    for name in names:
        try:
            with (path / name).open("rb") as file:
                content = file.read(limits.longest_row + 1)
        except OSError as error:
            raise InputError(f"{path / name} cannot be read: {error.strerror}") from error
        if len(content) > limits.longest_row:
            raise limits.too_long(str(path / name))
        yield name, content


def _text(content: bytes, where: str, decoding: Decoding) -> str:
    require_text(where, content[:FIRST])
    return decoding.text(content, where)


def _table(rows: list[tuple[str, str]], source: str, left_out: Mapping[str, int]) -> Table:
    return Table(
        texts=object_array([text for text, _ in rows]),
        labels=object_array([label for _, label in rows]),
        rows=first_rows(len(rows)),
        source=source,
        left_out=left_out,
    )
