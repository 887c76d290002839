"""Reads a folder of files, of texts or of pictures, a row each, whose parent folders are the classes."""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Self

import numpy as np

from search.config.dataset import DatasetConfig
from search.datasets import archive
from search.datasets.content import IMAGE
from search.datasets.contents import FIRST, require_text
from search.datasets.file_lists import Files
from search.datasets.hints import listing, require_known
from search.datasets.images.faults import Unreadable
from search.datasets.limits import Limits
from search.datasets.source import Decoding
from search.datasets.table import SPLITS, Table, first_rows, object_array
from search.errors import InputError

_Place = tuple[str, str]  # split and class
_TEXTS = (".txt",)
_SIDES = {"train": "train", "test": "test", **dict.fromkeys(("valid", "validation", "val"), "valid")}
"""The folders of splits."""


@dataclass(frozen=True)
class Kind:
    """The kind of files that hold a row each.

    Attributes:
        endings: Of their names, in small letters.
        rows: Makes rows of the names of files and their contents: texts, or pictures or why there is none.
        named: Whether the file's name is what a person is shown of a row.
    """

    endings: tuple[str, ...]
    rows: Callable[[Iterable[tuple[str, bytes]]], Iterable[tuple[str, Any]]]
    named: bool

    @classmethod
    def of(cls, path: Path, config: DatasetConfig) -> Self:
        """The kind of files that a data set asks for.

        Args:
            path: The folder, for messages.
            config: Its content, encoding and limits.
        """
        if config.content == IMAGE.name:
            from search.datasets.images.normalise import ENDINGS
            from search.datasets.images.reading import pictures

            return cls(ENDINGS, lambda contents: pictures(contents, config.max_pixels), named=True)
        decoding = Decoding.of(config)
        return cls(
            _TEXTS,
            lambda contents: ((name, _text(one, f"{path}/{name}", decoding)) for name, one in contents),
            named=False,
        )

    def holds(self, name: str) -> bool:
        """Whether a file is of the kind, by the ending of its name."""
        return name.lower().endswith(self.endings)


def read_folder(
    path: Path,
    files: Files,
    member: str | None,
    config: DatasetConfig,
) -> tuple[Table, dict[str, Table]]:
    """Reads the layout of the IMDB reviews, `train/pos/1.txt`, or class folders without splits, `pos/1.txt`.

    Args:
        path: A folder, or an archive that holds one.
        files: The files in it, from `list_files`, which takes seconds for a large archive.
        member: The folder to begin at, where it is not the only one at the top.
        config: Its `classes` are the class folders to read, None: all; its content, encoding and limits.

    Returns:
        The table of `train/` (or of all class folders), and those of `valid/` and `test/` by the names of their splits,
        where there are such folders. Files that are in none are counted in the first.

    Raises:
        InputError: There are no such folders, a class is unknown, or a file is not of the encoding or too long.
    """
    kind, limits, classes = Kind.of(path, config), Limits.of(config), config.classes
    left_out = Counter(hidden_files=files.hidden, special_files=files.special)
    places = _places(files.names, member, str(path), kind, left_out)
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
    rows = dict(kind.rows(contents))
    tables = {}
    for split in SPLITS:
        of_split = {name: label for name, (side, label) in sorted(places.items()) if side == split}
        if of_split or split == "train":
            found = [(name, rows[name], label) for name, label in of_split.items()]
            tables[split] = _table(found, str(path), kind, left_out if split == "train" else {})
    return tables.pop("train"), tables


def _places(
    names: Sequence[str], member: str | None, source: str, kind: Kind, left_out: Counter[str]
) -> dict[str, _Place]:
    """The split and the class of each file of the kind, and the counts of other files."""
    texts = [name for name in names if kind.holds(name)]
    left_out["other_files"] += len(names) - len(texts)
    if member is not None:
        texts = [name for name in texts if PurePosixPath(name).is_relative_to(member)]
        if not texts:
            raise InputError(f"{source} holds no {kind.endings[0]} files in a folder {member!r} (dataset.member)")
    folders = {posixpath.dirname(name) for name in texts}
    top = posixpath.commonpath(folders) if folders else ""
    if folders == {top}:  # one class only, which is said elsewhere
        top = posixpath.dirname(top)
    parts = {name: PurePosixPath(name).relative_to(top).parts for name in texts}
    if any(len(part) == 3 and part[0] == "train" for part in parts.values()):
        sides = {name: part for name, part in parts.items() if len(part) == 3 and part[0] in _SIDES}
        places = {name: (_SIDES[part[0]], part[1]) for name, part in sides.items()}
    else:
        places = {name: ("train", part[0]) for name, part in parts.items() if len(part) == 2}
    left_out["misplaced_files"] += len(texts) - len(places)
    if not places:
        there = listing(sorted({name.split("/")[0] for name in names}))
        others = "" if kind.named else ", a folder of pictures is read by dataset=images"
        raise InputError(
            f"{source} holds no class folders: expected train/<class>/*{kind.endings[0]} or "
            f"<class>/*{kind.endings[0]}, found {there or 'nothing'}{_unread(names, kind)}; a table in it is given by "
            f"its own path (dataset.path){others}"
        )
    return places


def _unread(names: Sequence[str], kind: Kind) -> str:
    """The endings of files of other kinds, in words; nothing where there is a file of the kind."""
    endings = sorted({posixpath.splitext(name)[1].lower() for name in names} - {""})
    if not endings or any(map(kind.holds, names)):
        return ""
    return f" with files that end in {listing(endings)}, which are not read"


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


def _table(rows: list[tuple[str, Any, str]], source: str, kind: Kind, left_out: Mapping[str, int]) -> Table:
    """The table of some files; those that hold no row are its faults."""
    faults = tuple(row for _, row, _ in rows if isinstance(row, Unreadable))
    there = np.array([not isinstance(row, Unreadable) for _, row, _ in rows], dtype=bool)
    return Table(
        texts=object_array([row for _, row, _ in rows]),
        labels=object_array([label for *_, label in rows]),
        rows=first_rows(len(rows)),
        source=source,
        left_out=left_out,
        names=object_array([name for name, *_ in rows]) if kind.named else None,
        faults=faults,
    ).take(there)
