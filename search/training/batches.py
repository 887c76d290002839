"""Batches of rows for the training of a Keras model."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from search.models.scorer import ModelInputs, WithOffset
from search.training.order import epoch_order


def training_batches(
    inputs: ModelInputs,
    labels: NDArray[np.int64],
    sample_weight: NDArray[np.float32],
    *,
    batch_size: int,
    seed: int,
    epochs: range,
) -> tf.data.Dataset:
    """Batches of all epochs in a row, each in the order of `epoch_order`.

    Args:
        inputs: What the model takes, such as strings [n].
        labels: Class indices [n].
        sample_weight: Weight of each row in the loss, float32 [n].
        batch_size: Rows of a batch; the last one of an epoch may be smaller.
        seed: Seed of the order.
        epochs: The epochs to feed, counted from 0.

    Returns:
        A dataset of (inputs, labels, sample_weight), `ceil(n / batch_size)` batches for each epoch.
    """
    targets, weights = tf.constant(labels), tf.constant(sample_weight)

    def epoch_batches(epoch: tf.Tensor) -> tf.data.Dataset:
        order = tf.numpy_function(lambda number: epoch_order(len(labels), seed, int(number)), [epoch], tf.int64)
        return tf.data.Dataset.from_tensor_slices(tf.ensure_shape(order, [len(labels)])).batch(batch_size)

    def gathered(inputs: ModelInputs, rows: tf.Tensor) -> Any:
        if isinstance(inputs, WithOffset):
            return gathered(inputs.inputs, rows), tf.gather(inputs.offset, rows)
        if tf.is_tensor(inputs):
            return tf.gather(inputs, rows)
        taken = tf.numpy_function(inputs.take, [rows], tf.float32, stateful=False)
        return tf.ensure_shape(taken, [None, inputs.dimension])

    def of_rows(rows: tf.Tensor) -> tuple[Any, tf.Tensor, tf.Tensor]:
        return gathered(inputs, rows), tf.gather(targets, rows), tf.gather(weights, rows)

    numbers = tf.data.Dataset.range(epochs.start, epochs.stop)
    return numbers.flat_map(epoch_batches).map(of_rows).prefetch(2)
