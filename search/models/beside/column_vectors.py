"""The layer that makes a vector of the columns beside a text, as scikit-learn's preprocessing does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import pi
from typing import Any

import keras
import tensorflow as tf

from search.datasets.beside import CATEGORY, DATE, PERIODS


@keras.saving.register_keras_serializable(package="search")
class ColumnVectors(keras.layers.Layer):
    """Columns, a list of [batch], to float32 [batch, width]. Nothing of it is trained.

    Args:
        columns: Of each, from `search.models.beside.preprocessing.described`.
        name: Name of the layer.
    """

    def __init__(self, columns: Sequence[Mapping[str, Any]], name: str = "columns") -> None:
        super().__init__(trainable=False, dtype="float32", autocast=False, name=name)
        self.supports_jit = False  # categories are strings
        # In a tuple, which Keras does not look into.
        self._columns = tuple(dict(one) for one in columns)

    def call(self, inputs: Sequence[tf.Tensor]) -> tf.Tensor:
        """Makes the vectors; numbers in float64, as scikit-learn computes them."""
        made = [
            _one_hot(one, values) if one["kind"] == CATEGORY else _scaled(one, values)
            for one, values in zip(self._columns, inputs, strict=True)
        ]
        return tf.concat([tf.cast(one, tf.float32) for one in made], axis=1)

    def compute_output_shape(self, input_shape: Sequence[tuple[int | None, ...]]) -> tuple[int | None, int]:
        """Gives the shape of the vectors, so that a model is built without a call."""
        return input_shape[0][0], sum(map(_width, self._columns))

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return {"columns": [dict(one) for one in self._columns], "name": self.name}


def _width(column: Mapping[str, Any]) -> int:
    return len(column["categories"]) + column["others"] if column["kind"] == CATEGORY else len(column["mean"])


def _one_hot(column: Mapping[str, Any], values: tf.Tensor) -> tf.Tensor:
    """A number for each category that was frequent in training, and one for all others if there were rare ones."""
    parts = []
    if column["categories"]:
        is_one = tf.equal(values[:, tf.newaxis], tf.constant(column["categories"])[tf.newaxis])
        parts = [tf.cast(is_one, tf.float64)]
    if column["others"]:
        known = parts[0] if parts else tf.zeros([tf.shape(values)[0], 1], tf.float64)
        parts.append(1 - tf.reduce_sum(known, axis=1, keepdims=True))
    return tf.concat(parts, axis=1)


def _scaled(column: Mapping[str, Any], values: tf.Tensor) -> tf.Tensor:
    values = tf.cast(values, tf.float64)[:, tf.newaxis]
    missing = tf.math.is_nan(values)
    parts = [tf.where(missing, tf.constant(column["median"], tf.float64), values)]
    if column["kind"] == DATE:
        for period in PERIODS:
            angle = 2 * pi * tf.math.floormod(parts[0], tf.constant(period, tf.float64)) / period
            parts += [tf.sin(angle), tf.cos(angle)]
    if column["tells_missing"]:
        parts.append(tf.cast(missing, tf.float64))
    mean, scale = (tf.constant(column[name], tf.float64) for name in ("mean", "scale"))
    return (tf.concat(parts, axis=1) - mean) / scale
