"""Keras's own `fit`, in the order of rows and with the metrics that every way of training has."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from search.evaluation.metric_list import Target
from search.models.scorer import chosen, scorer
from search.training.batches import training_batches
from search.training.rows import TrainingData
from search.training.scores import VALIDATION, split_metrics


def fit_model(
    model: keras.Model,
    data: TrainingData,
    *,
    epochs: int,
    initial_epoch: int = 0,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    verbose: int = 0,
) -> keras.callbacks.History:
    """Trains a compiled model, scoring it on both splits after each epoch.

    Args:
        model: The model, at `initial_epoch` of its training.
        data: What is trained on and scored by, in what the model takes.
        epochs: Epochs of training when it ends, `initial_epoch` included.
        initial_epoch: Epochs behind the model.
        callbacks: They find every metric in their logs, `val_…` for those of the validation split.
        verbose: As in `keras.Model.fit`.

    Returns:
        Keras's history of the logs.
    """
    train, valid = data.train, data.valid
    batches = training_batches(data, range(initial_epoch, epochs))
    scored = {"": (chosen(train.model_inputs, data.sample), train.labels[data.sample])}
    if valid is not None:
        scored[VALIDATION] = (chosen(valid.model_inputs), valid.labels)
    # TensorFlow traces a step twice that makes the optimizer's variables, which takes longer than many a trial.
    model.optimizer.build(model.trainable_variables)
    return model.fit(
        batches,
        epochs=epochs,
        initial_epoch=initial_epoch,
        steps_per_epoch=math.ceil(len(train.labels) / data.batch_size) * data.parts,
        callbacks=[EpochScores(scored, data.target), *callbacks],
        verbose=verbose,
        shuffle=False,  # the batches are shuffled already
    )


class EpochScores(keras.callbacks.Callback):
    """Adds the metrics of `split_metrics` to the logs of each epoch, scored after it, without dropout.

    Args:
        splits: Prefix of the metrics' names to strings [n] and labels [n].
        target: What is predicted.
    """

    def __init__(self, splits: Mapping[str, tuple[tf.Tensor, NDArray[np.int64]]], target: Target) -> None:
        super().__init__()
        self.splits = splits
        self.target = target

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Compiles the model for scoring; once, though in cross-validation it is trained an epoch at a time."""
        if not hasattr(self.model, "scorer"):
            self.model.scorer = scorer(self.model)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Scores the splits; the loss of training stays Keras's own, the mean over the epoch's steps."""
        assert logs is not None
        for prefix, (texts, labels) in self.splits.items():
            metrics = split_metrics(prefix, labels, self.model.scorer(texts), self.target)
            logs.update({**metrics, **logs})
            if prefix == VALIDATION:
                self.model.scored = metrics.scored
