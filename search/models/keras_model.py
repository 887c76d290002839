"""The Keras model of a configuration, and its training by Keras's `fit`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from search.backbones.learned import EMBEDDING
from search.optimizers.settings import make_optimizer
from search.training.batches import Given, chosen, training_batches
from search.training.epoch_scores import EpochScores
from search.training.fast_training import importance, optimizer_settings
from search.training.scores import training_sample
from spaces import ENCODERS


@dataclass(frozen=True)
class InputRows:
    """What a model is trained on or scored by.

    Attributes:
        inputs: Strings [n], or numbers of tokens, int32 [n, length], or features [n, dim].
        labels: Class indices [n].
    """

    inputs: Given
    labels: NDArray[np.int64]


def compiled_model(
    values: Mapping[str, Any], classes: int, accumulate: int, inputs: keras.KerasTensor, hidden: keras.KerasTensor
) -> keras.Model:
    """Puts the head above what a module or an encoder gives, and compiles the whole.

    Args:
        values: The hyperparameters.
        classes: Number of classes.
        accumulate: Batches whose gradients are averaged before the weights move.
        inputs: What `hidden` is made of; on the way is a layer by the name of `EMBEDDING`, if that is to be trained.
        hidden: float32 [batch, dim].

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
    settings = optimizer_settings(values)
    if values["module"] in ENCODERS:
        # All of it learns at one rate, unless a token-level module has its own; but Keras alone squares the gradients
        # of a token that comes up twice one by one.
        rate = values.get("embedding_fine_tuning_rate", settings.learning_rate)
        settings = replace(settings, module_rate=rate)
    trained = [layer for layer in model.layers if layer.name == EMBEDDING and layer.trainable]
    optimizer = make_optimizer(settings, trained[0] if trained else None, accumulate)
    # String operations cannot be compiled by XLA, which Keras would choose by itself where there is a GPU.
    model.compile(optimizer, "sparse_categorical_crossentropy", jit_compile=False)
    return model


def fit_model(
    model: keras.Model,
    values: Mapping[str, Any],
    train: InputRows,
    valid: InputRows | None,
    *,
    classes: int,
    accumulate: int,
    seed: int,
    epochs: int,
    initial_epoch: int,
    callbacks: Sequence[keras.callbacks.Callback],
    verbose: int = 0,
) -> keras.callbacks.History:
    """Trains a compiled model, scoring it on both splits after each epoch.

    Args:
        model: The model, at `initial_epoch` of its training.
        values: The hyperparameters.
        train: Rows to train on.
        valid: Rows to score by; None: none.
        classes: Number of classes.
        accumulate: Parts that each batch is cut into.
        seed: Seed of the trial, from which the order of the rows follows.
        epochs: Epochs of training when it ends, `initial_epoch` included.
        initial_epoch: Epochs behind the model.
        callbacks: They find every metric in their logs, `val_…` for those of `valid`.
        verbose: As in `keras.Model.fit`.

    Returns:
        Keras's history of the logs.
    """
    rows = len(train.labels)
    batch_size = max(1, values["batch_size"] // accumulate)
    batches = training_batches(
        train.inputs,
        train.labels,
        importance(values, train.labels, classes),
        batch_size=batch_size,
        seed=seed,
        epochs=range(initial_epoch, epochs),
    )
    sample = training_sample(rows, None if valid is None else len(valid.labels), seed)
    scored = {"": (chosen(train.inputs, sample), train.labels[sample])}
    if valid is not None:
        scored["val_"] = (chosen(valid.inputs), valid.labels)
    # TensorFlow traces a step twice that makes the optimizer's variables, which takes longer than many a trial.
    model.optimizer.build(model.trainable_variables)
    return model.fit(
        batches,
        epochs=epochs,
        initial_epoch=initial_epoch,
        steps_per_epoch=math.ceil(rows / batch_size),
        callbacks=[EpochScores(scored), *callbacks],
        verbose=verbose,
        shuffle=False,  # the batches are shuffled already
    )
