"""The Keras model of a configuration: a head above the backbone's output, compiled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import keras

from search.backbones.base import Backbone
from search.optimizers.settings import OptimizerSettings, make_optimizer


def compiled_model(
    values: Mapping[str, Any],
    classes: int,
    accumulate: int,
    backbone: Backbone,
    inputs: keras.KerasTensor,
    hidden: keras.KerasTensor,
) -> keras.Model:
    """Puts the head above the output of a backbone, and compiles the model.

    Args:
        values: The hyperparameters.
        classes: Number of classes.
        accumulate: Batches whose gradients are averaged before the weights move.
        backbone: The backbone.
        inputs: The inputs of the model.
        hidden: The backbone's output for them, float32 [batch, dim].

    Returns:
        A model from `inputs` to probabilities, float32 [batch, classes].
    """
    for i in range(1, values["layers"] + 1):
        hidden = keras.layers.Dense(values[f"units_{i}"], values["activation"], name=f"hidden_{i}")(hidden)
        if values["dropout"]:
            hidden = keras.layers.Dropout(values["dropout"], name=f"dropout_{i}")(hidden)
    # Two classes have two outputs like any other number: one code, the same model.
    outputs = keras.layers.Dense(classes, "softmax", dtype="float32", name="probabilities")(hidden)
    model = keras.Model(inputs, outputs, name="text_classifier")
    settings = replace(OptimizerSettings.of(values), module_rate=backbone.rate(values))
    trained = [layer for group in backbone.groups(model) for layer in group]
    assert len(trained) <= 1, "one layer holds all that learns at the rate of the backbone"
    optimizer = make_optimizer(settings, trained[0] if trained else None, accumulate)
    # String operations cannot be compiled by XLA, which Keras would choose by itself where there is a GPU.
    model.compile(optimizer, "sparse_categorical_crossentropy", jit_compile=False)
    return model


def above_embedding(model: keras.Model) -> keras.Model:
    """The part of a model above its module: features [batch, dim] to probabilities [batch, classes], same weights."""
    _, embedding, *head = model.layers
    inputs = keras.Input((embedding.dimension,))
    outputs = inputs
    for layer in head:
        outputs = layer(outputs)
    return keras.Model(inputs, outputs)
