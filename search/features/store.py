"""Features on disk: chunks of a few thousand texts, each a file that is checked, mapped and never changed."""

from __future__ import annotations

import dataclasses
import json
import logging
import os
import re
import struct
import time
import zlib
from collections.abc import Container, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from search.utils.files import whole_file, write_json
from search.utils.leftovers import remove_leftovers
from search.utils.lock import Claims

_log = logging.getLogger(__name__)
SUFFIX = ".features"
# What a text is known by: 16 bytes of its hash.
KEY = np.dtype("S16")
# A chunk file: magic, rows, dim, checksum of these and the keys, checksum of the values; the keys, sorted; the values.
HEADER = struct.Struct("<8sQQII")
MAGIC = b"features"
MODULE = "module.json"
CLAIMS = "claims"
_SHELF = re.compile(r"([0-9a-f]{64})-(float16|float32)")
# Files up to this size are read, not mapped: a mapped one holds a file open, of which a process may have about 1,000.
_READ_BYTES = 2**18


@dataclass(frozen=True, eq=False)
class Chunk:
    """Features of some texts.

    Attributes:
        path: Its file.
        keys: Keys of the texts, sorted, 16 bytes each [n].
        values: Their features, float32 or float16 [n, dim]; mapped from the file unless that is small.
        checksum: CRC-32 that the values should have.
    """

    path: Path
    keys: NDArray[np.bytes_]
    values: NDArray[np.floating[Any]]
    checksum: int


