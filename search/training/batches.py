"""Feeds texts to a Keras model: batches for training, probabilities for scoring."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from search.features.cache import FeaturesOfSome
from search.training.order import epoch_order
from search.utils.batched import in_batches

Given = Any
"""Rows that a model takes: a tensor [n, …]; or features [n, dim], which may be on disk alone: what has `take`."""


def chosen(inputs: Given, rows: NDArray[np.int64] | None = None) -> Any:
    """Rows for a `scorer`.

    Args:
        inputs: All rows.
        rows: Positions of those to choose, int64 [n]; None: all.
    """
    if not tf.is_tensor(inputs):
        return FeaturesOfSome(inputs, np.arange(len(inputs)) if rows is None else rows)
    return inputs if rows is None else tf.gather(inputs, rows)


def training_batches(
    inputs: Given,
    labels: NDArray[np.int64],
    weights: NDArray[np.float32],
    *,
    batch_size: int,
    seed: int,
    epochs: range,
) -> tf.data.Dataset:
    """Batches of all epochs in a row, each in the order of `epoch_order`.

    Args:
        inputs: What the model takes, such as strings [n].
        labels: Class indices [n].
        weights: Weight of each row in the loss, float32 [n].
        batch_size: Rows of a batch; the last one of an epoch may be smaller.
        seed: Seed of the order.
        epochs: The epochs to feed, counted from 0.

    Returns:
        A dataset of (inputs, labels, weights), `ceil(n / batch_size)` batches for each epoch.
    """
    targets, importance = tf.constant(labels), tf.constant(weights)

    def epoch_batches(epoch: tf.Tensor) -> tf.data.Dataset:
        order = tf.numpy_function(lambda number: epoch_order(len(labels), seed, int(number)), [epoch], tf.int64)
        return tf.data.Dataset.from_tensor_slices(tf.ensure_shape(order, [len(labels)])).batch(batch_size)

    def gathered(rows: tf.Tensor) -> tf.Tensor:
        if tf.is_tensor(inputs):
            return tf.gather(inputs, rows)
        taken = tf.numpy_function(inputs.take, [rows], tf.float32, stateful=False)
        return tf.ensure_shape(taken, [None, inputs.dimension])

    def of_rows(rows: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        return gathered(rows), tf.gather(targets, rows), tf.gather(importance, rows)

    numbers = tf.data.Dataset.range(epochs.start, epochs.stop)
    return numbers.flat_map(epoch_batches).map(of_rows).prefetch(2)


def scorer(model: keras.Model) -> Callable[[tf.Tensor], NDArray[np.float64]]:
    """Compiles a model for scoring.

    Args:
        model: Maps strings [batch], or features [batch, dim], to probabilities [batch, classes].

    Returns:
        A function of strings [n], features [n, dim] or what `chosen` gives, that gives probabilities, float64
        [n, classes]. It follows the model's weights as they change.
    """
    (inputs,) = model.inputs

    @tf.function(input_signature=[tf.TensorSpec(inputs.shape, inputs.dtype)])
    def probabilities(batch: tf.Tensor) -> tf.Tensor:
        return model(batch, training=False)

    def score(rows: tf.Tensor) -> NDArray[np.float64]:
        return in_batches(probabilities, rows).astype(np.float64)

    return score
