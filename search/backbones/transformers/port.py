"""Encoders as models of KerasHub: the architecture that config.json tells, with the weights of the folder."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from search.backbones.transformers.checkpoint_weights import encoder_tensors
from search.backbones.transformers.layout import Layout
from search.backbones.transformers.preset import preset_weights
from search.errors import InputError

Tensors = Mapping[str, NDArray[np.floating[Any]]]


@dataclass(frozen=True)
class _Names:
    """A layer's weights, as the files of an architecture call them.

    Attributes:
        at: What stands before, with the layer's number.
        attention: Queries, keys, values and output.
        feedforward: The inner and the outer product.
        norms: Behind attention, and behind the products.
    """

    at: str
    attention: tuple[str, ...]
    feedforward: tuple[str, str]
    norms: tuple[str, str]


_BERT = _Names(
    "encoder.layer.{}.",
    ("attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense"),
    ("intermediate.dense", "output.dense"),
    ("attention.output.LayerNorm", "output.LayerNorm"),
)
_DISTILBERT = _Names(
    "transformer.layer.{}.",
    ("attention.q_lin", "attention.k_lin", "attention.v_lin", "attention.out_lin"),
    ("ffn.lin1", "ffn.lin2"),
    ("sa_layer_norm", "output_layer_norm"),
)
_ALBERT = _Names(
    "encoder.albert_layer_groups.{}.albert_layers.{}.",
    ("attention.query", "attention.key", "attention.value", "attention.dense"),
    ("ffn", "ffn_output"),
    ("attention.LayerNorm", "full_layer_layer_norm"),
)
_MPNET = _Names(
    "encoder.layer.{}.",
    ("attention.attn.q", "attention.attn.k", "attention.attn.v", "attention.attn.o"),
    ("intermediate.dense", "output.dense"),
    ("attention.LayerNorm", "output.LayerNorm"),
)
_NAMES = {"albert": _ALBERT, "distilbert": _DISTILBERT, "mpnet": _MPNET}
# MPNet is RoBERTa but for what its layers add for the distance of two tokens.
_CLASSES = {
    "albert": "AlbertBackbone",
    "bert": "BertBackbone",
    "distilbert": "DistilBertBackbone",
    "electra": "ElectraBackbone",
    "mpnet": "RobertaBackbone",
    "roberta": "RobertaBackbone",
    "xlm-roberta": "XLMRobertaBackbone",
}
# Under other names in the class or in config.json.
_SETTINGS = {
    "vocabulary_size": ("vocab_size",),
    "vocab_size": ("vocab_size",),
    "num_layers": ("num_hidden_layers", "n_layers"),
    "num_heads": ("num_attention_heads", "n_heads"),
    "hidden_dim": ("hidden_size", "dim"),
    "intermediate_dim": ("intermediate_size", "hidden_dim"),
    "embedding_dim": ("embedding_size",),
    "num_groups": ("num_hidden_groups",),
    "num_inner_repetitions": ("inner_group_num",),
    "num_segments": ("type_vocab_size",),
}
_SQRT_HALF = 0.5**0.5
_PROJECTIONS = ("embeddings_project", "encoder.embedding_hidden_mapping_in")


def read_backbone(layout: Layout) -> Any:
    """Makes KerasHub's model of an encoder, with its weights.

    Args:
        layout: What its files say.

    Raises:
        InputError: The weights are not those of the architecture.
    """
    tensors = {} if layout.of_keras else encoder_tensors(layout.folder)
    try:
        backbone = _empty(layout)
        if layout.of_keras:
            backbone.load_weights(preset_weights(layout.folder)[0])
            return backbone
        _fill(backbone, tensors, layout)
    except (KeyError, TypeError, ValueError, IndexError, OSError) as error:
        reason = (str(error).strip("'\" ").splitlines() or [type(error).__name__])[0]
        raise InputError(f"module {layout.name}: its weights cannot be read ({reason:.200}).") from error
    _as_configured(backbone, layout)
    return backbone


def _empty(layout: Layout) -> Any:
    import keras_hub

    made = getattr(keras_hub.models, _CLASSES[layout.architecture])
    config = layout.config
    settings = {
        ours: next(config[one] for one in theirs if one in config)
        for ours, theirs in _SETTINGS.items()
        if ours in inspect.signature(made.__init__).parameters and any(one in config for one in theirs)
    }
    dropout = float(config.get("hidden_dropout_prob", config.get("dropout", 0.1)))
    positions = int(config["max_position_embeddings"]) - layout.first_position
    return made(**settings, dropout=dropout, max_sequence_length=positions, dtype="float32")


def _fill(backbone: Any, tensors: Tensors, layout: Layout) -> None:
    positions = tensors["embeddings.position_embeddings.weight"][layout.first_position :]
    types = tensors.get("embeddings.token_type_embeddings.weight")
    if hasattr(backbone, "segment_embedding"):
        backbone.segment_embedding.embeddings.assign(types)
    elif types is not None:
        positions = positions + types[0]
    inside = getattr(backbone, "embeddings", backbone)
    backbone.token_embedding.embeddings.assign(tensors["embeddings.word_embeddings.weight"])
    inside.position_embedding.position_embeddings.assign(positions)
    _fill_norm(backbone.embeddings_layer_norm, "embeddings.LayerNorm", tensors)
    if (projection := getattr(backbone, "embeddings_projection", None)) is not None:
        name = next(one for one in _PROJECTIONS if f"{one}.weight" in tensors)
        _fill_dense(projection, name, tensors)
    names = _NAMES.get(layout.architecture, _BERT)
    for place, layer in enumerate(backbone.transformer_layers):
        for inner, one in enumerate(layer if isinstance(layer, list) else [layer]):
            _fill_layer(one, names.at.format(place, inner), names, tensors)


def _fill_layer(layer: Any, at: str, names: _Names, tensors: Tensors) -> None:
    attention = layer._self_attention_layer
    parts = attention.query_dense, attention.key_dense, attention.value_dense, attention.output_dense
    for dense, name in zip(parts, names.attention, strict=True):
        _fill_dense(dense, at + name, tensors)
    products = layer._feedforward_intermediate_dense, layer._feedforward_output_dense
    for dense, name in zip(products, names.feedforward, strict=True):
        _fill_dense(dense, at + name, tensors)
    norms = layer._self_attention_layer_norm, layer._feedforward_layer_norm
    for norm, name in zip(norms, names.norms, strict=True):
        _fill_norm(norm, at + name, tensors)


def _fill_dense(dense: Any, name: str, tensors: Tensors) -> None:
    kernel, bias = tensors[f"{name}.weight"], tensors[f"{name}.bias"]
    dense.kernel.assign(np.ascontiguousarray(kernel.T, np.float32).reshape(dense.kernel.shape))
    dense.bias.assign(np.reshape(bias, dense.bias.shape))


def _fill_norm(norm: Any, name: str, tensors: Tensors) -> None:
    norm.gamma.assign(tensors[f"{name}.weight"])
    norm.beta.assign(tensors[f"{name}.bias"])


def _as_configured(backbone: Any, layout: Layout) -> None:
    """Sets what KerasHub takes from the papers, not from config.json: the form of GELU and what norms add."""
    approximate, epsilon = layout.approximate_gelu, layout.epsilon
    backbone.embeddings_layer_norm.epsilon = epsilon
    for layer in tf.nest.flatten(backbone.transformer_layers):
        layer._self_attention_layer_norm.epsilon = layer._feedforward_layer_norm.epsilon = epsilon
        layer._feedforward_intermediate_dense.activation = GELU[approximate]


def _gelu(x: tf.Tensor) -> tf.Tensor:
    """Computes GELU by the error function: TensorFlow's own, by its complement, is slower, and unknown to ONNX."""
    return 0.5 * x * (1.0 + tf.math.erf(x * _SQRT_HALF))


GELU = {False: _gelu, True: partial(keras.activations.gelu, approximate=True)}
"""GELU itself, and by its approximation with tanh."""
