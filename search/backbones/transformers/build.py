"""Builds SavedModels of encoders, each once, in the folder of modules."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING

from search.backbones.images.layout import ImageLayout
from search.backbones.transformers.checkpoint_weights import weight_files
from search.backbones.transformers.folders import read_folder
from search.backbones.transformers.layout import Layout
from search.backbones.transformers.preset import preset_weights
from search.utils.files import whole_folder

if TYPE_CHECKING:  # they import TensorFlow
    from search.backbones.images.network import ImageNetwork
    from search.backbones.transformers.encoder import TransformerEncoder

VERSION = 5
"""To be raised when what is built changes, so that folders built before are not taken for it."""
_SMALL = 2**24


def build_folder(folder: Path, name: str, prompt: str | None, modules: Path, image_size: int | None = None) -> Path:
    """Builds the SavedModel of an encoder in Hugging Face's or KerasHub's layout, unless that was done before.

    Args:
        folder: The encoder's.
        name: What messages call it.
        prompt: What is put before each text; None: what the folder says.
        modules: Folder that modules are kept in.
        image_size: Height and width of images; None: what the folder says.

    Returns:
        The folder of the SavedModel.

    Raises:
        InputError: It cannot be read, or a package is not installed.
        OSError: The module cannot be written.
    """
    layout = read_folder(folder, name, prompt, image_size)
    slug = re.sub(r"[^A-Za-z0-9.-]+", "-", name.rstrip("/").split("/")[-1]).strip("-.") or "encoder"
    return build_once(layout, modules / f"transformers-{slug[:60]}-{_key(layout)}")


def build_once(layout: Layout | ImageLayout, target: Path) -> Path:
    """Builds the SavedModel into a folder whose name follows from its content."""
    if not target.is_dir():
        with whole_folder(target) as beside:
            write_encoder(layout, beside)
    return target


def write_encoder(layout: Layout | ImageLayout, folder: Path) -> int:
    """Writes the SavedModel of an encoder, and beside it which variables each of its layers has.

    Args:
        layout: How its files say that it is used.
        folder: An empty folder; best beside its place, see `search.utils.files.whole_folder`.

    Returns:
        The width of its vectors.

    Raises:
        InputError: It cannot be read, or a package is not installed.
        OSError: The module cannot be written.
    """
    # Imported here: TensorFlow takes seconds, and most mistakes are told without it.
    from search.backbones.builders.saving import save_module
    from search.backbones.hub.layer_groups import write_groups

    encoder = _read(layout)
    write_groups(folder, encoder.described)
    save_module(encoder, folder)
    return encoder.dimension


def _read(layout: Layout | ImageLayout) -> TransformerEncoder | ImageNetwork:
    import tensorflow as tf

    from search.backbones.images.folder_network import read_network
    from search.backbones.transformers.encoder import read_encoder

    if isinstance(layout, ImageLayout):
        return read_network(layout)
    encoder = read_encoder(layout)
    for training in (False, True):
        encoder.__call__.get_concrete_function(tf.TensorSpec([None], tf.string, name="texts"), training=training)
    return encoder


def _key(layout: Layout | ImageLayout) -> str:
    """Identifies an encoder by its settings and tokenizer, and by size and date of its weights, which are large."""
    digest = hashlib.sha256(f"{VERSION}\0{layout.asked}\0".encode())
    large = {*(preset_weights if layout.of_keras else weight_files)(layout.folder)}
    for path in sorted(path for path in layout.folder.rglob("*") if path.suffix in (".json", ".txt", ".model", ".spm")):
        large.add(path)
    for path in sorted(large):
        status = path.stat()
        digest.update(f"{path.relative_to(layout.folder).as_posix()}\0{status.st_size}\0".encode())
        digest.update(str(status.st_mtime_ns).encode() if status.st_size > _SMALL else path.read_bytes())
    return digest.hexdigest()[:12]
