"""The ensemble after a search that asked for one: members, methods, one model, its files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from search.evaluation.metrics import test_metric
from search.evaluation.paired import Predictions
from search.job.ensemble_comparison import compare, fit_ensembles
from search.job.ensemble_members import members, trial_name
from search.job.latency import classifying
from search.job.prepare import Prepared
from search.job.run import Run
from search.job.trials import Trials
from search.models.classifier import Classifier
from search.models.ensembles.combiners import combined
from search.models.ensembles.ensemble_model import ensemble_model
from search.models.ensembles.member import Member
from search.models.ensembles.methods import Task
from search.reporting.results import Evaluation, ScoredRows
from search.reporting.summary import write_predictions
from search.utils.timing import milliseconds_per_text


@dataclass(frozen=True)
class Ensembled:
    """The combinations of several classifiers.

    Attributes:
        record: The `ensembles` of summary.json.
        predictions: Predictions of the chosen combination for the test split.
    """

    record: dict[str, Any]
    predictions: Predictions


def build_ensemble(
    run: Run, prepared: Prepared, trials: Trials, best: Member, evaluation: Evaluation
) -> Ensembled | None:
    """Combines the best trials and the baselines, and writes the chosen combination as one model.

    It is fitted on the validation split, which no member was trained on; the test split is scored once.

    Args:
        run: The run; `ensemble/` in its folder is written.
        prepared: The data; its configuration says how many trials.
        trials: The trials of the search.
        best: The best trial, from `best_member`.
        evaluation: The scores of the best trial alone, and the baselines.

    Returns:
        The ensemble; None where there is only one classifier.
    """
    config, splits, folder = prepared.config, prepared.splits, run.folder.ensemble
    found = members(prepared, trials, best, evaluation.baselines, run.say)
    if len(found) < 2:
        run.say("No ensemble: there is nothing to combine the best trial with")
        return None
    task = Task(test_metric(prepared.objective.name), config.threshold, splits.target)
    valid, seed = np.stack([member.valid for member in found]), config.seed
    ensembles = fit_ensembles(valid, splits.valid.labels, task, seed)
    alone = evaluation.scored.predictions
    record = compare(found, ensembles, splits.valid.labels, splits.test.labels, alone, task, seed)

    chosen = ensembles[record["chosen"]]
    probabilities = combined(chosen.combiner, np.stack([member.test for member in found]))
    scored = ScoredRows(splits.test, splits.classes, probabilities, chosen.threshold, splits.unseen)
    write_predictions(folder / "predictions.csv", scored)
    model = ensemble_model(found, chosen.combiner, splits.columns)
    Classifier(model, splits.classes, chosen.threshold, splits.columns, splits.content).export(folder / "model")
    record["milliseconds_per_text"] = milliseconds_per_text(classifying(model), splits.test.inputs)
    return Ensembled(record, scored.predictions)


def best_member(trials: Trials, classifier: Classifier, valid: ScoredRows, test: ScoredRows) -> Member:
    """Makes the refitted best trial a member."""
    return Member(trial_name(trials.best.trial_id), valid.probabilities, test.probabilities, classifier.model)
