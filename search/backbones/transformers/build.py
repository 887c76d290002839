"""Builds SavedModels of encoders, each once, in the folder of modules."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from search.backbones.transformers.checkpoint_weights import weight_files
from search.backbones.transformers.layout import Layout, read_layout
from search.backbones.transformers.preset import preset_weights
from search.utils.files import whole_folder

VERSION = 5
"""To be raised when what is built changes, so that folders built before are not taken for it."""
_SMALL = 2**24


def build_folder(folder: Path, name: str, prompt: str | None, modules: Path) -> Path:
    """Builds the SavedModel of an encoder in Hugging Face's layout, unless that was done before.

    Args:
        folder: The encoder's.
        name: What messages call it.
        prompt: What is put before each text; None: what the folder says.
        modules: Folder that modules are kept in.

    Returns:
        The folder of the SavedModel.

    Raises:
        InputError: It cannot be read, or a package is not installed.
        OSError: The module cannot be written.
    """
    layout = read_layout(folder, name, prompt)
    slug = re.sub(r"[^A-Za-z0-9.-]+", "-", name.rstrip("/").split("/")[-1]).strip("-.") or "encoder"
    return build_once(layout, modules / f"transformers-{slug[:60]}-{_key(layout)}")


def build_once(layout: Layout, target: Path) -> Path:
    """Builds the SavedModel into a folder whose name follows from its content."""
    if not target.is_dir():
        with whole_folder(target) as beside:
            write_encoder(layout, beside)
    return target


def write_encoder(layout: Layout, folder: Path) -> int:
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
    import tensorflow as tf

    from search.backbones.builders.saving import save_module
    from search.backbones.hub.layer_groups import write_groups
    from search.backbones.transformers.encoder import read_encoder

    encoder = read_encoder(layout)
    for training in (False, True):
        encoder.__call__.get_concrete_function(tf.TensorSpec([None], tf.string, name="texts"), training=training)
    write_groups(folder, encoder.described)
    save_module(encoder, folder)
    return encoder.dimension


def _key(layout: Layout) -> str:
    """Identifies an encoder by its settings and tokenizer, and by size and date of its weights, which are large."""
    digest = hashlib.sha256(f"{VERSION}\0{layout.prompt}\0".encode())
    large = {*(preset_weights if layout.of_keras else weight_files)(layout.folder)}
    for path in sorted(path for path in layout.folder.rglob("*") if path.suffix in (".json", ".txt", ".model", ".spm")):
        large.add(path)
    for path in sorted(large):
        status = path.stat()
        digest.update(f"{path.relative_to(layout.folder).as_posix()}\0{status.st_size}\0".encode())
        digest.update(str(status.st_mtime_ns).encode() if status.st_size > _SMALL else path.read_bytes())
    return digest.hexdigest()[:12]
