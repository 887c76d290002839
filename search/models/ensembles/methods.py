"""Methods to combine classifiers, fitted on the validation split, on which no member was trained."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from search.datasets.folds import assign_folds
from search.evaluation.metric_list import Target
from search.evaluation.metrics import direction, score_by
from search.evaluation.threshold import best_threshold
from search.models.ensembles.combiners import (
    Combiner,
    Stacked,
    Votes,
    Weighted,
    combined,
    of_all_classes,
    stacking_features,
)

Probabilities = NDArray[np.float64]
Labels = NDArray[np.int64]

_ROUNDS = 25
FOLDS = 5
MAJORITY_VOTE = 0.5


@dataclass(frozen=True)
class Task:
    """The objective of an ensemble.

    Attributes:
        metric: One of `search.evaluation.names`.
        threshold: The configured threshold of two classes; None: the one with the best F1 on the rows at hand.
        target: What is predicted; None: classes without an order.
    """

    metric: str
    threshold: float | None = None
    target: Target | None = None

    def decision(self, labels: Labels, probabilities: Probabilities) -> float | None:
        """The threshold for probabilities [n, classes]; None where there are more than two classes."""
        if probabilities.shape[1] > 2:
            return None
        return best_threshold(labels, probabilities) if self.threshold is None else self.threshold

    def quality(self, labels: Labels, probabilities: Probabilities, threshold: float | None) -> float:
        """The metric, with its sign turned so that more is better; an undefined one is worse than any other."""
        value = score_by(self.metric, labels, probabilities, threshold)
        if np.isnan(value):
            return -np.inf
        return value if direction(self.metric) == "max" else -value


Fit = Callable[[Probabilities, Labels, Task], Combiner]
"""Fits a combiner on the members' probabilities [members, n, classes] and the labels [n], for a task."""


def fit_mean(members: Probabilities, labels: Labels, task: Task) -> Combiner:
    """Weighs all members alike; nothing is fitted."""
    return Weighted(np.full(len(members), 1 / len(members)))


def fit_vote(members: Probabilities, labels: Labels, task: Task) -> Combiner:
    """Lets every member decide by its own threshold."""
    if members.shape[2] > 2:
        return Votes(None)
    return Votes(np.array([task.decision(labels, one) for one in members]))


def fit_stacking(members: Probabilities, labels: Labels, task: Task) -> Combiner:
    """Fits a logistic regression on the members' log probabilities; the mean where all labels are of one class."""
    present = np.unique(labels)
    if len(present) < 2:
        return fit_mean(members, labels, task)
    with threadpool_limits(limits=1):
        model = LogisticRegression(max_iter=2000).fit(stacking_features(members), labels)
    return Stacked(*of_all_classes(model.coef_, model.intercept_, present, members.shape[2]))


def fit_greedy(members: Probabilities, labels: Labels, task: Task) -> Combiner:
    """Adds the member that improves the mean most, again and again (also repeatedly), until none does.

    Caruana et al., 2004, Ensemble Selection from Libraries of Models, section 2.1 (with replacement).
    """
    counts = np.zeros(len(members))
    total, reached = np.zeros(members.shape[1:]), -np.inf
    for size in range(1, _ROUNDS + 1):
        means = [(total + one) / size for one in members]
        qualities = [task.quality(labels, mean, task.decision(labels, mean)) for mean in means]
        best = int(np.argmax(qualities))
        if qualities[best] <= reached:
            break
        reached, total = qualities[best], total + members[best]
        counts[best] += 1
    if not counts.any():  # the metric is not defined on these rows
        return fit_mean(members, labels, task)
    return Weighted(counts / counts.sum())


METHODS: dict[str, Fit] = {
    "mean": fit_mean,
    "vote": fit_vote,
    "greedy": fit_greedy,
    "stacking": fit_stacking,
}
"""Methods by name, the simplest first, since the first of equals is chosen."""


def out_of_fold(fit: Fit, members: Probabilities, labels: Labels, task: Task, seed: int) -> Probabilities:
    """Out-of-fold probabilities of a method: those of each fold from a fit on the others.

    Args:
        fit: The method.
        members: Probabilities [members, n, classes].
        labels: Classes [n].
        task: The objective.
        seed: Seed of the stratified folds.

    Returns:
        Probabilities, float64 [n, classes].
    """
    found = np.empty(members.shape[1:])
    folds = assign_folds(labels, FOLDS, np.random.default_rng(seed))
    for fold in np.unique(folds):
        held = folds == fold
        found[held] = combined(fit(members[:, ~held], labels[~held], task), members[:, held])
    return found
