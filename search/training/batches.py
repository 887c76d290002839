"""Batches of rows for the training of a Keras model."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from search.models.scorer import ModelInputs
from search.training.rows import TrainingData
from search.utils.batched import Several


def training_batches(data: TrainingData, epochs: range) -> tf.data.Dataset:
    """Batches of all epochs in a row, each in the order of `epoch_order`.

    Args:
        data: The rows.
        epochs: The epochs to feed, counted from 0.

    Returns:
        A dataset of (inputs, labels, sample_weight), `ceil(n / batch_size)` batches for each epoch, each of them in
        `data.parts` parts, weighted so that the mean of their mean losses is that of the batch.
    """
    inputs = data.train.model_inputs
    targets, weights = tf.constant(data.train.labels), tf.constant(data.sample_weight)

    def epoch_batches(epoch: tf.Tensor) -> tf.data.Dataset:
        order = tf.numpy_function(lambda number: data.order(int(number)), [epoch], tf.int64)
        rows = tf.ensure_shape(order, [len(data.train.labels)])
        batches = tf.data.Dataset.from_tensor_slices(rows).batch(data.batch_size)
        if data.parts == 1:
            return batches.map(lambda rows: (rows, 1.0))
        return batches.flat_map(lambda rows: tf.data.Dataset.range(data.parts).map(lambda number: part(rows, number)))

    def part(rows: tf.Tensor, number: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        size = tf.size(rows, tf.int64)
        begin, end = size * number // data.parts, size * (number + 1) // data.parts
        # Of a batch of fewer rows than parts some are fed more than once, in parts that do not count.
        fed = rows[begin : tf.maximum(end, begin + 1)]
        return fed, tf.cast((end - begin) * data.parts / size, tf.float32)

    def gathered(inputs: ModelInputs, rows: tf.Tensor) -> Any:
        if isinstance(inputs, Several):
            return tuple(gathered(part, rows) for part in inputs.parts)
        if tf.is_tensor(inputs):
            return tf.gather(inputs, rows)
        taken = tf.numpy_function(inputs.take, [rows], tf.float32, stateful=False)
        return tf.ensure_shape(taken, [None, inputs.dimension])

    def of_rows(rows: tf.Tensor, share: tf.Tensor) -> tuple[Any, tf.Tensor, tf.Tensor]:
        return gathered(inputs, rows), tf.gather(targets, rows), tf.gather(weights, rows) * share

    numbers = tf.data.Dataset.range(epochs.start, epochs.stop)
    return numbers.flat_map(epoch_batches).map(of_rows).prefetch(2)
