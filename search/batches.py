"""Feeds texts to a Keras model: batches for training, probabilities for scoring."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from search.embedding.batched import in_batches
from search.tuning.order import epoch_order


def training_batches(
    texts: tf.Tensor,
    labels: NDArray[np.int64],
    weights: NDArray[np.float32],
    *,
    batch_size: int,
    seed: int,
    epochs: range,
) -> tf.data.Dataset:
    """Batches of all epochs in a row, each in the order of `epoch_order`.

    Args:
        texts: Strings [n].
        labels: Class indices [n].
        weights: Weight of each row in the loss, float32 [n].
        batch_size: Rows of a batch; the last one of an epoch may be smaller.
        seed: Seed of the order.
        epochs: The epochs to feed, counted from 0.

    Returns:
        A dataset of (texts, labels, weights), `ceil(n / batch_size)` batches for each epoch.
    """
    targets, importance = tf.constant(labels), tf.constant(weights)

    def epoch_batches(epoch: tf.Tensor) -> tf.data.Dataset:
        order = tf.numpy_function(lambda number: epoch_order(len(labels), seed, int(number)), [epoch], tf.int64)
        return tf.data.Dataset.from_tensor_slices(tf.ensure_shape(order, [len(labels)])).batch(batch_size)

    def rows(chosen: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        return tf.gather(texts, chosen), tf.gather(targets, chosen), tf.gather(importance, chosen)

    numbers = tf.data.Dataset.range(epochs.start, epochs.stop)
    return numbers.flat_map(epoch_batches).map(rows).prefetch(2)


def scorer(model: keras.Model) -> Callable[[tf.Tensor], NDArray[np.float64]]:
    """Compiles a model for scoring.

    Args:
        model: Maps strings [batch], or features [batch, dim], to probabilities [batch, classes].

    Returns:
        A function of strings [n], or features [n, dim], that gives probabilities, float64 [n, classes]. It follows the
        model's weights as they change.
    """
    (inputs,) = model.inputs

    @tf.function(input_signature=[tf.TensorSpec(inputs.shape, inputs.dtype)])
    def probabilities(batch: tf.Tensor) -> tf.Tensor:
        return model(batch, training=False)

    def score(rows: tf.Tensor) -> NDArray[np.float64]:
        return in_batches(probabilities, rows).astype(np.float64)

    return score
