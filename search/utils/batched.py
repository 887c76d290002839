"""Calls a compiled function on any number of rows, some at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

SCORING_BATCH = 1024
"""Rows of a call: enough to keep the cores busy, few enough for the memory of a sentence encoder."""


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
