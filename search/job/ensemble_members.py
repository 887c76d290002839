"""The classifiers that an ensemble is made of: the best trials of a search, and the baselines on word counts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from search.datasets import Examples, Splits
from search.evaluation.baselines import MAJORITY, Baseline
from search.job.validation import Validation
from search.models.classifier import Classifier
from search.models.ensembles.member import Member
from search.models.ensembles.word_counts import WordCounts
from search.training.refit import refit
from search.training.trainable import TrainableHyperModel
from search.tuning.record import TrialRecord
from search.tuning.tuner import Tuner


def members(
    trials: int,
    single: Member,
    tuner: Tuner,
    hypermodel: TrainableHyperModel,
    validation: Validation,
    splits: Splits,
    baselines: Mapping[str, Baseline],
    say: Callable[[str], None],
) -> list[Member]:
    """Trains the best trials again on all rows to learn from, and takes the baselines as they are.

    Args:
        trials: How many of them, at most.
        single: The best one, which is there already.
        tuner: Has ended.
        hypermodel: Makes its models.
        validation: How they were judged.
        splits: All rows; nothing is fitted on the test split.
        baselines: Fitted; the majority class and those that could not be are left out.
        say: Is told of every trial.

    Returns:
        The trials, the best first, then the baselines.
    """
    found: list[Member] = []
    more = splits.refit  # one array, so that its tokens are counted once
    for record in _distinct(tuner.ranking(), trials):
        if not found:
            found.append(replace(single, values=record.values))
        else:
            say(f"Refitting trial {record.trial_id} for the ensemble")
            found.append(_trained(record, tuner, hypermodel, validation, splits, more))
    for name, baseline in baselines.items():
        if name != MAJORITY and baseline.valid_probabilities is not None and baseline.probabilities is not None:
            counts = WordCounts(baseline.model, len(splits.classes), name)
            found.append(Member(name, baseline.valid_probabilities, baseline.probabilities, counts))
    return found


def trial_name(trial_id: str) -> str:
    """What a trial is called as a member."""
    return f"trial_{trial_id}"


def _distinct(ranking: list[TrialRecord], most: int) -> Iterator[TrialRecord]:
    """The best trials, of a configuration that was promoted from trial to trial only the best."""
    seen: list[dict[str, Any]] = []
    for record in ranking:
        if len(seen) == most:
            return
        if record.values not in seen:
            seen.append(record.values)
            yield record


def _trained(
    record: TrialRecord,
    tuner: Tuner,
    hypermodel: TrainableHyperModel,
    validation: Validation,
    splits: Splits,
    more: Examples,
) -> Member:
    hp = tuner.oracle.get_trial(record.trial_id).hyperparameters
    model = refit(hypermodel, hp, more, record.best_epoch or 0)
    features = hypermodel.constant_features(record.values, splits.test)
    test = Classifier(model, splits.classes, None).probabilities(splits.test.texts, features)
    return Member(trial_name(record.trial_id), validation.probabilities(tuner, record), test, model, record.values)
