"""Scores rows with a Keras model, texts or features."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from search.features.cache import FeaturesOfSome
from search.utils.batched import Several, in_batches

ModelInputs = Any
"""Rows that a model takes: a tensor [n, …], features [n, dim] with a method `take`, which may be on disk, or `Several`
of them, one for each input."""


def chosen(inputs: ModelInputs, rows: NDArray[np.int64] | None = None) -> Any:
    """Selects rows for a `scorer`.

    Args:
        inputs: All rows.
        rows: Positions of the rows, int64 [n]; None: all.
    """
    if isinstance(inputs, Several):
        return Several(tuple(chosen(part, rows) for part in inputs.parts))
    if not tf.is_tensor(inputs):
        return FeaturesOfSome(inputs, np.arange(len(inputs)) if rows is None else rows)
    return inputs if rows is None else tf.gather(inputs, rows)


def scorer(model: keras.Model) -> Callable[[tf.Tensor], NDArray[np.float64]]:
    """Compiles a model for scoring.

    Args:
        model: Maps strings [batch], or features [batch, dim], and what else are inputs of it, to probabilities
            [batch, classes].

    Returns:
        A function from strings [n], features [n, dim] or the result of `chosen` to probabilities, float64 [n, classes].
        It follows the model's weights as they change.
    """

    @tf.function(input_signature=[tf.TensorSpec(one.shape, one.dtype) for one in model.inputs])
    def probabilities(*batch: tf.Tensor) -> tf.Tensor:
        return model(list(batch) if len(batch) > 1 else batch[0], training=False)

    def of_batch(batch: Any) -> tf.Tensor:
        return probabilities(*batch) if isinstance(batch, list) else probabilities(batch)

    def score(rows: tf.Tensor) -> NDArray[np.float64]:
        return in_batches(of_batch, rows).astype(np.float64)

    return score
