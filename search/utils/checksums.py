"""Checksums of files and folders, and sealed folders, which hold the checksums of their own files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from search.utils.files import write_json

SEAL = "search_checksums.json"
"""The file of a sealed folder with the checksums of its other files."""


class Damaged(ValueError):
    """A file that is missing, or no longer holds what was written; the message names it and the fault."""


@dataclass(frozen=True)
class Checksum:
    """The content of a file, or of all files of a folder together.

    Attributes:
        sha256: In hexadecimal digits.
        bytes: The number of bytes.
        files: The number of files.
    """

    sha256: str
    bytes: int
    files: int = 1

    @classmethod
    def of(cls, path: Path) -> Checksum:
        """Reads a file or a folder, wherever it lies: its own name does not count, those inside a folder do.

        Files and folders inside it whose names begin with a dot are left out: editors and file managers leave them.
        """
        if not path.is_dir():
            return cls(sha256(path), path.stat().st_size)
        digest, size, files = hashlib.sha256(), 0, 0
        for name, file in _files_below(path):
            if not any(part.startswith(".") for part in name.split("/")):
                digest.update(f"{name}\0{sha256(file)}\0".encode(errors="surrogateescape"))
                size, files = size + file.stat().st_size, files + 1
        return cls(digest.hexdigest(), size, files)

    def __str__(self) -> str:
        files = f"{self.files:,} files of " if self.files != 1 else ""
        return f"{files}{self.bytes:,} bytes, SHA-256 {self.sha256[:12]}…"


def sha256(path: Path) -> str:
    """Reads a file piece by piece; a gigabyte takes about a second.

    Returns:
        SHA-256 in hexadecimal digits.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def seal(folder: Path, size_alone: Callable[[str], bool] = lambda name: False) -> None:
    """Writes the checksums of a folder's files into it.

    Args:
        folder: The finished folder.
        size_alone: Tells by a file's name in the folder whether its size is enough, since its reader compares checksums
            of its own.
    """
    content = {
        name: {"bytes": file.stat().st_size, "sha256": None if size_alone(name) else sha256(file)}
        for name, file in _files_below(folder)
        if name != SEAL
    }
    write_json(folder / SEAL, content)


def check_seal(folder: Path) -> None:
    """Compares the files of a folder with the checksums from `seal`; a folder without any passes.

    Raises:
        Damaged: A file differs or is gone, or the checksums cannot be read.
    """
    path = folder / SEAL
    if not path.exists():
        return
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        sealed = {str(name): (int(one["bytes"]), one["sha256"]) for name, one in content.items()}
    except (ValueError, AttributeError, KeyError, TypeError) as error:
        raise Damaged(f"{path} is damaged ({error})") from error
    for name, (size, digest) in sealed.items():
        file = folder / name
        if not file.is_file():
            raise Damaged(f"{file} is missing")
        if (found := file.stat().st_size) != size:
            raise Damaged(f"{file} is damaged: {found:,} bytes were found where {size:,} were written")
        if digest is not None and sha256(file) != digest:
            raise Damaged(f"{file} is damaged: its content is not what was written")


def _files_below(folder: Path) -> Iterator[tuple[str, Path]]:
    """The files of a folder by their names from it, with forward slashes, sorted."""
    found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    yield from sorted(found.items())
