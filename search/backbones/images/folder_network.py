"""Encoders of images from their folders, as networks that can be saved."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from search.backbones.images.layout import ImageLayout
from search.backbones.images.network import ImageNetwork, made_network
from search.backbones.images.port import read_vision_transformer
from search.backbones.images.vision_transformers import of_size, shape_key, unrolled
from search.backbones.transformers.folders import import_packages
from search.backbones.transformers.preset import preset_weights


def read_network(layout: ImageLayout) -> ImageNetwork:
    """Reads an encoder of images from its folder.

    Args:
        layout: What its files say.

    Raises:
        InputError: A package is not installed, or a file is not what it should be.
    """
    import_packages(layout)

    def make() -> Any:
        read = _read_preset if layout.of_keras else read_vision_transformer
        return unrolled(of_size(read(layout), layout.size))

    def inputs(images: tf.Tensor) -> tf.Tensor:
        return images * (255.0 * tf.constant(layout.scale)) + tf.constant(layout.offset)

    return made_network(layout.name, layout.architecture, make, inputs)


def _read_preset(layout: ImageLayout) -> Any:
    import keras_hub

    made, settings = getattr(keras_hub.models, layout.architecture), dict(layout.config["config"])
    key = shape_key(settings)
    if None in settings.get(key, (None,)):  # it takes images of any size
        settings[key] = (*layout.size, 3)
    backbone = made.from_config({**settings, "dtype": "float32"})
    backbone.load_weights(preset_weights(layout.folder)[0])
    return backbone
