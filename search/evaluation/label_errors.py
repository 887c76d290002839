"""Likely label errors, found by confident learning."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from search.evaluation.weighted import padded


def likely_label_errors(labels: NDArray[np.integer], probabilities: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Marks rows that a model trained on other rows puts in another class as confidently as that class's own rows.

    After Northcutt, Jiang & Chuang, 2021, Confident Learning: Estimating Uncertainty in Dataset Labels, JAIR 70: a row
    counts for a class where its probability reaches the mean over the rows with that label; of several such classes for
    the most probable. The off-diagonal rows of that count are marked.

    Args:
        labels: int [n].
        probabilities: float [n, classes], of rows that the model was not trained on.

    Returns:
        bool [n].
    """
    probabilities = padded(probabilities, labels)
    classes = probabilities.shape[1]
    own = np.bincount(labels, minlength=classes)
    sums = np.bincount(labels, weights=probabilities[np.arange(len(labels)), labels], minlength=classes)
    # A class without rows has no typical probability: nothing is suspected to be of it.
    typical = np.divide(sums, own, out=np.full(classes, np.inf), where=own > 0)
    reached = np.where(probabilities >= typical, probabilities, -1.0)
    candidate = reached.argmax(axis=1)
    suspected: NDArray[np.bool_] = (reached.max(axis=1) >= 0) & (candidate != labels)
    return suspected
