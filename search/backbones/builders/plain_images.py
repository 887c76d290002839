"""Modules of what can be read off an image without learning: its pixels, and how often it has each colour.

A linear model on either is a baseline that a pretrained encoder has to beat.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import tensorflow as tf

from search.backbones.builders.saving import save_module
from search.utils.files import whole_folder

# Part of the folder's name: see `search.backbones.builders.vectors`.
_VERSION = 1
_PIXELS = 24
"""Height and width of the image whose pixels count."""
_SIZE, _LEVELS = 64, 6
"""Height and width of the image whose colours are counted, and the levels of red, green and blue told apart."""


class PlainImages(tf.train.Checkpoint):
    """A function of images as a module in TF Hub's image API, which has no weights.

    Args:
        size: Height and width of the images.
        function: Maps images, float32 [batch, size, size, 3] from 0 to 1, to float32 [batch, dim].
    """

    def __init__(self, size: int, function: Callable[[tf.Tensor], tf.Tensor]) -> None:
        super().__init__()
        self.variables: list[tf.Variable] = []
        self.trainable_variables: list[tf.Variable] = []
        self.__call__ = tf.function(function, input_signature=[tf.TensorSpec([None, size, size, 3], name="images")])


def pixels(images: tf.Tensor) -> tf.Tensor:
    """The pixels of images [batch, h, w, 3], row by row, [batch, h * w * 3]."""
    return tf.reshape(images, [-1, _PIXELS * _PIXELS * 3])


def colours(images: tf.Tensor) -> tf.Tensor:
    """The share of the pixels of images [batch, h, w, 3] that has each of the colours, [batch, levels ** 3]."""
    levels = tf.cast(tf.clip_by_value(images * _LEVELS, 0, _LEVELS - 1), tf.int32)
    colour = (levels[..., 0] * _LEVELS + levels[..., 1]) * _LEVELS + levels[..., 2]
    flat = tf.reshape(colour, [-1, _SIZE * _SIZE])
    counts = tf.math.bincount(flat, minlength=_LEVELS**3, maxlength=_LEVELS**3, axis=-1)
    return tf.ensure_shape(tf.cast(counts, tf.float32) / _SIZE**2, [None, _LEVELS**3])


PLAIN: Mapping[str, tuple[int, Callable[[tf.Tensor], tf.Tensor]]] = {
    "pixels": (_PIXELS, pixels),
    "colours": (_SIZE, colours),
}
"""Name of each module to the size of its images and its function."""


def build_plain(name: str, modules: Path) -> Path:
    """Builds one of `PLAIN`, unless it was built before.

    Args:
        name: Its name.
        modules: Folder that modules are kept in.

    Returns:
        The folder of the SavedModel.

    Raises:
        OSError: The module cannot be written.
    """
    folder = modules / f"{name}-{_VERSION}"
    if not folder.is_dir():
        with whole_folder(folder) as beside:
            save_module(PlainImages(*PLAIN[name]), beside)
    return folder
