"""Files of arrays with notes: the weights of a trial, and the state it resumes from."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search.utils.files import whole_file

Arrays = list[NDArray[Any]]

_NOTES = "notes"
_CHECKSUM = "checksum"


def save(path: Path, arrays: Sequence[NDArray[Any]], notes: Mapping[str, Any] | None = None) -> None:
    """Writes arrays, whole or not at all.

    Args:
        path: A file that ends in .npz.
        arrays: The arrays; `load` returns them in the same order.
        notes: Further facts, ready for JSON; in the same file, so that the two always agree.
    """
    content = {str(i): array for i, array in enumerate(arrays)}
    content[_NOTES] = np.frombuffer(json.dumps(notes or {}).encode(), np.uint8)
    content[_CHECKSUM] = np.array(_checksum(content))
    with whole_file(path) as beside:
        np.savez(beside, **content)  # type: ignore[arg-type]  # its other keyword is none of ours


def load(path: Path) -> Arrays:
    """Reads the arrays and the notes of a file."""
    with np.load(path, allow_pickle=False) as saved:
        return [saved[str(i)] for i in range(len(saved.files) - len((_NOTES, _CHECKSUM)))]


def read_notes(path: Path) -> dict[str, Any]:
    """The notes of a file."""
    with np.load(path, allow_pickle=False) as saved:
        notes: dict[str, Any] = json.loads(saved[_NOTES].tobytes())
    return notes


def is_finite(arrays: Sequence[NDArray[Any]]) -> bool:
    """Whether no number in arrays is NaN or infinite."""
    return all(np.isfinite(array).all() for array in arrays if np.issubdtype(array.dtype, np.inexact))


def is_whole(path: Path) -> bool:
    """Whether a checkpoint is there and gives what was written."""
    try:
        # Opened here, since NumPy leaves a file open that it finds to be damaged.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as saved:
            content = {name: saved[name] for name in saved.files}
        # A zip archive's own checksums leave out names and headers.
        return int(content.pop(_CHECKSUM)) == _checksum(content)
    except Exception:  # NumPy and zipfile raise many types for damage
        return False


def _checksum(content: Mapping[str, NDArray[Any]]) -> int:
    checksum = 0
    for name, array in sorted(content.items()):
        checksum = zlib.crc32(f"{name} {array.dtype} {array.shape}".encode(), checksum)
        checksum = zlib.crc32(array.tobytes(), checksum)
    return checksum
