"""How much each training row counts in the loss."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray


def sample_weight(values: Mapping[str, Any], labels: NDArray[np.integer], classes: int) -> NDArray[np.float32]:
    """Weights of the training rows in the loss of a configuration.

    Args:
        values: The hyperparameters. Where `class_weight` is balanced each class weighs the same in all, else each row.
        labels: Class indices [n], or several labels [n, classes].
        classes: Number of classes.

    Returns:
        Weights, float32 [n], with mean 1.
    """
    if values["class_weight"] != "balanced":
        return np.ones(len(labels), np.float32)
    if labels.ndim == 2:  # the mean over the labels, each of which weighs its two sides the same
        there = labels.sum(axis=0)
        counts = np.where(labels == 1, there, len(labels) - there)
        return np.asarray((len(labels) / (2 * counts)).mean(axis=1), np.float32)
    counts = np.bincount(labels, minlength=classes)
    return np.asarray(len(labels) / (classes * counts[labels]), np.float32)
