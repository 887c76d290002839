"""The weights of a Keras model that training can change, and how they are set."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from search.utils.checkpoint import Arrays


def model_weights(model: keras.Model) -> list[keras.Variable]:
    """Every variable of the layers that train: weights and moving statistics, in the order of the layers."""
    found: dict[int, Any] = {}
    for layer in trained_layers(model):
        for variable in (*layer._trainable_variables, *layer._non_trainable_variables):
            found.setdefault(id(variable), variable)
    return list(found.values())


def assign(variables: Sequence[Any], arrays: Arrays) -> None:
    """Sets variables to arrays: one for each, or two for rows of a variable: their numbers, int64 [rows], and values.

    Raises:
        ValueError: The arrays have other shapes, hence belong to another model.
    """
    left = list(arrays)
    changes: list[tuple[Any, Any]] = []
    for variable in variables:
        shape, dtype = tuple(variable.shape), str(variable.dtype)
        if left and left[0].shape == shape and (left[0].dtype == dtype or left[0].dtype != np.int64):
            changes.append((variable, left.pop(0)))
        elif len(left) > 1 and left[0].dtype == np.int64 and left[1].shape == (*left[0].shape, *shape[1:]):
            changes.append((variable, tf.IndexedSlices(left[1], left[0])))
            del left[:2]
        else:
            break
    if left or len(changes) != len(variables):
        came, expected = [array.shape for array in arrays], [tuple(variable.shape) for variable in variables]
        raise ValueError(f"The checkpoint is another model's: it has the shapes {came}, the model {expected}.")
    for variable, change in changes:
        if isinstance(change, tf.IndexedSlices):
            variable.value.scatter_update(change)
        else:
            variable.assign(change)


def trained_layers(model: keras.Model) -> list[keras.Layer]:
    """Every layer of a model, at any depth, that trains or may train."""
    return [layer for layer in model._flatten_layers(include_self=True) if layer.trainable]
