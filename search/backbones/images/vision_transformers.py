"""KerasHub's models of images: for images of another size, and vision transformers with their layers one by one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

# The attribute of an encoder that holds its layers.
_LAYERS = {"ViTBackbone": "encoder_layers", "DeiTBackbone": "encoder_layers", "DINOV2Backbone": "layers"}


def unrolled(backbone: Any) -> Any:
    """The same model with the layers of its encoder one by one, where it is a vision transformer; else itself."""
    if type(backbone).__name__ not in _LAYERS:
        return backbone
    embeddings, layers, norm = taken_apart(backbone)
    images = keras.Input(backbone.image_shape)
    hidden = embeddings(images)
    for layer in layers:
        hidden = _TokensAlone(layer, name=layer.name)(hidden)
    return keras.Model(images, norm(hidden))


class _TokensAlone(keras.layers.Layer):
    """A layer without what those of DeiT give beside the vectors of tokens: the attention, or nothing in its place."""

    def __init__(self, layer: Any, name: str) -> None:
        super().__init__(name=name)
        self.layer = layer
        self.built = True  # with the model that it is of

    def call(self, hidden: Any) -> Any:
        """Maps float32 [batch, tokens, dim] to the same shape."""
        given = self.layer(hidden)
        return given[0] if isinstance(given, tuple) else given


def of_size(backbone: Any, size: tuple[int, int]) -> Any:
    """The same model for images of another size: its positions are those of the patches there, interpolated.

    Args:
        backbone: A model of KerasHub.
        size: Height and width.

    Raises:
        ValueError: It takes no images of that size.
    """
    own = tuple(backbone.inputs[0].shape[1:3])
    if own == size:
        return backbone
    config = backbone.get_config()
    other = type(backbone).from_config({**config, shape_key(config): (*size, 3)})
    for old, new in zip(backbone.weights, other.weights, strict=True):
        new.assign(old if old.shape == new.shape else _interpolated(np.asarray(old), backbone, own, size))
    return other


def shape_key(config: Mapping[str, Any]) -> str:
    """The key of the shape of images in a model's configuration."""
    return "input_shape" if "input_shape" in config else "image_shape"


def _interpolated(positions: NDArray[Any], backbone: Any, own: tuple[int, ...], size: tuple[int, ...]) -> Any:
    """Positions [(1,) tokens, dim] of special tokens, then of patches by rows, for images of another size."""
    patch = backbone.patch_size
    patch = patch if isinstance(patch, tuple | list) else (patch, patch)
    rows, columns = own[0] // patch[0], own[1] // patch[1]
    width = positions.shape[-1]
    special, patches = np.split(positions.reshape(-1, width), [positions.shape[-2] - rows * columns])
    resized = keras.ops.image.resize(
        patches.reshape(1, rows, columns, width),
        (size[0] // patch[0], size[1] // patch[1]),
        "bicubic",
        antialias=getattr(backbone, "antialias_in_interpolation", False),
    )
    found = np.concatenate([special, np.asarray(resized).reshape(-1, width)])
    return found.reshape(*positions.shape[:-2], *found.shape)


def taken_apart(backbone: Any) -> tuple[Any, Any, Any]:
    """The embeddings, the layers and the last normalization."""
    embeddings, encoder, *after = [one for one in backbone.layers if not isinstance(one, keras.layers.InputLayer)]
    return embeddings, getattr(encoder, _LAYERS[type(backbone).__name__]), after[0] if after else encoder.layer_norm
