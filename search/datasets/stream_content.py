"""Rows that are not texts, read some at a time: files, and what the paths of a table name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from search.config.dataset import DatasetConfig
from search.datasets import archive
from search.datasets.content import CONTENTS
from search.datasets.file_lists import list_files
from search.datasets.folder import Kind
from search.datasets.images.faults import Unreadable
from search.datasets.limits import Limits
from search.datasets.read import ending_format
from search.datasets.stream import Refuse, Rows, Stream
from search.errors import InputError

FILES = 64
"""Encoded files that are held in memory at once, in each of the places that hold rows."""


def are_files(path: Path, settings: DatasetConfig) -> bool:
    """Whether a path is rows itself: a file of their kind, or a folder or an archive of such files without a table."""
    if CONTENTS[settings.content].has_words:
        return False
    if path.is_dir():
        return True
    if archive.is_archive(path):
        return not any(map(ending_format, list_files(path, Limits.of(settings)).names))
    return Kind.of(path, settings).holds(path.name)


def stream_files(path: Path, settings: DatasetConfig) -> Stream:
    """Reads files as a table of their names, in the order of names; `with_content` makes rows of it.

    Args:
        path: As `are_files` takes it.
        settings: What they hold, and the limits.

    Raises:
        InputError: There is no file of the kind.
    """
    kind, limits = Kind.of(path, settings), Limits.of(settings)
    is_one = path.is_file() and not archive.is_archive(path)
    folder = path.parent if is_one else path
    names = [path.name] if is_one else sorted(filter(kind.holds, list_files(path, limits).names))
    if not names:
        raise InputError(f"{path} holds no files that end in {', '.join(kind.endings)}")
    if folder.is_dir():
        return Stream([settings.content], (Rows([*some], [[name] for name in some]) for some in _pieces(names)))

    def packed() -> Iterator[Rows]:
        # In one pass: each look into a packed archive reads it from its beginning.
        members = iter(archive.read_members(path, set(names).__contains__, limits))
        while some := list(islice(members, FILES)):
            found = [name for name, _ in some]
            yield Rows([content for _, content in some], [[name] for name in found], names=found)

    return Stream([settings.content], packed())


def with_content(stream: Stream, path: Path, settings: DatasetConfig, refuse: Refuse) -> Stream:
    """Puts rows in the place of the paths of a table, and of the encoded files that it holds.

    Args:
        stream: The table.
        path: Where it comes from: in this folder, or in that of this file, relative paths start; they cannot leave it.
        settings: What the rows hold, and the limits.
        refuse: Called with files that cannot be used.
    """
    if CONTENTS[settings.content].has_words:
        return stream
    from search.datasets.images.reading import files_beside, pictures  # brings Pillow

    read = files_beside(path if path.is_dir() else path.parent, Limits.of(settings))

    def content(chunk: Rows, at: int) -> tuple[str, Any]:
        row = chunk.texts[at]
        if isinstance(row, bytes):
            assert chunk.names is not None
            return chunk.names[at], row
        try:
            return next(read([row]))
        except InputError as error:  # of one row: others can be used
            return row, Unreadable(str(error))

    def rows() -> Iterator[Rows]:
        for chunk in stream.rows:
            for places in _pieces(range(len(chunk.texts))):
                made = [one for _, one in pictures([content(chunk, at) for at in places], settings.max_pixels)]
                used = [at for at, one in zip(places, made, strict=True) if not isinstance(one, Unreadable)]
                for one in made:
                    if isinstance(one, Unreadable):
                        refuse(InputError(str(one)))
                if used:
                    some = chunk.take(used, None if chunk.beside is None else chunk.beside[used])
                    yield replace(some, texts=[one for one in made if not isinstance(one, Unreadable)])

    return replace(stream, rows=rows())


def _pieces(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(values), FILES):
        yield values[start : start + FILES]
