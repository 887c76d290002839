"""The cache of features: `python -m search.cache` lists it, `python -m search.cache clear` empties it."""

from __future__ import annotations

import argparse
import math
import struct
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from rich import box
from rich.console import Console
from rich.filesize import decimal
from rich.markup import escape
from rich.table import Table

from search.commands.cli import Parser, reported
from search.errors import InputError
from search.features.store import CLAIMS, HEADER, KEY, MAGIC, MODULE, SUFFIX, Shelf, shelves
from search.utils.paths import cache_folder, read_path

_DIGITS = 12
_DAY = 86_400


@dataclass(frozen=True)
class ChunkFile:
    """A chunk on disk.

    Attributes:
        path: Its file.
        texts: Texts in it.
        rows: Its vectors: one for each text, or for each token of a text.
        dimension: Their width.
        size: Bytes.
        used: Time of its last use, in seconds since 1970.
    """

    path: Path
    texts: int
    rows: int
    dimension: int
    size: int
    used: float


def chunk_files(shelf: Shelf) -> list[ChunkFile]:
    """The chunks of a shelf; of a damaged one only the size counts, and one that was just removed is skipped."""
    found = []
    for path in shelf.chunk_paths():
        texts = rows = dimension = 0
        with suppress(FileNotFoundError):
            with path.open("rb") as file, suppress(struct.error):
                magic, *numbers = HEADER.unpack(file.read(HEADER.size))
                rows, dimension = numbers[:2] if magic == MAGIC else (0, 0)
                # Of a text whose tokens have a vector each, the key comes as often, one after the other.
                keys = np.fromfile(file, KEY, rows)
                texts = int(np.count_nonzero(keys[1:] != keys[:-1])) + min(len(keys), 1)
            status = path.stat()
            found.append(ChunkFile(path, texts, rows, dimension, status.st_size, status.st_mtime))
    return found


def listing(folder: Path) -> Table | None:
    """The contents of the cache, a row per module and type; None where there is nothing."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), show_footer=True)
    rows = [(shelf, files) for shelf in shelves(folder) if (files := chunk_files(shelf))]
    texts, vectors, size = (
        sum(getattr(file, name) for _, files in rows for file in files) for name in ("texts", "rows", "size")
    )
    table.add_column("module", "all", overflow="fold")
    table.add_column("fingerprint", no_wrap=True)
    table.add_column("dtype", no_wrap=True)
    table.add_column("dim", justify="right", no_wrap=True)
    table.add_column("texts", f"{texts:,}", justify="right", no_wrap=True)
    table.add_column("vectors", f"{vectors:,}", justify="right", no_wrap=True)
    table.add_column("size", decimal(size), justify="right", no_wrap=True)
    table.add_column("last used", no_wrap=True)
    for shelf, files in sorted(rows, key=lambda row: -max(file.used for file in row[1])):
        table.add_row(
            escape(shelf.module().get("name", "?")),
            shelf.fingerprint[:_DIGITS],
            shelf.dtype,
            str(max(file.dimension for file in files)),
            f"{sum(file.texts for file in files):,}",
            f"{sum(file.rows for file in files):,}",
            decimal(sum(file.size for file in files)),
            datetime.fromtimestamp(max(file.used for file in files)).strftime("%Y-%m-%d %H:%M"),
        )
    return table if rows else None


def clear(folder: Path, prefixes: Sequence[str], older_than: float | None) -> tuple[int, int]:
    """Removes features.

    Args:
        folder: The cache.
        prefixes: First digits of the fingerprints of modules; none: all modules.
        older_than: Only features not used for so many days; None: all.

    Returns:
        Texts and bytes that were freed.

    Raises:
        InputError: A prefix fits no module, or more than one.
    """
    chosen = _chosen(shelves(folder), prefixes)
    before = math.inf if older_than is None else time.time() - older_than * _DAY
    gone = [(shelf, file) for shelf in chosen for file in chunk_files(shelf) if file.used < before]
    for _, file in gone:
        file.path.unlink(missing_ok=True)
    for shelf in chosen:
        if not shelf.chunk_paths():
            for rest in (*shelf.path.glob(f".*{SUFFIX}"), shelf.path / MODULE, shelf.path / CLAIMS):
                rest.unlink(missing_ok=True)
            # It stays if something that is not ours is in it, or another process has just written to it.
            with suppress(OSError):
                shelf.path.rmdir()
    return sum(file.texts for _, file in gone), sum(file.size for _, file in gone)


def _chosen(known: list[Shelf], prefixes: Sequence[str]) -> list[Shelf]:
    if not prefixes:
        return known
    fingerprints = sorted({shelf.fingerprint for shelf in known})
    wanted = set()
    for prefix in prefixes:
        fitting = [one for one in fingerprints if prefix and one.startswith(prefix.lower())]
        if len(fitting) != 1:
            what = "fits more than one module" if fitting else "is the beginning of no fingerprint"
            listed = ", ".join(one[:_DIGITS] for one in fitting or fingerprints) or "none"
            raise InputError(f"'{prefix}' {what}. There are: {listed}.")
        wanted.update(fitting)
    return [shelf for shelf in known if shelf.fingerprint in wanted]


def _days(text: str) -> float:
    try:
        days = float(text)
    except ValueError:
        days = math.nan
    if not 0 <= days < math.inf:
        raise argparse.ArgumentTypeError(f"expected a number of days, got '{text}'")
    return days


def _default() -> str:
    return f"{cache_folder()}/features"


def _parser() -> argparse.ArgumentParser:
    folder = Parser(add_help=False)
    # Given before or after `clear`: the second must not bring the default back.
    folder.add_argument("--folder", default=argparse.SUPPRESS, help=f"the cache; {_default()} by default")
    parser = Parser("python -m search.cache", description="Lists the cache of features.", parents=[folder])
    command = parser.add_subparsers(dest="command", metavar="[clear]").add_parser(
        "clear", help="remove features", description="Removes features from the cache.", parents=[folder]
    )
    command.add_argument("prefixes", nargs="*", metavar="FINGERPRINT_PREFIX", help="of which modules; all by default")
    command.add_argument("--older-than", type=_days, metavar="DAYS", help="only what was not used for so long")
    return parser


def main(arguments: Sequence[str]) -> int:
    """Runs `python -m search.cache`.

    Args:
        arguments: The command line without the program's name.

    Returns:
        The exit code: 0, or 2 for bad input.
    """
    console = Console()
    codes = [0]
    with reported(codes):
        given = _parser().parse_args(arguments)
        folder = read_path(getattr(given, "folder", _default()), "--folder")
        if "folder" in given and not folder.is_dir():
            raise InputError(f"--folder: there is no folder {folder}.")
        if given.command == "clear":
            texts, size = clear(folder, given.prefixes, given.older_than)
            console.print(f"Freed {decimal(size)}: the features of {texts:,} texts.", highlight=False, soft_wrap=True)
        elif (table := listing(folder)) is None:
            console.print(f"{escape(str(folder))} is empty.", highlight=False, soft_wrap=True)
        else:
            console.print(table)
            for shelf in shelves(folder):
                at = shelf.module().get("folder", "unknown")
                console.print(
                    f"{shelf.fingerprint[:_DIGITS]} was last at {escape(at)}", highlight=False, soft_wrap=True
                )
            console.print(f"All in {escape(str(folder))}", highlight=False, soft_wrap=True)
    return max(codes)
