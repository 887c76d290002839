"""The metrics of each class against the rest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, roc_auc_score

from search.evaluation.several import one_against_rest
from search.evaluation.weighted import padded


def per_class(
    classes: Sequence[str],
    labels: NDArray[np.integer],
    probabilities: NDArray[np.float64],
    predicted: NDArray[np.integer],
) -> list[dict[str, Any]]:
    """Scores each class.

    Args:
        classes: Names of the classes.
        labels: int [n], or [n, classes] of several labels.
        probabilities: float [n, classes].
        predicted: Like the labels.

    Returns:
        For each class name, rows, predicted (how often it was), precision, recall, f1, average_precision and roc_auc;
        None where a metric is undefined.
    """
    found, probabilities = [], padded(probabilities, labels)
    true, decided = (one_against_rest(one, len(classes)) for one in (labels, predicted))
    for k, name in enumerate(classes):
        positive = true[:, k]
        own, said, hits = int(positive.sum()), int(decided[:, k].sum()), int((positive & decided[:, k]).sum())
        two_sided = positive.any() and not positive.all()
        found.append(
            {
                "name": name,
                "rows": own,
                "predicted": said,
                "precision": hits / said if said else None,
                "recall": hits / own if own else None,
                "f1": 2 * hits / (own + said) if own + said else None,
                "average_precision": float(average_precision_score(positive, probabilities[:, k])) if own else None,
                "roc_auc": float(roc_auc_score(positive, probabilities[:, k])) if two_sided else None,
            }
        )
    return found
