"""The metrics of an epoch, the same whatever trained it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search.evaluation.metric_list import Target
from search.evaluation.metrics import score

VALIDATION = "val_"
"""How the names of metrics of the validation split begin."""


@dataclass(frozen=True)
class Scored:
    """The labels and probabilities behind metrics.

    Attributes:
        labels: Class indices [n].
        probabilities: float64 [n, classes].
    """

    labels: NDArray[np.int64]
    probabilities: NDArray[np.float64]


class Metrics(dict[str, float]):
    """Metrics by name; those of an epoch carry with them what its validation metrics were computed from.

    Who wants more of an epoch than numbers, as a confusion matrix, finds it here; nobody keeps it.

    Args:
        metrics: Name to value.
        scored: What they were computed from; None: not known, or not of the validation split.
        folds: Those of each fold, of which these are the means; empty where there are no folds.
    """

    def __init__(
        self, metrics: Mapping[str, float], scored: Scored | None = None, folds: Sequence[Mapping[str, float]] = ()
    ) -> None:
        super().__init__(metrics)
        self.scored = scored
        self.folds = folds

    def with_validation(self, valid: Metrics) -> Metrics:
        """The metrics of an epoch: these, of the training rows, and those of the validation split."""
        return Metrics({**self, **valid}, valid.scored)


def split_metrics(
    prefix: str, labels: NDArray[np.int64], probabilities: NDArray[np.float64], target: Target
) -> Metrics:
    """Every metric of `search.evaluation` of one split, under names with a prefix.

    They are the functions that score the test split, on whole splits, so a trial's curve, its score and the final table
    speak of the same thing. Keras's own metrics would average over the batches of changing weights and approximate the
    area under a curve from a few thresholds.

    Args:
        prefix: Empty for training rows, `VALIDATION` for the validation split.
        labels: Class indices [n].
        probabilities: float64 [n, classes].
        target: What is predicted.

    Returns:
        Name to value; `loss` is the log loss.
    """
    metrics = score(labels, probabilities, target=target)
    named = {f"{prefix}{name}": value for name, value in {**metrics, "loss": metrics["log_loss"]}.items()}
    return Metrics(named, Scored(labels, probabilities))


def training_sample(rows: int, valid: int | None, seed: int) -> NDArray[np.int64]:
    """Which training rows are scored after each epoch: enough to compare the two curves, at the cost of validation.

    Args:
        rows: Rows to train on.
        valid: Rows of the validation split; None: there is none.
        seed: Seed of the trial.

    Returns:
        Distinct rows, int64 [as many as the validation split has, at most all].
    """
    size = min(rows, valid if valid is not None else rows // 10 + 1)
    return np.random.default_rng(seed).choice(rows, size, replace=False)
