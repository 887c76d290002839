"""What comes after a search that asked for an ensemble: members, methods, one model, its files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import keras_tuner
import numpy as np

from search.config import Config
from search.datasets import Splits
from search.evaluation.baselines import Baseline
from search.evaluation.metrics import predict, test_metric
from search.evaluation.paired import Predictions
from search.job.ensemble_comparison import compare, fit_ensembles
from search.job.ensemble_members import members
from search.job.latency import classifying
from search.job.validation import Validation
from search.models.classifier import Classifier
from search.models.ensembles.combiners import combined
from search.models.ensembles.member import Member
from search.models.ensembles.methods import Task
from search.models.ensembles.model import ensemble_model
from search.reporting.summary import write_predictions
from search.run_folder import RunFolder
from search.training.trainable import TrainableHyperModel
from search.tuning.tuner import Tuner
from search.utils.timing import milliseconds_per_text


@dataclass(frozen=True)
class Built:
    """The combinations of several classifiers.

    Attributes:
        record: The `ensembles` of summary.json.
        predictions: What the chosen one says of the test split.
    """

    record: dict[str, Any]
    predictions: Predictions


def build_ensemble(
    config: Config,
    tuner: Tuner,
    hypermodel: TrainableHyperModel,
    validation: Validation,
    splits: Splits,
    single: Member,
    threshold: float | None,
    baselines: Mapping[str, Baseline],
    objective: keras_tuner.Objective,
    folder: RunFolder,
    say: Callable[[str], None],
) -> Built | None:
    """Combines the best trials and the baselines, and writes the chosen combination as one model.

    Args:
        config: `ensemble.trials` says how many trials.
        tuner: Has ended.
        hypermodel: Makes its models.
        validation: How they were judged.
        splits: All rows. What combines is fitted on valid, which no member was trained on; test is scored once.
        single: The best trial: its refitted model and probabilities.
        threshold: With which it alone decides.
        baselines: Fitted.
        objective: The combinations are chosen by it, too.
        folder: Of the run; its `ensemble/` is written.
        say: Is told what goes on.

    Returns:
        What was made; None where none is asked for, or there is but one classifier.
    """
    if not config.ensemble.trials:
        return None
    found = members(config.ensemble.trials, single, tuner, hypermodel, validation, splits, baselines, say)
    if len(found) < 2:
        say("No ensemble: there is nothing to combine the best trial with")
        return None
    task = Task(test_metric(objective.name), config.threshold)
    valid, seed = np.stack([member.valid for member in found]), config.seed
    ensembles = fit_ensembles(valid, splits.valid.labels, task, seed)
    alone = Predictions(single.test, threshold)
    summary = compare(found, ensembles, splits.valid.labels, splits.test.labels, alone, task, seed)

    best = ensembles[summary["chosen"]]
    probabilities = combined(best.combiner, np.stack([member.test for member in found]))
    predicted = predict(probabilities, best.threshold)
    write_predictions(folder.ensemble / "predictions.csv", splits.test, splits.classes, predicted, probabilities)
    model = ensemble_model(found, best.combiner)
    Classifier(model, splits.classes, best.threshold).export(folder.ensemble / "model")
    summary["milliseconds_per_text"] = milliseconds_per_text(classifying(model), splits.test.texts)
    return Built(summary, Predictions(probabilities, best.threshold))
