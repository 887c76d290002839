"""The threshold, chosen on the validation split, and the refit of the best trial."""

from __future__ import annotations

from contextlib import closing
from functools import partial

from search.evaluation.several import thresholds
from search.evaluation.threshold import chosen_threshold
from search.evaluation.weighted import Threshold
from search.job.prepare import Prepared
from search.job.run import Run
from search.job.trials import Trials
from search.models.classifier import Classifier
from search.reporting.results import ScoredRows
from search.reporting.tensorboard import REFIT, Curves, write_histograms
from search.training.refit import refit


def validate(prepared: Prepared, trials: Trials) -> ScoredRows:
    """Scores the validation split with the best trial, and chooses the threshold there if none is given.

    Args:
        prepared: The data and the configuration.
        trials: The trials of the search.

    Returns:
        The validation split, scored by the trial as trained on train alone; in cross-validation all rows of train
        together, each scored by the model that was trained without its fold.
    """
    splits = prepared.splits
    threshold: Threshold = prepared.config.threshold
    probabilities = trials.validation.probabilities(trials.tuner, trials.best)
    if threshold is None:
        threshold = chosen_threshold(splits.valid.labels, probabilities)
    elif splits.target.several:
        threshold = thresholds(threshold, len(splits.classes))
    return ScoredRows(splits.valid, splits.classes, probabilities, threshold)


def refit_best(run: Run, prepared: Prepared, trials: Trials, threshold: Threshold) -> Classifier:
    """Refits the best trial with curves for TensorBoard, and saves it.

    Args:
        run: The run, whose folder gets the model.
        prepared: The data and the configuration.
        trials: The trials of the search.
        threshold: The decision threshold.
    """
    splits, folder = prepared.splits, run.folder
    epochs = f"{trials.best_epoch} epoch{'' if trials.best_epoch == 1 else 's'}"
    run.say(f"Refitting trial {trials.best.trial_id} on {' and '.join(splits.refit_on)} for {epochs}")
    with closing(Curves(folder.tensorboard / REFIT)) as curves:
        model = refit(
            trials.hypermodel,
            trials.best_trial.hyperparameters,
            splits.refit,
            trials.best_epoch,
            trials.best.state,
            curves.add,
            partial(write_histograms, folder.tensorboard / REFIT) if prepared.config.tensorboard.histograms else None,
        )
        classifier = Classifier(model, splits.classes, threshold, splits.columns, splits.content)
        classifier.save(folder.saved_model, folder.keras_model)
    return classifier
