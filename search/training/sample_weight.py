"""How much each training row counts in the loss."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray


def sample_weight(values: Mapping[str, Any], labels: NDArray[np.int64], classes: int) -> NDArray[np.float32]:
    """Weights of the training rows in the loss of a configuration.

    Args:
        values: The hyperparameters. Where `class_weight` is balanced each class weighs the same in all, else each row.
        labels: Class indices [n].
        classes: Number of classes.

    Returns:
        Weights, float32 [n], with mean 1.
    """
    if values["class_weight"] != "balanced":
        return np.ones(len(labels), np.float32)
    counts = np.bincount(labels, minlength=classes)
    return (len(labels) / (classes * counts[labels])).astype(np.float32)
