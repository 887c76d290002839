"""An encoder as KerasHub has it, cut into stages: embeddings, one layer after the other, and one vector of them all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from search.backbones.transformers.attention import through_layer
from search.backbones.transformers.checkpoint_weights import read_tensors, weight_files
from search.backbones.transformers.distances import read_distances
from search.backbones.transformers.layout import Layout, read_json
from search.errors import InputError

_LOWEST = -1e9
_ACTIVATIONS: Mapping[str, Callable[[tf.Tensor], tf.Tensor]] = {
    "Tanh": tf.tanh,
    "Identity": tf.identity,
    "ReLU": tf.nn.relu,
}


@dataclass(frozen=True)
class Stage:
    """A part of an encoder that is trained as a whole or not at all.

    Attributes:
        name: Name of the stage.
        variables: Path and variable of each of its weights.
    """

    name: str
    variables: Sequence[tuple[str, tf.Variable]]


class Stages:
    """The stages of an encoder, each a function of what the one before it gives.

    Every function takes the lengths of the texts in tokens, int32 [batch]; what is behind a text's last token has no
    influence on its vector.

    Args:
        layout: How the folder says that the encoder is used.
        backbone: KerasHub's model, with its weights.
    """

    def __init__(self, layout: Layout, backbone: Any) -> None:
        self._layout = layout
        layers = backbone.transformer_layers
        if layers and isinstance(layers[0], list):
            # ALBERT goes through the same few layers again and again: there is no last one that could learn alone.
            repeated = backbone.num_layers // backbone.num_groups
            self._layers = [[layer for group in layers for _ in range(repeated) for layer in group]]
            names = ["transformer_layers"]
        else:
            self._layers = [[layer] for layer in layers]
            names = [layer.name for layer in layers]
        first = self._layers[0][0]
        self._begin = keras.Model(backbone.input, first._inbound_nodes[0].input_tensors[0])
        self._dense = [_read_dense(folder, layout) for folder in layout.dense]
        self._distances = read_distances(layout)
        self.embeddings = Stage("embeddings", _variables_of([self._begin]))
        self.layers = [Stage(name, _variables_of(some)) for name, some in zip(names, self._layers, strict=True)]
        self.dense = [Stage(f"dense_{place}", one.variables) for place, one in enumerate(self._dense)]

    @property
    def dimension(self) -> int:
        """Width of a text's vector."""
        return int(self._dense[-1].kernel.shape[1] if self._dense else self.width)

    @property
    def width(self) -> int:
        """Width of a token's vector."""
        return int(self._begin.output.shape[-1])

    @property
    def state(self) -> list[tf.Variable]:
        """Variables that are no weights: the states of dropout's random numbers."""
        layers = [self._begin, *(layer for some in self._layers for layer in some)]
        found = {id(one): one.value for layer in layers for one in layer.variables if not one.trainable}
        return list(found.values())

    def begin(self, ids: tf.Tensor, lengths: tf.Tensor, training: bool) -> tf.Tensor:
        """Embeds tokens, int32 [batch, tokens], as float32 [batch, tokens, width]."""
        inputs = {"token_ids": ids, "padding_mask": _mask(ids, lengths), "segment_ids": tf.zeros_like(ids)}
        return self._begin({name: inputs[name] for name in self._begin.input}, training=training)

    def layer(self, number: int, hidden: tf.Tensor, lengths: tf.Tensor, training: bool) -> tf.Tensor:
        """Takes the vectors of tokens, float32 [batch, tokens, width], through a layer, counted from 0."""
        mask = _mask(hidden, lengths)
        bias = None if self._distances is None else self._distances(tf.shape(hidden)[1])
        for layer in self._layers[number]:
            hidden = through_layer(layer, hidden, mask, training, bias)
        return hidden

    def finish(self, hidden: tf.Tensor, lengths: tf.Tensor) -> tf.Tensor:
        """Makes one vector of those of a text's tokens, float32 [batch, dimension]."""
        vectors = _pooled(hidden, _mask(hidden, lengths), self._layout.pooling)
        for layer in self._dense:
            vectors = tf.matmul(vectors, layer.kernel)
            vectors = layer.activation(vectors if layer.bias is None else vectors + layer.bias)
        return tf.math.l2_normalize(vectors, axis=1, epsilon=1e-24) if self._layout.normalized else vectors


@dataclass(frozen=True)
class _Dense:
    kernel: tf.Variable
    bias: tf.Variable | None
    activation: Callable[[tf.Tensor], tf.Tensor]

    @property
    def variables(self) -> list[tuple[str, tf.Variable]]:
        found = [("kernel", self.kernel)]
        return found if self.bias is None else [*found, ("bias", self.bias)]


def _mask(tokens: tf.Tensor, lengths: tf.Tensor) -> tf.Tensor:
    return tf.sequence_mask(lengths, tf.shape(tokens)[1], tf.int32)


def _variables_of(layers: Sequence[Any]) -> list[tuple[str, tf.Variable]]:
    found = {id(one): (one.path, one.value) for layer in layers for one in layer.trainable_variables}
    return list(found.values())


def _pooled(vectors: tf.Tensor, mask: tf.Tensor, pooling: str) -> tf.Tensor:
    if pooling == "cls":
        return vectors[:, 0]
    there = tf.cast(mask, tf.float32)[:, :, tf.newaxis]
    if pooling == "max":
        return tf.reduce_max(vectors * there + _LOWEST * (1 - there), axis=1)
    return tf.reduce_sum(vectors * there, axis=1) / tf.maximum(tf.reduce_sum(there, axis=1), 1e-9)


def _read_dense(folder: Path, layout: Layout) -> _Dense:
    config = read_json(folder / "config.json")
    tensors: dict[str, NDArray[np.floating[Any]]] = {}
    for path in weight_files(folder):
        tensors |= read_tensors(path)
    name = str(config.get("activation_function", "Tanh")).split(".")[-1]
    if name not in _ACTIVATIONS or "linear.weight" not in tensors:
        raise InputError(
            f"module {layout.name}: the linear layer in {folder} cannot be read: expected linear.weight and the "
            f"activation {', '.join(_ACTIVATIONS)}, found {name!r:.40}."
        )
    kernel, bias = tensors["linear.weight"], tensors.get("linear.bias")
    return _Dense(
        tf.Variable(np.ascontiguousarray(kernel.T, np.float32), name="kernel"),
        None if bias is None else tf.Variable(np.asarray(bias, np.float32), name="bias"),
        _ACTIVATIONS[name],
    )
