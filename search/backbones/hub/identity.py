"""The identity of a module, whatever its name and place."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from search.utils.checksums import SEAL, seal, sha256
from search.utils.files import is_refused

_WEIGHTS = "variables/variables.data-"
"""Files that TensorFlow compares with the checksums of `variables.index` when it loads them."""
_BY_CHANCE = {"shared_name", "container"}
"""Attributes of operations that depend on where and when the module was built."""


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
        if name == SEAL:
            continue
        digest.update(f"{name}\0{path.stat().st_size}\0".encode())
        if not name.startswith(_WEIGHTS):
            digest.update(bytes.fromhex(sha256(path)))
    return digest.hexdigest()


def content(folder: Path) -> str:
    """Identifies a SavedModel by what it computes: the same for one that was rebuilt from the same parts.

    `fingerprint` differs for two such, as TensorFlow writes random numbers and names of temporary files into them.

    Args:
        folder: A SavedModel.

    Returns:
        SHA-256 in hexadecimal digits, of its weights (by `variables.index`), its assets and its operations.
    """
    read = [folder / "variables" / "variables.index", *sorted((folder / "assets").rglob("*"))]
    parts = [f"{path.relative_to(folder).as_posix()} {sha256(path)}" for path in read if path.is_file()]
    parts += sorted(_functions(folder))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _functions(folder: Path) -> Iterator[str]:
    """A digest of each function of a SavedModel, without the numbers that TensorFlow gives them."""
    from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

    saved = SavedModel.FromString((folder / "saved_model.pb").read_bytes())
    for graph in (one.graph_def for one in saved.meta_graphs):
        functions = [(one.signature.name, one.node_def) for one in graph.library.function]
        for name, nodes in [("", graph.node), *functions]:
            digest = hashlib.sha256(_unnumbered(name).encode())
            for node in nodes:
                attributes = sorted((key, _value(value)) for key, value in node.attr.items() if not _is_chance(key))
                digest.update(repr((_unnumbered(node.op), node.name, list(node.input), attributes)).encode())
            yield digest.hexdigest()


def _unnumbered(function: str) -> str:
    return re.sub(r"_\d+$", "", function)


def _is_chance(key: str) -> bool:
    return key.startswith("_") or key in _BY_CHANCE


def _value(attribute: Any) -> bytes:
    """The value of an attribute, without functions, which have digests of their own."""
    if attribute.WhichOneof("value") == "func" or attribute.list.func:
        return b""
    return bytes(attribute.SerializeToString(deterministic=True))


def seal_module(folder: Path) -> None:
    """Writes the checksums of a SavedModel's files into it; TensorFlow keeps those of its weights already."""
    seal(folder, lambda name: name.startswith(_WEIGHTS))


def seal_once(folder: Path) -> None:
    """Seals a module that has no checksums yet, since it was fetched or made by an earlier version."""
    if not (folder / SEAL).exists():
        try:
            seal_module(folder)
        except OSError as error:  # a cache that can only be read serves all the same
            if not is_refused(error):
                raise
