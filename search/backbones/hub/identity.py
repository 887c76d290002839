"""What a module is, whatever it is called and wherever it lies."""

from __future__ import annotations

import hashlib
from pathlib import Path


def fingerprint(folder: Path) -> str:
    """Identifies a SavedModel by its content, without reading its weights.

    TensorFlow keeps a checksum of every tensor in `variables.index`: reading that file stands for reading the weights,
    which may be a gigabyte.

    Args:
        folder: A SavedModel.

    Returns:
        SHA-256 in hexadecimal digits; equal for equal content.
    """
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = path.relative_to(folder).as_posix()
        digest.update(f"{name}\0{path.stat().st_size}\0".encode())
        if not name.startswith("variables/variables.data-"):
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()
