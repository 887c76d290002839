"""Calls a compiled function on any number of rows, some at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

SCORING_BATCH = 1024
"""Rows of a call: enough to keep the cores busy, few enough for the memory of a sentence encoder."""


@dataclass(frozen=True)
class Several:
    """Rows of a model with several inputs.

    Attributes:
        parts: The rows of each input, in the order of the model's inputs.
    """

    parts: tuple[Any, ...]

    def __len__(self) -> int:
        return len(self.parts[-1])

    def __getitem__(self, places: slice) -> list[Any]:
        """All inputs of the rows in some places."""
        return [part[places] for part in self.parts]


def with_inputs(rows: Any, *more: Any) -> Any:
    """Rows with more inputs behind those that they have; the same where there are none."""
    if not more:
        return rows
    return Several((*(rows.parts if isinstance(rows, Several) else (rows,)), *more))


def tensors(rows: Any) -> Any:
    """Rows as TensorFlow takes them: strings [n], or for a structured array [n] an input for each field."""
    if getattr(rows, "dtype", None) is None or rows.dtype.names is None:
        return tf.constant(list(rows), tf.string)
    fields = (rows[name] for name in rows.dtype.names)
    return Several(tuple(tf.constant(one.tolist(), tf.string if one.dtype == object else one.dtype) for one in fields))


def in_batches(function: Callable[[tf.Tensor], tf.Tensor], rows: tf.Tensor) -> NDArray[Any]:
    """Applies a function to rows, batch by batch.

    Args:
        function: Maps rows [batch, …] to one row each.
        rows: Strings [n], or features [n, dim].

    Returns:
        The results, in order [n, …].
    """
    starts = range(0, len(rows), SCORING_BATCH)
    return np.concatenate([function(rows[start : start + SCORING_BATCH]).numpy() for start in starts])