@dataclass(frozen=True)
class Shelf:
    """The chunks of one module in one storage type: a folder.

    Attributes:
        path: The folder.
    """

    path: Path

    @property
    def fingerprint(self) -> str:
        """The module, by its content."""
        return self.path.name.rpartition("-")[0]

    @property
    def dtype(self) -> str:
        """float32 or float16."""
        return self.path.name.rpartition("-")[2]

    def module(self) -> dict[str, str]:
        """Name and folder of the module when it was last used; empty where not known."""
        try:
            content = json.loads((self.path / MODULE).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return {str(key): str(value) for key, value in content.items()} if isinstance(content, dict) else {}

    def note_module(self, name: str, folder: Path) -> None:
        """Notes the module's name and folder, for `python -m search.cache`."""
        content = {"name": name, "folder": str(folder.resolve())}
        if self.module() != content:
            # A cache that can only be read serves all the same.
            with suppress(OSError):
                write_json(self.path / MODULE, content)

    def chunk_paths(self) -> list[Path]:
        """Files of its chunks, the oldest first."""
        return sorted(path for path in self.path.glob(f"*{SUFFIX}") if not path.name.startswith("."))


def shelves(folder: Path) -> list[Shelf]:
    """The shelves of a cache; other files and folders there are ignored."""
    if not folder.is_dir():
        return []
    return [Shelf(path) for path in sorted(folder.iterdir()) if _SHELF.fullmatch(path.name) and path.is_dir()]


class ChunkStore:
    """Reads, writes and evicts chunks.

    Args:
        folder: The folder of all shelves.
        max_bytes: Size above which the least recently used chunks are removed; None: no limit.
    """

    def __init__(self, folder: Path, max_bytes: int | None) -> None:
        self.folder = folder
        self.max_bytes = max_bytes
        self._sound: set[Path] = set()

    def shelf(self, fingerprint: str, dtype: str) -> Shelf:
        """The shelf of a module, whether or not it exists yet."""
        return Shelf(self.folder / f"{fingerprint}-{dtype}")

    def chunks(self, shelf: Shelf, seen: Container[Path] = ()) -> Iterator[Chunk]:
        """Opens the chunks of a shelf but those `seen`; a damaged chunk is removed with a warning."""
        for path in shelf.chunk_paths():
            if path in seen:
                continue
            try:
                yield _opened(path, shelf.dtype)
            except FileNotFoundError:  # evicted by another process
                continue
            except ValueError as error:
                _discard(path, str(error))

    def claims(self, shelf: Shelf) -> Claims:
        """The claims of processes to parts of a shelf's computation, which they share out by them."""
        with suppress(OSError):  # which writing the features meets again, and tells of
            shelf.path.mkdir(parents=True, exist_ok=True)
        return Claims(shelf.path / CLAIMS)

    def is_sound(self, chunk: Chunk) -> bool:
        """Whether a chunk's values are those that were written, checked once per process; a damaged one is removed."""
        if chunk.path not in self._sound:
            if zlib.crc32(chunk.values.data) != chunk.checksum:
                _discard(chunk.path, "wrong checksum of its values")
                return False
            self._sound.add(chunk.path)
        return True

    def write(
        self, shelf: Shelf, keys: NDArray[np.bytes_], values: NDArray[np.floating[Any]], used: set[Path]
    ) -> Chunk:
        """Writes a chunk, whole or not at all, then evicts others down to the limit.

        Args:
            shelf: The shelf it belongs to.
            keys: Keys of distinct texts [n].
            values: Their features [n, dim].
            used: Files that must stay; this one is added.

        Returns:
            The chunk as it is in the file. It stays valid when another process removes the file.

        Raises:
            ValueError: There are not as many features as keys.
        """
        if len(keys) != len(values):
            raise ValueError(f"Expected a row of features for each of {len(keys)} keys. Received: {len(values)} rows")
        # Rows of one key stay in their order.
        order = np.argsort(keys, kind="stable")
        keys, values = keys[order], values[order]
        checksum = zlib.crc32(values.data)
        head = _head(*values.shape)
        # No other process gives a file this name; names sort by age.
        path = shelf.path / f"{time.time_ns():020d}-{uuid4().hex[:12]}{SUFFIX}"
        chunk = Chunk(path, keys, values, checksum)
        used.add(path)
        # Another process may clear the folder while this one writes: these features are then not kept for the next run.
        with suppress(FileNotFoundError), whole_file(path) as beside:
            with beside.open("wb") as file:
                file.write(head + struct.pack("<II", zlib.crc32(keys.data, zlib.crc32(head)), checksum))
                file.write(keys.tobytes())
                file.write(values.data)
            chunk = dataclasses.replace(_opened(beside, values.dtype.name), path=path)
        self._sound.add(path)
        self.evict(used)
        return chunk

    def evict(self, used: set[Path]) -> int:
        """Removes the least recently used chunks until the limit holds.

        Args:
            used: Files that must stay.

        Returns:
            Bytes that remain above the limit.
        """
        files = []
        for shelf in shelves(self.folder):
            remove_leftovers(shelf.path)
            for path in shelf.chunk_paths():
                with suppress(FileNotFoundError):
                    status = path.stat()
                    files.append((status.st_mtime_ns, path, status.st_size))
        over = 0 if self.max_bytes is None else sum(size for _, _, size in files) - self.max_bytes
        for _, path, size in sorted(files):
            if over > 0 and path not in used:
                path.unlink(missing_ok=True)
                over -= size
        return max(over, 0)


def mark_used(path: Path) -> None:
    """Marks a chunk as just used, so that it is evicted last."""
    with suppress(OSError):
        os.utime(path)


def _head(rows: int, dimension: int) -> bytes:
    return HEADER.pack(MAGIC, rows, dimension, 0, 0)[:-8]


def _opened(path: Path, dtype: str) -> Chunk:
    """Opens a chunk; raises ValueError if it is damaged, as far as that shows without reading its values."""
    if path.stat().st_size <= _READ_BYTES:
        content = np.fromfile(path, np.uint8)
    else:
        content = np.asarray(np.memmap(path, np.uint8, "r"))
    if len(content) < HEADER.size:
        raise ValueError("cut short")
    magic, rows, dimension, keys_checksum, checksum = HEADER.unpack(content[: HEADER.size].tobytes())
    middle = HEADER.size + rows * KEY.itemsize
    if magic != MAGIC or len(content) != middle + rows * dimension * np.dtype(dtype).itemsize:
        raise ValueError("cut short, or not a chunk")
    if zlib.crc32(content[HEADER.size : middle].data, zlib.crc32(_head(rows, dimension))) != keys_checksum:
        raise ValueError("wrong checksum of its keys")
    keys, values = content[HEADER.size : middle].view(KEY), content[middle:].view(dtype)
    return Chunk(path, keys, values.reshape(rows, dimension), checksum)


def _discard(path: Path, fault: str) -> None:
    _log.warning("The features in %s are damaged (%s): they are removed and computed again.", path, fault)
    # Where the cache can only be read, it is found again by the next process.
    with suppress(OSError):
        path.unlink()
