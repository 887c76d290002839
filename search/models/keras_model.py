"""The Keras model of a configuration: a head above the backbone's output, with words beside it or not, compiled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import keras

from search.backbones.base import Backbone
from search.models.wide.linear_words import LinearWords
from search.optimizers.optimizer_settings import OptimizerSettings, make_optimizer

_OUTPUT, _LOGITS, _SUM = "probabilities", "logits", "logits_with_words"


def compiled_model(
    values: Mapping[str, Any],
    classes: int,
    accumulate: int,
    backbone: Backbone,
    inputs: keras.KerasTensor | list[keras.KerasTensor],
    hidden: keras.KerasTensor | None,
    wide: keras.KerasTensor | None = None,
) -> keras.Model:
    """Puts the head above the output of a backbone and words beside it, and compiles the model.

    Args:
        values: The hyperparameters.
        classes: Number of classes.
        accumulate: Batches whose gradients are averaged before the weights move.
        backbone: The backbone.
        inputs: The inputs of the model.
        hidden: The backbone's output for them, float32 [batch, dim]; None: there are words alone.
        wide: Logits of the words, float32 [batch, classes]; None: there are none.

    Returns:
        A model from `inputs` to probabilities, float32 [batch, classes].
    """
    if hidden is None:
        outputs = _above_words(wide)
    else:
        for i in range(1, values["layers"] + 1):
            hidden = keras.layers.Dense(values[f"units_{i}"], values["activation"], name=f"hidden_{i}")(hidden)
            if values["dropout"]:
                hidden = keras.layers.Dropout(values["dropout"], name=f"dropout_{i}")(hidden)
        # Two classes have two outputs like any other number: one code, the same model.
        if wide is None:
            outputs = keras.layers.Dense(classes, "softmax", dtype="float32", name=_OUTPUT)(hidden)
        else:
            logits = keras.layers.Dense(classes, dtype="float32", name=_LOGITS)(hidden)
            outputs = _above_words(keras.layers.Add(dtype="float32", name=_SUM)([logits, wide]))
    model = keras.Model(inputs, outputs, name="text_classifier")
    settings = replace(OptimizerSettings.of(values), module_rate=backbone.rate(values))
    optimizer = make_optimizer(settings, model.trainable_variables, backbone.groups(model, values), accumulate)
    # String operations cannot be compiled by XLA, which Keras would choose by itself where there is a GPU.
    model.compile(optimizer, "sparse_categorical_crossentropy", jit_compile=False)
    return model


def above_embedding(model: keras.Model) -> keras.Model:
    """The part of a model above its module, with the same weights.

    Returns:
        A model of features [batch, dim], and the logits of the words [batch, classes] where there are such, that gives
        probabilities [batch, classes].
    """
    _, embedding, *head = model.layers
    features = outputs = keras.Input((embedding.dimension,))
    words = linear_words(model)
    offset = None if words is None else keras.Input(words.bias.shape)
    for layer in head:
        if layer is not words:
            outputs = layer([outputs, offset] if layer.name == _SUM else outputs)
    return keras.Model(features if offset is None else [features, offset], outputs)


def with_offset(model: keras.Model) -> keras.Model:
    """A compiled model of texts with words beside its head as one that is given the logits of the words.

    Returns:
        A model of texts [batch] and logits [batch, classes], with all other weights and the optimizer.
    """
    words = linear_words(model)
    assert words is not None
    offset = keras.Input(words.bias.shape)
    sums = offset
    if any(layer.name == _SUM for layer in model.layers):
        sums = model.get_layer(_SUM)([model.get_layer(_LOGITS).output, offset])
    given = keras.Model([model.inputs[0], offset], model.layers[-1](sums), name=model.name)
    given.compile(model.optimizer, model.loss, jit_compile=False, run_eagerly=model.run_eagerly)
    return given


def below_output(model: keras.Model) -> keras.Model:
    """The part of a model below its output layer: texts to what that layer sees of them."""
    names = [layer.name for layer in model.layers]
    return keras.Model(model.inputs, model.get_layer(_LOGITS if _LOGITS in names else _OUTPUT).input)


def linear_words(model: keras.Model) -> LinearWords | None:
    """The layer that gives the logits of words; None where there is none."""
    return next((layer for layer in model.layers if isinstance(layer, LinearWords)), None)


def _above_words(logits: keras.KerasTensor) -> keras.KerasTensor:
    return keras.layers.Softmax(dtype="float32", name=_OUTPUT)(logits)
