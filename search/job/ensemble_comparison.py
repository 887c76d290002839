"""The comparison of all ensemble methods: the best is chosen on the validation split and measured once on test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from search.evaluation.bootstrap import intervals
from search.evaluation.metrics import score, score_by
from search.evaluation.paired import Predictions, paired_gains
from search.models.ensembles.combiners import Combiner, Votes, Weighted, combined
from search.models.ensembles.member import Member
from search.models.ensembles.methods import FOLDS, MAJORITY_VOTE, METHODS, Labels, Probabilities, Task, out_of_fold


@dataclass(frozen=True)
class Ensemble:
    """A method, fitted on the validation split.

    Attributes:
        combiner: Fitted on all of its rows.
        valid: Out-of-fold probabilities of its rows.
        threshold: The threshold of two classes, chosen on `valid`.
        quality: The metric of `valid`; more is better.
    """

    combiner: Combiner
    valid: Probabilities
    threshold: float | None
    quality: float


def fit_ensembles(valid: Probabilities, labels: Labels, task: Task, seed: int) -> dict[str, Ensemble]:
    """Fits every method, and scores it out of fold.

    Args:
        valid: Probabilities for the validation split, on which no member was trained [members, n, classes].
        labels: Its labels [n].
        task: The metric to maximize.
        seed: Seed of the folds.
    """
    found = {}
    for name, fit in METHODS.items():
        probabilities = out_of_fold(fit, valid, labels, task, seed)
        combiner = fit(valid, labels, task)
        votes = isinstance(combiner, Votes) and valid.shape[2] == 2
        # The members have decided by thresholds of their own: what is left is to count.
        threshold = MAJORITY_VOTE if votes else task.decision(labels, probabilities)
        quality = task.quality(labels, probabilities, threshold)
        found[name] = Ensemble(combiner, probabilities, threshold, quality)
    return found


def chosen(ensembles: dict[str, Ensemble]) -> str:
    """The name of the best method on the validation split; of equals the simplest."""
    return max(ensembles, key=lambda name: ensembles[name].quality)


def compare(
    members: Sequence[Member],
    ensembles: dict[str, Ensemble],
    valid_labels: Labels,
    test_labels: Labels,
    single: Predictions,
    task: Task,
    seed: int,
) -> dict[str, Any]:
    """Measures every ensemble on the test split, beside the best trial alone.

    Args:
        members: The members of the ensembles.
        ensembles: Ensembles by method.
        valid_labels: Labels of the validation split.
        test_labels: Labels of the test split.
        single: Predictions of the best trial alone for the test split.
        task: The metric to compare by.
        seed: Seed of the resamples.

    Returns:
        For summary.json: metric, folds, members, chosen, methods.
    """
    test = np.stack([member.test for member in members])
    methods: dict[str, Any] = {}
    for name, ensemble in ensembles.items():
        probabilities = combined(ensemble.combiner, test)
        predictions = Predictions(probabilities, ensemble.threshold)
        gains = paired_gains(test_labels, predictions, {"best": single}, task.metric, seed=seed)
        methods[name] = {
            "threshold": ensemble.threshold,
            "valid": score(valid_labels, ensemble.valid, ensemble.threshold, task.target),
            "test": score(test_labels, probabilities, ensemble.threshold, task.target),
            "test_interval": intervals(test_labels, probabilities, ensemble.threshold, task.target, seed=seed),
            "against_best": gains["best"].record(),
        }
        if isinstance(ensemble.combiner, Weighted):
            methods[name]["weights"] = ensemble.combiner.weights.tolist()
    return {
        "metric": task.metric,
        "folds": FOLDS,
        "members": [_told(member, valid_labels, test_labels, task) for member in members],
        "chosen": chosen(ensembles),
        "methods": methods,
    }


def _told(member: Member, valid_labels: Labels, test_labels: Labels, task: Task) -> dict[str, Any]:
    threshold = task.decision(valid_labels, member.valid)
    return {
        "name": member.name,
        "values": None if member.values is None else dict(member.values),
        "valid": score_by(task.metric, valid_labels, member.valid, threshold),
        "test": score_by(task.metric, test_labels, member.test, threshold),
    }
