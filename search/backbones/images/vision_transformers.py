"""Vision transformers as models of KerasHub: weights in Hugging Face's layout, images of another size, layers apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from search.backbones.images.layout import ImageLayout
from search.backbones.transformers.checkpoint_weights import encoder_tensors
from search.backbones.transformers.port import GELU

Tensors = Mapping[str, NDArray[np.floating[Any]]]


@dataclass(frozen=True)
class _Names:
    """An architecture, as KerasHub and the files call its parts.

    Attributes:
        made: KerasHub's class.
        inner: What it calls the width between the two products.
        attention: Its attention in a layer.
        products: Of a layer, each to what the files call it.
        others: Normalizations and scales of a layer, each to what the files call it.
    """

    made: str
    inner: str
    attention: str
    products: Mapping[str, str]
    others: Mapping[str, str]


_NORMS = {"layer_norm_1": "layernorm_before", "layer_norm_2": "layernorm_after"}
_DINOV2 = _Names(
    "DINOV2Backbone",
    "intermediate_dim",
    "attention.attention",
    {"mlp.fc1": "mlp.fc1", "mlp.fc2": "mlp.fc2"},
    {one: one for one in ("norm1", "norm2", "layer_scale1", "layer_scale2")},
)
_NAMES = {
    "vit": _Names(
        "ViTBackbone", "mlp_dim", "mha", {"mlp.dense_1": "intermediate.dense", "mlp.dense_2": "output.dense"}, _NORMS
    ),
    "deit": _Names(
        "DeiTBackbone",
        "intermediate_dim",
        "mha",
        {"mlp.dense": "intermediate.dense", "output_layer.dense": "output.dense"},
        _NORMS,
    ),
    "dinov2": _DINOV2,
    "dinov2_with_registers": _DINOV2,
}
_GATED = {"mlp.weights_in": "mlp.weights_in", "mlp.weights_out": "mlp.weights_out"}
_ATTENTION = {
    "query_dense": "attention.attention.query",
    "key_dense": "attention.attention.key",
    "value_dense": "attention.attention.value",
    "output_dense": "attention.output.dense",
}
_WEIGHTS = {"kernel": "weight", "gamma": "weight", "bias": "bias", "beta": "bias", "lambda1": "lambda1"}
_SPECIAL = {"class_token": "cls_token", "distillation_token": "distillation_token", "cls_token": "cls_token"}
_SPECIAL |= {"register_tokens": "register_tokens"}
# The attribute of an encoder that holds its layers.
_LAYERS = {"ViTBackbone": "encoder_layers", "DeiTBackbone": "encoder_layers", "DINOV2Backbone": "layers"}


def read_vision_transformer(layout: ImageLayout) -> Any:
    """Makes KerasHub's model of an encoder in Hugging Face's layout, with its weights, for images of its own size.

    Args:
        layout: What its files say.

    Raises:
        InputError: There are no weights that can be read.
        KeyError, TypeError, ValueError: They are not those of the architecture.
    """
    import keras_hub

    tensors, config, names = encoder_tensors(layout.folder), layout.config, _NAMES[layout.architecture]
    size, width = int(config["image_size"]), int(config["hidden_size"])
    settings: dict[str, Any] = {
        "image_shape": (size, size, 3),
        "patch_size": int(config["patch_size"]),
        "num_layers": int(config["num_hidden_layers"]),
        "num_heads": int(config["num_attention_heads"]),
        "hidden_dim": width,
        names.inner: int(config.get("intermediate_size", width * config.get("mlp_ratio", 4))),
    }
    products = names.products
    if names is _DINOV2:
        settings |= {
            "position_embedding_shape": (size, size),
            "num_register_tokens": int(config.get("num_register_tokens", 0)),
            "use_swiglu_ffn": bool(config.get("use_swiglu_ffn", False)),
            "antialias_in_interpolation": layout.architecture != "dinov2",
        }
        products = _GATED if settings["use_swiglu_ffn"] else products
    else:
        settings |= {"use_mha_bias": bool(config.get("qkv_bias", True))}
    backbone = getattr(keras_hub.models, names.made)(**settings, dtype="float32")
    embeddings, layers, norm = _taken_apart(backbone)
    _fill_embeddings(embeddings, tensors)
    for number, layer in enumerate(layers):
        at = f"encoder.layer.{number}."
        attention = attrgetter(names.attention)(layer)
        parts = {**products, **names.others}
        for one, theirs in ((attrgetter(ours)(layer), theirs) for ours, theirs in parts.items()):
            _fill(one, at + theirs, tensors)
        for ours, theirs in _ATTENTION.items():
            _fill(getattr(attention, ours), at + theirs, tensors)
        if products is not _GATED:
            attrgetter(next(iter(products)))(layer).activation = GELU[layout.approximate_gelu]
    _fill(norm, "layernorm", tensors)
    epsilon = float(config.get("layer_norm_eps", 1e-12))
    for one in backbone._flatten_layers():
        if isinstance(one, keras.layers.LayerNormalization):
            one.epsilon = epsilon  # KerasHub takes it from the papers
    return backbone


def unrolled(backbone: Any) -> Any:
    """The same model with the layers of its encoder one by one, where it is a vision transformer; else itself."""
    if type(backbone).__name__ not in _LAYERS:
        return backbone
    embeddings, layers, norm = _taken_apart(backbone)
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
    """What a model's configuration calls the shape of its images."""
    return "input_shape" if "input_shape" in config else "image_shape"


def _interpolated(positions: NDArray[Any], backbone: Any, own: tuple[int, ...], size: tuple[int, ...]) -> Any:
    """Positions of special tokens and of patches row by row, [(1,) tokens, dim], for other rows and columns of these."""
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


def _taken_apart(backbone: Any) -> tuple[Any, Any, Any]:
    """The embeddings, the layers and the last normalization."""
    embeddings, encoder, *after = [one for one in backbone.layers if not isinstance(one, keras.layers.InputLayer)]
    return embeddings, getattr(encoder, _LAYERS[type(backbone).__name__]), after[0] if after else encoder.layer_norm


def _fill_embeddings(embeddings: Any, tensors: Tensors) -> None:
    for ours, theirs in _SPECIAL.items():
        if (variable := getattr(embeddings, ours, None)) is not None:
            variable.assign(tensors[f"embeddings.{theirs}"])
    positions = tensors["embeddings.position_embeddings"]
    if (table := getattr(embeddings, "interpolated_position_embeddings", None)) is None:
        table = embeddings.position_embedding
    table = getattr(table, "embeddings", table)
    table.assign(positions.reshape(table.shape))
    patches = getattr(embeddings, "patch_embedding", None) or embeddings.patch_embeddings.projection
    _fill(patches, "embeddings.patch_embeddings.projection", tensors)


def _fill(layer: Any, name: str, tensors: Tensors) -> None:
    for ours, theirs in _WEIGHTS.items():
        if (variable := getattr(layer, ours, None)) is None:
            continue
        values = np.asarray(tensors[f"{name}.{theirs}"], np.float32)
        if ours == "kernel":  # [out, in, h, w] of convolutions, [out, in] of products
            values = values.transpose(2, 3, 1, 0) if values.ndim == 4 else values.T
        variable.assign(values.reshape(variable.shape))
