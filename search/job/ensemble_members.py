"""The classifiers that an ensemble is made of: the best trials of a search, and the baselines."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import keras

from search.datasets import Splits
from search.evaluation.baseline_models import MAJORITY
from search.evaluation.baselines import Baseline
from search.job.prepare import Prepared
from search.job.trials import Trials
from search.models.classifier import Classifier
from search.models.ensembles.linear_over import linear_over
from search.models.ensembles.member import Member
from search.models.ensembles.word_counts import words_beside
from search.training.refit import refit
from search.tuning.record import TrialRecord


def members(
    prepared: Prepared,
    trials: Trials,
    best: Member,
    baselines: Mapping[str, Baseline],
    say: Callable[[str], None],
) -> list[Member]:
    """Refits the best trials on all rows to learn from, and adds the baselines as they are.

    Args:
        prepared: The data, and how many trials at most.
        trials: The trials of the search.
        best: The best one, which is refitted already.
        baselines: The fitted baselines; the majority class and those that could not be fitted are left out.
        say: Called with a message for every trial.

    Returns:
        The trials, the best first, then the baselines.
    """
    found: list[Member] = []
    splits = prepared.splits
    for record in _distinct(trials.tuner.ranking(), prepared.config.ensemble.trials):
        if not found:
            found.append(replace(best, values=record.values))
        else:
            say(f"Refitting trial {record.trial_id} for the ensemble")
            found.append(_trained(record, trials, splits))
    for name, baseline in baselines.items():
        if name != MAJORITY and baseline.valid_probabilities is not None and baseline.probabilities is not None:
            model = _served(name, baseline, prepared)
            found.append(Member(name, baseline.valid_probabilities, baseline.probabilities, model))
    return found


def trial_name(trial_id: str) -> str:
    """The name of a trial as a member."""
    return f"trial_{trial_id}"


def _served(name: str, baseline: Baseline, prepared: Prepared) -> keras.layers.Layer:
    """A baseline as part of a model that takes texts."""
    classes, columns = len(prepared.splits.classes), prepared.splits.columns
    if baseline.module is None:
        return words_beside(baseline.model, columns, classes, name)
    backbone = {**prepared.plain, **prepared.backbones}[baseline.module]
    return linear_over(backbone, baseline.model, classes, columns)


def _distinct(ranking: list[TrialRecord], most: int) -> Iterator[TrialRecord]:
    """The best trials; of a promotion chain only its best trial."""
    seen: list[dict[str, Any]] = []
    for record in ranking:
        if len(seen) == most:
            return
        if record.values not in seen:
            seen.append(record.values)
            yield record


def _trained(record: TrialRecord, trials: Trials, splits: Splits) -> Member:
    hp = trials.tuner.oracle.get_trial(record.trial_id).hyperparameters
    model = refit(trials.hypermodel, hp, splits.refit, record.best_epoch or 0, record.state)
    features = trials.hypermodel.constant_features(record.values, splits.test)
    test = Classifier(model, splits.classes, None).probabilities(splits.test.inputs, features)
    valid = trials.validation.probabilities(trials.tuner, record)
    return Member(trial_name(record.trial_id), valid, test, model, record.values)
