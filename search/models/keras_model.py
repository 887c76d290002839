"""The Keras model of a configuration: a head above the backbone's output, with words beside it or not, compiled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import keras

from search.backbones.base import EMBEDDING, Backbone
from search.evaluation.metric_list import Target
from search.models.beside.column_vectors import ColumnVectors
from search.models.wide.linear_words import LinearWords
from search.optimizers.optimizer_settings import OptimizerSettings, make_optimizer

_OUTPUT, _LOGITS, _SUM, _BESIDE = "probabilities", "logits", "logits_with_words", "text_and_columns"


def compiled_model(
    values: Mapping[str, Any],
    target: Target,
    accumulate: int,
    backbone: Backbone,
    inputs: keras.KerasTensor | list[keras.KerasTensor],
    hidden: keras.KerasTensor | None,
    wide: keras.KerasTensor | None = None,
) -> keras.Model:
    """Puts the head above the output of a backbone and words beside it, and compiles the model.

    Args:
        values: The hyperparameters.
        target: What is predicted: one class of several by a softmax, or several labels by sigmoids.
        accumulate: Batches whose gradients are averaged before the weights move.
        backbone: The backbone.
        inputs: The inputs of the model.
        hidden: The backbone's output for them, float32 [batch, dim]; None: there are words alone.
        wide: Logits of the words, float32 [batch, classes]; None: there are none.

    Returns:
        A model from `inputs` to probabilities, float32 [batch, classes].
    """
    output = "sigmoid" if target.several else "softmax"
    loss = "binary_crossentropy" if target.several else "sparse_categorical_crossentropy"
    if hidden is None:
        outputs = _above_words(wide, output)
    else:
        for i in range(1, values["layers"] + 1):
            hidden = keras.layers.Dense(values[f"units_{i}"], values["activation"], name=f"hidden_{i}")(hidden)
            if values["dropout"]:
                hidden = keras.layers.Dropout(values["dropout"], name=f"dropout_{i}")(hidden)
        # Two classes have two outputs like any other number: one code, the same model.
        if wide is None:
            outputs = keras.layers.Dense(target.classes, output, dtype="float32", name=_OUTPUT)(hidden)
        else:
            logits = keras.layers.Dense(target.classes, dtype="float32", name=_LOGITS)(hidden)
            outputs = _above_words(keras.layers.Add(dtype="float32", name=_SUM)([logits, wide]), output)
    model = keras.Model(inputs, outputs, name="text_classifier")
    settings = replace(OptimizerSettings.of(values), module_rate=backbone.rate(values))
    optimizer = make_optimizer(settings, model.trainable_variables, backbone.groups(model, values), accumulate)
    # String operations cannot be compiled by XLA, which Keras would choose by itself where there is a GPU.
    model.compile(optimizer, loss, jit_compile=False)
    return model


def beside(hidden: keras.KerasTensor | None, columns: keras.KerasTensor) -> keras.KerasTensor:
    """Puts the vectors of columns, float32 [batch, width], beside a backbone's output."""
    assert hidden is not None
    return keras.layers.Concatenate(dtype="float32", name=_BESIDE)([hidden, columns])


def above_embedding(model: keras.Model) -> keras.Model:
    """The part of a model above its module, with the same weights.

    Returns:
        A model of features [batch, dim], the columns beside the texts, and the logits of the words [batch, classes],
        where there are such, that gives probabilities [batch, classes].
    """
    embedding = model.get_layer(EMBEDDING)
    features = outputs = keras.Input((embedding.dimension,))
    words, columns = linear_words(model), [keras.Input((), dtype=one.dtype, name=one.name) for one in model.inputs[1:]]
    offset = None if words is None else keras.Input(words.bias.shape)
    below = (keras.layers.InputLayer, LinearWords, ColumnVectors, type(embedding))
    for layer in (one for one in model.layers if not isinstance(one, below)):
        if layer.name == _BESIDE:
            vectors = next(one for one in model.layers if isinstance(one, ColumnVectors))
            outputs = layer([outputs, vectors(columns)])
        else:
            outputs = layer([outputs, offset] if layer.name == _SUM else outputs)
    inputs = [features, *columns, *([] if offset is None else [offset])]
    return keras.Model(inputs if len(inputs) > 1 else features, outputs)


def with_offset(model: keras.Model) -> keras.Model:
    """A compiled model of texts with words beside its head as one that is given the logits of the words.

    Returns:
        A model of its inputs and logits [batch, classes], with all other weights and the optimizer.
    """
    words = linear_words(model)
    assert words is not None
    offset = keras.Input(words.bias.shape)
    sums = offset
    if any(layer.name == _SUM for layer in model.layers):
        sums = model.get_layer(_SUM)([model.get_layer(_LOGITS).output, offset])
    given = keras.Model([*model.inputs, offset], model.layers[-1](sums), name=model.name)
    given.compile(model.optimizer, model.loss, jit_compile=False, run_eagerly=model.run_eagerly)
    return given


def after_decoding(model: keras.Model) -> Any:
    """The function of decoded rows to what the head of a model is given, in place of its module; None: there is none.

    See `TextEmbedding.after_decoding`.
    """
    layers = [layer for layer in model.layers if layer.name == EMBEDDING]
    return getattr(layers[0], "after_decoding", None) if layers else None


def below_output(model: keras.Model) -> keras.Model:
    """The part of a model below its output layer: texts to what that layer sees of them."""
    names = [layer.name for layer in model.layers]
    return keras.Model(model.inputs, model.get_layer(_LOGITS if _LOGITS in names else _OUTPUT).input)


def output_layer(model: keras.Model) -> keras.layers.Dense:
    """The layer that gives the probabilities, of a model without words beside its head."""
    return model.get_layer(_OUTPUT)


def linear_words(model: keras.Model) -> LinearWords | None:
    """The layer that gives the logits of words; None where there is none."""
    return next((layer for layer in model.layers if isinstance(layer, LinearWords)), None)


def _above_words(logits: keras.KerasTensor, output: str) -> keras.KerasTensor:
    if output == "sigmoid":
        return keras.layers.Activation("sigmoid", dtype="float32", name=_OUTPUT)(logits)
    return keras.layers.Softmax(dtype="float32", name=_OUTPUT)(logits)
