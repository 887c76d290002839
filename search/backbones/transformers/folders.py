"""Folders of encoders, of texts or of images: one door to either kind."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from search.backbones.images.architectures import is_of_images
from search.backbones.images.layout import ImageLayout, read_image_layout
from search.backbones.transformers.layout import Layout, read_json, read_layout
from search.errors import InputError


def read_folder(
    folder: Path, name: str, prompt: str | None = None, image_size: int | None = None
) -> Layout | ImageLayout:
    """Reads how the encoder in a folder is to be used.

    Args:
        folder: The folder.
        name: What messages call it.
        prompt: What is put before each text; None: what the folder says, nothing as a rule.
        image_size: Height and width that images are brought to; None: what the folder says.

    Raises:
        InputError: It is none that can be read.
    """
    if is_of_images(read_json(folder / "config.json")):
        return read_image_layout(folder, name, image_size)
    return read_layout(folder, name, prompt)


def import_packages(layout: Layout | ImageLayout) -> None:
    """Imports the packages that an encoder of its kind needs, with the operations that they bring to TensorFlow.

    Args:
        layout: The encoder's.

    Raises:
        InputError: One is not installed, or does not fit TensorFlow.
    """
    import tensorflow as tf  # it takes seconds, and folders are read without it

    try:
        for package in layout.packages:
            import_module(package.replace("-", "_"))
    except (ImportError, tf.errors.OpError) as error:
        raise InputError(
            f"module {layout.name} needs the packages {' and '.join(layout.packages)}: pip install "
            "'search[transformers]'"
        ) from error
