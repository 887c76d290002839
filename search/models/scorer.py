"""Scores rows with a Keras model, texts or features."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from search.features.cache import FeaturesOfSome
from search.utils.batched import in_batches

ModelInputs = Any
"""Rows that a model takes: a tensor [n, …], or features [n, dim] with a method `take`, which may be on disk."""


def chosen(inputs: ModelInputs, rows: NDArray[np.int64] | None = None) -> Any:
    """Selects rows for a `scorer`.

    Args:
        inputs: All rows.
        rows: Positions of the rows, int64 [n]; None: all.
    """
    if not tf.is_tensor(inputs):
        return FeaturesOfSome(inputs, np.arange(len(inputs)) if rows is None else rows)
    return inputs if rows is None else tf.gather(inputs, rows)


def scorer(model: keras.Model) -> Callable[[tf.Tensor], NDArray[np.float64]]:
    """Compiles a model for scoring.

    Args:
        model: Maps strings [batch], or features [batch, dim], to probabilities [batch, classes].

    Returns:
        A function from strings [n], features [n, dim] or the result of `chosen` to probabilities, float64 [n, classes].
        It follows the model's weights as they change.
    """
    (inputs,) = model.inputs

    @tf.function(input_signature=[tf.TensorSpec(inputs.shape, inputs.dtype)])
    def probabilities(batch: tf.Tensor) -> tf.Tensor:
        return model(batch, training=False)

    def score(rows: tf.Tensor) -> NDArray[np.float64]:
        return in_batches(probabilities, rows).astype(np.float64)

    return score
