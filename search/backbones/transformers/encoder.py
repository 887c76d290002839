"""An encoder of the BERT family as a SavedModel in TF Hub's text API."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from search.backbones.transformers.groups import Encoder, Group
from search.backbones.transformers.layout import Layout, read_json
from search.backbones.transformers.slices import in_slices
from search.backbones.transformers.tokenizer_files import TokenizerFiles, read_tokenizer
from search.backbones.transformers.tokens import Tokens
from search.backbones.transformers.weights import read_tensors, weight_files, write_for_keras_hub
from search.errors import InputError

_CLASSES = {
    "albert": "AlbertBackbone",
    "bert": "BertBackbone",
    "distilbert": "DistilBertBackbone",
    "roberta": "RobertaBackbone",
    "xlm-roberta": "XLMRobertaBackbone",
}
_LOWEST = -1e9
_DENSE_ACTIVATIONS: Mapping[str, Callable[[tf.Tensor], tf.Tensor]] = {
    "Tanh": tf.tanh,
    "Identity": tf.identity,
    "ReLU": tf.nn.relu,
}


@dataclass(frozen=True)
class _Dense:
    kernel: tf.Variable
    bias: tf.Variable | None
    activation: Callable[[tf.Tensor], tf.Tensor]


class TransformerEncoder(tf.train.Checkpoint):
    """The vectors of a text's tokens in their context, made one.

    Args:
        layout: How the folder says that the encoder is used.
        files: Its tokenizer.
        backbone: KerasHub's model, with its weights.
    """

    def __init__(self, layout: Layout, files: TokenizerFiles, backbone: Any) -> None:
        super().__init__()
        dense = [_read_dense(folder, layout) for folder in layout.dense]
        layers = [(f"dense_{place}", _variables_of(one)) for place, one in enumerate(dense)][::-1]
        layers += _layers(backbone)
        self.trainable_variables = [variable for _, variables in layers for _, variable in variables]
        # What counts the random numbers of dropout, and other state.
        trained = {id(variable) for variable in self.trainable_variables}
        state = [variable.value for variable in backbone.variables if not variable.trainable]
        self.variables = [*self.trainable_variables, *(one for one in state if id(one) not in trained)]
        self._described = _described(layout, files, layers)
        tokens = Tokens(files, layout.max_tokens)
        network = _without_pooler(backbone)

        def embed(texts: tf.Tensor, training: bool) -> tf.Tensor:
            return _embedded(layout, tokens, network, dense, texts, training)

        self._embed = embed

    @property
    def described(self) -> Encoder:
        """The facts about the encoder that `search_layers.json` keeps."""
        return self._described()

    @tf.function
    def __call__(self, texts: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Embeds texts.

        Args:
            texts: Strings [batch].
            training: Whether dropout is on.

        Returns:
            Embeddings, float32 [batch, dim].
        """
        return self._embed(texts, training)


def read_encoder(layout: Layout) -> TransformerEncoder:
    """Reads an encoder from its folder.

    Args:
        layout: What its files say.

    Raises:
        InputError: A package is not installed, or a file is not what it should be.
    """
    try:
        import keras_hub
        import tensorflow_text  # noqa: F401
    except (ImportError, tf.errors.OpError) as error:
        raise InputError(
            f"module {layout.name} needs the packages keras-hub and tensorflow-text: pip install 'search[transformers]'"
        ) from error
    files = read_tokenizer(layout)
    settings: dict[str, Any] = {"dtype": "float32", "dropout": _dropout(layout.config)}
    if layout.architecture == "bert":
        settings["num_segments"] = int(layout.config.get("type_vocab_size", 2))
    with tempfile.TemporaryDirectory() as scratch:
        write_for_keras_hub(layout, Path(scratch))
        try:
            backbone = getattr(keras_hub.models, _CLASSES[layout.architecture]).from_preset(scratch, **settings)
        except Exception as error:  # of which type depends on what is missing in the file
            reason = str(error).strip("'\" ").splitlines()[:1] or [type(error).__name__]
            raise InputError(f"module {layout.name}: its weights cannot be read ({reason[0]}).") from error
    _as_configured(backbone, layout)
    return TransformerEncoder(layout, files, backbone)


def _dropout(config: Mapping[str, Any]) -> float:
    return float(config.get("hidden_dropout_prob", config.get("dropout", 0.1)))


