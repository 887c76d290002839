"""Vision transformers in Hugging Face's layout as models of KerasHub, with the weights of the folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from search.backbones.images.layout import ImageLayout
from search.backbones.images.vision_transformers import taken_apart
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


def read_vision_transformer(layout: ImageLayout) -> Any:
    """Makes KerasHub's model of an encoder in Hugging Face's layout, with its weights, for images of its own size.

    Args:
        layout: What its files say.

    Raises:
        InputError: There are no weights that can be read.
        KeyError, TypeError, ValueError: They are not those of the architecture.
    """
    tensors, names = encoder_tensors(layout.folder), _NAMES[layout.architecture]
    backbone = _empty(layout, names)
    embeddings, layers, norm = taken_apart(backbone)
    _fill_embeddings(embeddings, tensors)
    for number, layer in enumerate(layers):
        _fill_layer(layer, f"encoder.layer.{number}.", names, tensors)
    _fill(norm, "layernorm", tensors)
    _as_configured(backbone, layout)
    return backbone


def _empty(layout: ImageLayout, names: _Names) -> Any:
    import keras_hub

    config = layout.config
    size, width = int(config["image_size"]), int(config["hidden_size"])
    settings: dict[str, Any] = {
        "image_shape": (size, size, 3),
        "patch_size": int(config["patch_size"]),
        "num_layers": int(config["num_hidden_layers"]),
        "num_heads": int(config["num_attention_heads"]),
        "hidden_dim": width,
        names.inner: int(config.get("intermediate_size", width * config.get("mlp_ratio", 4))),
    }
    if names is _DINOV2:
        settings |= {
            "position_embedding_shape": (size, size),
            "num_register_tokens": int(config.get("num_register_tokens", 0)),
            "use_swiglu_ffn": bool(config.get("use_swiglu_ffn", False)),
            "antialias_in_interpolation": layout.architecture != "dinov2",
        }
    else:
        settings |= {"use_mha_bias": bool(config.get("qkv_bias", True))}
    return getattr(keras_hub.models, names.made)(**settings, dtype="float32")


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


def _fill_layer(layer: Any, at: str, names: _Names, tensors: Tensors) -> None:
    products = _GATED if getattr(layer, "use_swiglu_ffn", False) else names.products
    for ours, theirs in {**products, **names.others}.items():
        _fill(attrgetter(ours)(layer), at + theirs, tensors)
    attention = attrgetter(names.attention)(layer)
    for ours, theirs in _ATTENTION.items():
        _fill(getattr(attention, ours), at + theirs, tensors)


def _as_configured(backbone: Any, layout: ImageLayout) -> None:
    """Sets what KerasHub takes from the papers, not from config.json: the form of GELU and what norms add."""
    epsilon = float(layout.config.get("layer_norm_eps", 1e-6 if layout.architecture.startswith("dinov2") else 1e-12))
    for one in backbone._flatten_layers():
        if isinstance(one, keras.layers.LayerNormalization):
            one.epsilon = epsilon
        if isinstance(one, keras.layers.Dense) and one.activation is keras.activations.gelu:
            one.activation = GELU[layout.approximate_gelu]


def _fill(layer: Any, name: str, tensors: Tensors) -> None:
    for ours, theirs in _WEIGHTS.items():
        if (variable := getattr(layer, ours, None)) is None:
            continue
        values = np.asarray(tensors[f"{name}.{theirs}"], np.float32)
        if ours == "kernel":  # [out, in, h, w] of convolutions, [out, in] of products
            values = values.transpose(2, 3, 1, 0) if values.ndim == 4 else values.T
        variable.assign(values.reshape(variable.shape))
