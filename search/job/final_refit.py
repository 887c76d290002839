"""The final model, which is not measured any more: the best configuration, trained on all labelled rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from search.datasets.stream import Rows
from search.evaluation.weighted import Threshold
from search.inference.labels import Labels, Predictions
from search.inference.predictor import Predictor
from search.inference.scoring import score_all
from search.job.prepare import Prepared
from search.job.run import Run
from search.job.trials import Trials
from search.job.unlabelled import opened, unlabelled_job
from search.models.classifier import Classifier
from search.models.scorer import scorer
from search.run_folder import RunFolder
from search.training.refit import refit


def refit_on_all(run: Run, prepared: Prepared, trials: Trials, threshold: Threshold) -> dict[str, Any]:
    """Trains the best configuration once more, now on the test split too, saves it, and predicts for unlabelled texts.

    It has the hyperparameters, the epochs, the seed and the threshold of the model that was tested: nothing is chosen
    by the test split. It must not be called before the test is over.

    Args:
        run: Its folder gets `model_all/`, and `submission.csv` where there are texts to predict for.
        prepared: The data and the configuration.
        trials: The trials of the search.
        threshold: The threshold of the model that was tested.

    Returns:
        For summary.json: `rows` it was trained on, `splits` they come from, `submission` (the number of predicted
        texts; None: there were none), and a sentence under `text`.
    """
    config, splits = prepared.config, prepared.splits
    learned = (*splits.refit_on, "test")
    run.say(f"Refitting trial {trials.best.trial_id} on {_spoken(learned)}: not to be evaluated")
    examples = splits.labelled
    hyperparameters, state = trials.best_trial.hyperparameters, trials.best.state
    model = refit(trials.hypermodel, hyperparameters, examples, trials.best_epoch, state)
    classifier = Classifier(model, splits.classes, threshold, splits.columns, splits.content)
    classifier.export(run.folder.model_all)
    predicted = None
    if config.dataset.unlabelled_path is not None or config.dataset.unlabelled_member is not None:
        predicted = _submit(run, classifier, prepared)
    return {
        "rows": len(examples),
        "splits": learned,
        "submission": predicted,
        "text": _told(run.folder, len(examples), _spoken(learned), predicted),
    }


def _submit(run: Run, classifier: Classifier, prepared: Prepared) -> int:
    """Writes the predictions for the unlabelled texts; returns their number."""
    job = unlabelled_job(prepared.config, run.folder.submission, classifier.columns)
    labels = Labels(classifier.classes, classifier.threshold)
    predictor = Predictor(scorer(classifier.model), labels)
    predicted = 0
    with opened(job) as stream, job.writing(stream, labels) as write:

        def count_and_write(rows: Rows, found: Predictions) -> None:
            nonlocal predicted
            predicted += len(rows.texts)
            write(rows, found)

        score_all(predictor, stream, count_and_write, run.say)
    return predicted


def _told(folder: RunFolder, rows: int, splits: str, predicted: int | None) -> str:
    model, submission = folder.model_all.name, folder.submission.name
    used = "" if predicted is None else f"; {submission} holds what it predicts for {predicted:,} rows"
    return (
        f"The test figures are those of {folder.saved_model.name}/, which was not trained on the test split; {model}/ "
        f"was trained on the {rows:,} rows of {splits} and never evaluated{used}."
    )


def _spoken(splits: Sequence[str]) -> str:
    return f"{', '.join(splits[:-1])} and {splits[-1]}"