def _as_configured(backbone: Any, layout: Layout) -> None:
    """Sets what KerasHub takes from the papers, not from config.json: the form of GELU and what norms add."""
    approximate, epsilon = layout.approximate_gelu, layout.epsilon
    backbone.embeddings_layer_norm.epsilon = epsilon
    for layer in tf.nest.flatten(backbone.transformer_layers):
        layer._self_attention_layer_norm.epsilon = layer._feedforward_layer_norm.epsilon = epsilon
        layer._feedforward_intermediate_dense.activation = lambda x: keras.activations.gelu(x, approximate=approximate)


def _layers(backbone: Any) -> list[tuple[str, list[tuple[str, tf.Variable]]]]:
    """The layers from the output down, with what can be trained of each; the embeddings are the last."""
    inner = tf.nest.flatten(backbone.transformer_layers)[::-1]
    taken = {id(one) for layer in inner for one in layer.trainable_variables}
    pooler = getattr(backbone, "pooled_dense", None)
    if pooler is not None:  # no output here depends on it
        taken |= {id(one) for one in pooler.trainable_variables}
    embeddings = [one for one in backbone.trainable_variables if id(one) not in taken]
    return [
        *((layer.name, [(one.path, one.value) for one in layer.trainable_variables]) for layer in inner),
        ("embeddings", [(one.path, one.value) for one in embeddings]),
    ]


def _without_pooler(backbone: Any) -> Any:
    output = backbone.output
    return keras.Model(backbone.input, output["sequence_output"] if isinstance(output, dict) else output)


def _described(
    layout: Layout, files: TokenizerFiles, layers: list[tuple[str, list[tuple[str, tf.Variable]]]]
) -> Callable[[], Encoder]:
    groups, place = [], 0
    for name, variables in layers:
        places = tuple(range(place, place + len(variables)))
        groups.append(Group(name, places, tuple(path for path, _ in variables)))
        place += len(variables)
    described = Encoder(
        layout.architecture,
        files.kind,
        len(files.vocabulary),
        layout.max_tokens,
        layout.pooling,
        layout.normalized,
        layout.prompt,
        tuple(groups),
    )
    return lambda: described  # as it is, an attribute would be saved


def _embedded(
    layout: Layout, tokens: Tokens, network: Any, dense: list[_Dense], texts: tf.Tensor, training: bool
) -> tf.Tensor:
    if layout.lowercase:
        texts = tf.strings.lower(texts, "utf-8")
    if layout.prompt:
        texts = tf.strings.join([layout.prompt, texts])

    def embed(ids: tf.RaggedTensor) -> tf.Tensor:
        padded, mask = tokens.padded(ids)
        inputs = {"token_ids": padded, "padding_mask": mask}
        if "segment_ids" in network.input:
            inputs["segment_ids"] = tf.zeros_like(padded)
        vectors = _pooled(network(inputs, training=training), mask, layout.pooling)
        for layer in dense:
            vectors = tf.matmul(vectors, layer.kernel)
            vectors = layer.activation(vectors if layer.bias is None else vectors + layer.bias)
        return tf.math.l2_normalize(vectors, axis=1, epsilon=1e-24) if layout.normalized else vectors

    ids = tokens.ids(texts)
    # Gradients go through one slice alone: a loop costs them twice the time.
    return embed(ids) if training else in_slices(ids, _dimension(network, dense), embed)


def _dimension(network: Any, dense: list[_Dense]) -> int:
    return int(dense[-1].kernel.shape[1] if dense else network.output.shape[-1])


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
    if name not in _DENSE_ACTIVATIONS or "linear.weight" not in tensors:
        raise InputError(
            f"module {layout.name}: the linear layer in {folder} cannot be read: expected linear.weight and the "
            f"activation {', '.join(_DENSE_ACTIVATIONS)}, found {name!r:.40}."
        )
    kernel, bias = tensors["linear.weight"], tensors.get("linear.bias")
    return _Dense(
        tf.Variable(np.ascontiguousarray(kernel.T, np.float32), name="kernel"),
        None if bias is None else tf.Variable(np.asarray(bias, np.float32), name="bias"),
        _DENSE_ACTIVATIONS[name],
    )


def _variables_of(dense: _Dense) -> list[tuple[str, tf.Variable]]:
    found = [("kernel", dense.kernel)]
    return found if dense.bias is None else [*found, ("bias", dense.bias)]
