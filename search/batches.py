"""Feeds texts to a Keras model: batches for training, probabilities for scoring."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

# Texts scored in one call: large enough to keep the cores busy, small enough for the memory of a sentence encoder.
SCORING_BATCH = 1024


def training_batches(
    texts: tf.Tensor,
    labels: NDArray[np.int64],
    weights: NDArray[np.float32],
    *,
    batch_size: int,
    seed: int,
    epochs: range,
) -> tf.data.Dataset:
    """Batches of all epochs in a row, each epoch shuffled by its own number.

    The order of rows in an epoch depends on the seed and the epoch alone, so that training which stops after any epoch
    and goes on later sees the rows as if it had not stopped.

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
        order = tf.random.experimental.stateless_shuffle(tf.range(len(labels)), seed=tf.stack([seed, epoch]))
        return tf.data.Dataset.from_tensor_slices(order).batch(batch_size)

    def rows(chosen: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        return tf.gather(texts, chosen), tf.gather(targets, chosen), tf.gather(importance, chosen)

    numbers = tf.data.Dataset.range(epochs.start, epochs.stop)
    return numbers.flat_map(epoch_batches).map(rows).prefetch(2)


def scorer(model: keras.Model) -> Callable[[tf.Tensor], NDArray[np.float64]]:
    """Compiles a model for scoring.

    Args:
        model: Maps strings [batch] to probabilities [batch, classes].

    Returns:
        A function of strings [n] that gives probabilities, float64 [n, classes]. It follows the model's weights as they
        change.
    """

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def probabilities(texts: tf.Tensor) -> tf.Tensor:
        return model(texts, training=False)

    def score(texts: tf.Tensor) -> NDArray[np.float64]:
        parts = [probabilities(texts[i : i + SCORING_BATCH]).numpy() for i in range(0, len(texts), SCORING_BATCH)]
        return np.concatenate(parts).astype(np.float64)

    return score
