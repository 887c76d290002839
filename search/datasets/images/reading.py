"""The pictures of a data set: those of its files, or those that a table names or holds."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import TypeAlias

import numpy as np

from search.datasets import archive
from search.datasets.images.faults import MissingFile, Unreadable
from search.datasets.images.normalise import normalized, quietly
from search.datasets.limits import Limits
from search.datasets.table import Table, object_array
from search.errors import InputError

Found: TypeAlias = "bytes | Unreadable"
"""A picture, or why there is none."""
_AHEAD = 64


def pictures(contents: Iterable[tuple[str, Found]], max_pixels: int) -> Iterator[tuple[str, Found]]:
    """Makes pictures of the contents of files, several at a time, in their order.

    Args:
        contents: The name of each file and its content, or why it could not be read.
        max_pixels: See `normalized`.

    Yields:
        Each name with its picture, or with why it is none.
    """

    def made(one: tuple[str, Found]) -> tuple[str, Found]:
        name, content = one
        if isinstance(content, Unreadable):
            return one
        try:
            return name, normalized(content, name, max_pixels)
        except Unreadable as error:
            return name, error

    rest = iter(contents)
    with quietly(), ThreadPoolExecutor(os.cpu_count()) as pool:
        while some := list(islice(rest, _AHEAD)):
            yield from pool.map(made, some)


def pictured(table: Table, read: Callable[[list[str]], Iterable[tuple[str, Found]]], max_pixels: int) -> Table:
    """Puts pictures in the place of a table's paths, and of the encoded pictures that it holds.

    Args:
        table: Its texts are paths, encoded pictures or None.
        read: Gives the content of each of some paths.
        max_pixels: See `normalized`.

    Returns:
        The rows that have a picture, or nothing at all, in their column; the others are among its `faults`.
    """
    paths = list(dict.fromkeys(path.strip() for path in table.texts if isinstance(path, str) and path.strip()))
    of_path = dict(pictures(read(paths), max_pixels))
    names = _names(table)
    held = [(name, one) for name, one in zip(names, table.texts, strict=True) if isinstance(one, bytes)]
    of_bytes = iter([one for _, one in pictures(held, max_pixels)])
    found: list[Found | None] = []
    for one in table.texts:
        if isinstance(one, bytes):
            found.append(next(of_bytes))
        else:
            found.append(of_path[one.strip()] if one and one.strip() else None)
    faults = tuple(one for one in found if isinstance(one, Unreadable))
    there = np.array([not isinstance(one, Unreadable) for one in found], dtype=bool)
    made = replace(table, texts=object_array(found), names=object_array(names), faults=(*table.faults, *faults))
    return made.take(there)


def files_beside(folder: Path, limits: Limits) -> Callable[[list[str]], Iterator[tuple[str, Found]]]:
    """A function that reads files by their paths: from a folder, which relative ones cannot leave, or absolute ones."""

    def read(paths: list[str]) -> Iterator[tuple[str, Found]]:
        for path in paths:
            require_inside(path, str(folder))
            yield path, _content(folder / path, path, limits)

    return read


def files_packed(path: Path, member: str, limits: Limits) -> Callable[[list[str]], Iterator[tuple[str, Found]]]:
    """A function that reads members of an archive by their paths from the folder of its table."""
    top = posixpath.dirname(member)

    def read(paths: list[str]) -> Iterator[tuple[str, Found]]:
        asked: dict[str, list[str]] = {}
        for one in paths:
            require_inside(one, str(path), absolute=False)
            asked.setdefault(posixpath.normpath(posixpath.join(top, one)), []).append(one)
        for name, content in archive.read_members(path, asked.__contains__, limits):
            for one in asked.pop(name, ()):
                yield one, content
        for one in (one for names in asked.values() for one in names):
            yield one, MissingFile(f"{one} is not in {path}")

    return read


def require_inside(path: str, folder: str, absolute: bool = True) -> None:
    """Checks that a path of a table stays within its folder.

    Raises:
        InputError: It leads out of it, or is absolute where it must not be.
    """
    if PurePosixPath(path).is_absolute() or Path(path).is_absolute():
        if absolute:
            return
    elif posixpath.normpath(path.replace("\\", "/")).split("/")[0] != "..":
        return
    raise InputError(
        f"{path!r} leads out of {folder}: expected paths of pictures from the table's own folder on"
        f"{', or absolute ones' if absolute else ''}"
    )


def _content(path: Path, name: str, limits: Limits) -> Found:
    try:
        if not path.is_file():
            return Unreadable(f"{name} is no file") if path.exists() else MissingFile(f"{name} is not there")
        with path.open("rb") as file:
            content = file.read(limits.longest_row + 1)
    except (OSError, ValueError) as error:  # ValueError: a name with a zero byte in it
        return MissingFile(f"{name} cannot be read ({error})")
    if len(content) > limits.longest_row:
        raise limits.too_long(str(path))
    return content


def _names(table: Table) -> list[str]:
    given = [None] * len(table) if table.names is None else table.names
    return [
        str(name or (one.strip() if isinstance(one, str) else f"row {row}"))
        for name, one, row in zip(given, table.texts, table.rows.tolist(), strict=True)
    ]
