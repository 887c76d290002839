"""From the best trial to the answer: its threshold, its refit, and how good it is on the test split."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search.evaluation.baselines import Baseline, run_baselines
from search.evaluation.bootstrap import intervals
from search.evaluation.metrics import predict, score, test_metric
from search.evaluation.paired import Predictions
from search.evaluation.threshold import best_threshold
from search.evaluation.verdict import Verdict, judge
from search.job.ensemble import Built, build_ensemble
from search.job.ensemble_members import trial_name
from search.job.final_refit import refit_on_all
from search.job.latency import classifying
from search.job.prepare import Prepared
from search.job.trials import Trials
from search.models.classifier import Classifier
from search.models.ensembles.member import Member
from search.reporting.screen import Screen
from search.reporting.tensorboard import REFIT, Curves, write_best, write_histograms
from search.run_folder import RunFolder
from search.training.refit import refit
from search.utils.stopwatch import Stopwatch
from search.utils.timing import milliseconds_per_text

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Answer:
    """The refitted best trial, and how good it is.

    Attributes:
        classifier: The model, its classes and threshold.
        valid: Metrics of the trial, trained on train alone, on the validation split; in cross-validation of all rows of
            train together, each scored by the model that was trained without its fold.
        probabilities: Of the refitted model for the test split, float64 [n, classes].
        predicted: Its classes, int64 [n].
        test: Metrics on the test split.
        test_interval: Their 95 % intervals.
        milliseconds: What a text takes.
        baselines: What it had to beat.
        verdict: Whether it did, and the ensemble.
        ensembles: What several models do together, for the summary; None: not asked for.
        final_refit: What the best configuration was trained on once it was tested; None: not asked for.
    """

    classifier: Classifier
    valid: Mapping[str, float]
    probabilities: Floats
    predicted: NDArray[np.int64]
    test: Mapping[str, float]
    test_interval: Mapping[str, Any]
    milliseconds: float
    baselines: Mapping[str, Baseline]
    verdict: Verdict
    ensembles: Mapping[str, Any] | None
    final_refit: Mapping[str, Any] | None


def find_answer(prepared: Prepared, trials: Trials, folder: RunFolder, screen: Screen, stopwatch: Stopwatch) -> Answer:
    """Chooses the threshold on valid, refits the best trial, saves it, and scores it once on test.

    Args:
        prepared: The data, and what was asked for.
        trials: What the search found.
        folder: The run's, which the model is written to.
        screen: Is told what is done.
        stopwatch: Counts the phases `refit`, `test` and `ensemble`.
    """
    config, splits, best = prepared.config, prepared.splits, trials.best
    valid_probabilities = trials.validation.probabilities(trials.tuner, best)
    threshold = config.threshold
    if threshold is None and len(splits.classes) == 2:
        threshold = best_threshold(splits.valid.labels, valid_probabilities)
    write_best(
        folder.tensorboard / "best",
        best,
        trials.tuner.records,
        trials.scored_epochs,
        splits.valid.labels,
        valid_probabilities,
        splits.classes,
        screen.say,
    )
    with stopwatch("refit"), closing(Curves(folder.tensorboard / REFIT)) as curves:
        epochs = f"{trials.best_epoch} epoch{'' if trials.best_epoch == 1 else 's'}"
        screen.say(f"Refitting trial {best.trial_id} on {' and '.join(splits.refit_on)} for {epochs}")
        model = refit(
            trials.hypermodel,
            trials.best_trial.hyperparameters,
            splits.refit,
            trials.best_epoch,
            curves.add,
            partial(write_histograms, folder.tensorboard / REFIT) if config.tensorboard.histograms else None,
        )
        classifier = Classifier(model, splits.classes, threshold)
        classifier.save(folder.saved_model, folder.keras_model)
    with stopwatch("test"):
        probabilities = classifier.probabilities(splits.test.texts, trials.features(splits.test))
        test = score(splits.test.labels, probabilities, threshold)
        test_interval = intervals(splits.test.labels, probabilities, threshold, seed=config.seed)
        baselines = run_baselines(splits.folds, splits.valid, splits.test, splits.refit, config.threshold)
        milliseconds = milliseconds_per_text(classifying(model), splits.test.texts)
    built = None
    if config.ensemble.trials:
        with stopwatch("ensemble"):
            single = Member(trial_name(best.trial_id), valid_probabilities, probabilities, model)
            built = _built(prepared, trials, single, threshold, baselines, folder, screen.say)
    with stopwatch("test"):
        verdict = _judged(prepared, Predictions(probabilities, threshold), baselines, built)
    final_refit = None
    if config.final_refit:  # the last: by now nothing is left that the test split must be kept for
        with stopwatch("final_refit"):
            final_refit = refit_on_all(prepared, trials, threshold, folder, screen.say)
    return Answer(
        classifier,
        score(splits.valid.labels, valid_probabilities, threshold),
        probabilities,
        predict(probabilities, threshold),
        test,
        test_interval,
        milliseconds,
        baselines,
        verdict,
        built.record if built else None,
        final_refit,
    )


def ensemble_of(
    prepared: Prepared, trials: Trials, threshold: float | None, folder: RunFolder, say: Callable[[str], None]
) -> tuple[Mapping[str, Any], Mapping[str, Any]] | None:
    """Makes the ensemble of a run that has ended; its best trial and the baselines are trained as they were.

    Args:
        prepared: The data, and what was asked for.
        trials: What the search found.
        threshold: Of the model that was tested.
        folder: The run's; `ensemble/` is written there.
        say: Is told what is done.

    Returns:
        The `ensembles` and the `verdict` for summary.json; None where there is nothing to combine.
    """
    config, splits, best = prepared.config, prepared.splits, trials.best
    say(f"Refitting trial {best.trial_id} for the ensemble")
    model = refit(trials.hypermodel, trials.best_trial.hyperparameters, splits.refit, trials.best_epoch)
    classifier = Classifier(model, splits.classes, threshold)
    probabilities = classifier.probabilities(splits.test.texts, trials.features(splits.test))
    valid = trials.validation.probabilities(trials.tuner, best)
    baselines = run_baselines(splits.folds, splits.valid, splits.test, splits.refit, config.threshold)
    single = Member(trial_name(best.trial_id), valid, probabilities, model)
    built = _built(prepared, trials, single, threshold, baselines, folder, say)
    if built is None:
        return None
    return built.record, _judged(prepared, Predictions(probabilities, threshold), baselines, built).record()


def _built(
    prepared: Prepared,
    trials: Trials,
    single: Member,
    threshold: float | None,
    baselines: Mapping[str, Baseline],
    folder: RunFolder,
    say: Callable[[str], None],
) -> Built | None:
    return build_ensemble(
        prepared.config,
        trials.tuner,
        trials.hypermodel,
        trials.validation,
        prepared.splits,
        single,
        threshold,
        baselines,
        prepared.objective,
        folder,
        say,
    )


def _judged(prepared: Prepared, model: Predictions, baselines: Mapping[str, Baseline], built: Built | None) -> Verdict:
    """How the model, and the ensemble where there is one, stand to the best baseline on test."""
    return judge(
        prepared.splits.test.labels,
        model,
        {
            name: Predictions(one.probabilities, one.threshold)
            for name, one in baselines.items()
            if one.probabilities is not None
        },
        test_metric(prepared.objective.name),
        ensemble=(built.record["chosen"], built.predictions) if built else None,
        seed=prepared.config.seed,
    )
