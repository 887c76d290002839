"""What a run leaves behind once its answer is known: the summary, the predictions, the pictures, the report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from search.backbones.catalog import catalog
from search.evaluation.baselines import records
from search.job.answer import Answer
from search.job.prepare import Prepared
from search.job.timed_models import tried
from search.job.trials import Trials
from search.reporting.report.measurements import write_measurements
from search.reporting.report.write import write_report
from search.reporting.summary import count_trials, fold_spread, versions, write_predictions
from search.reporting.tensorboard import write_result
from search.run_folder import RunFolder
from search.utils.files import write_json
from search.utils.stopwatch import Stopwatch


def write_outputs(
    prepared: Prepared,
    trials: Trials,
    answer: Answer,
    folder: RunFolder,
    catalogs: Sequence[Path],
    device: str,
    stopwatch: Stopwatch,
    say: Callable[[str], None],
) -> dict[str, Any]:
    """Writes what is made of the answer.

    Args:
        prepared: The data, and what was asked for.
        trials: What the search found.
        answer: The refitted best trial.
        folder: The run's.
        catalogs: Folders whose `module/*.yaml` name modules.
        device: What it all ran on, in words.
        stopwatch: What the phases took.
        say: Is told what cannot be made.

    Returns:
        The summary, as in summary.json.
    """
    splits, classifier = prepared.splits, answer.classifier
    write_predictions(folder.predictions, splits.test, splits.classes, answer.predicted, answer.probabilities)
    summary = _summary(prepared, trials, answer, device, stopwatch)
    write_result(
        folder.tensorboard,
        summary,
        classifier.model,
        splits.test,
        answer.predicted,
        answer.probabilities,
        partial(classifier.last_hidden, splits.test.texts, trials.features(splits.test)),
        say,
    )
    write_measurements(
        folder,
        splits,
        answer.probabilities,
        classifier.threshold,
        classifier.probabilities,
        answer.milliseconds,
        answer.baselines,
        *tried(trials.tuner, trials.hypermodel),
        catalog(catalogs),
        trials.passes,
    )
    # The last but for the report: where it is, the run has ended.
    write_json(folder.summary, summary)
    write_report(folder.path)
    return summary


def _summary(prepared: Prepared, trials: Trials, answer: Answer, device: str, stopwatch: Stopwatch) -> dict[str, Any]:
    config, splits, objective, best = prepared.config, prepared.splits, prepared.objective, trials.best
    summary = {
        "dataset": config.dataset.name,
        "classes": splits.classes,
        "sizes": splits.sizes(),
        "cleaning": asdict(splits.cleaning),
        "refit_on": splits.refit_on,
        "objective": {"name": objective.name, "direction": objective.direction},
        "seed": config.seed,
        "best_trial": best.trial_id,
        "best_epoch": best.best_epoch,
        "score": best.score,
        "best": best.values,
        "threshold": answer.classifier.threshold,
        "valid": answer.valid,
        "test": answer.test,
        "test_interval": answer.test_interval,
        "milliseconds_per_text": answer.milliseconds,
        "latency": prepared.limit.outcome(answer.milliseconds),
        "baselines": records(answer.baselines),
        "verdict": answer.verdict.record(),
        "trials": count_trials(trials.tuner.records.values()),
        "seconds": stopwatch.seconds(),
        "versions": versions(),
        "device": device,
    }
    more = {"folds": fold_spread(best.fold_scores), "ensembles": answer.ensembles, "final_refit": answer.final_refit}
    return {**summary, **{name: value for name, value in more.items() if value is not None}}
