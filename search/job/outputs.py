"""The outputs of a run: the summary, the predictions, TensorBoard, the report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from omegaconf import OmegaConf

from search.backbones.catalog import catalog
from search.datasets import Splits
from search.datasets.content import TEXT
from search.datasets.text_columns import text_columns
from search.evaluation.baselines import records
from search.evaluation.metrics import score
from search.evaluation.per_class import per_class
from search.evaluation.verdict import Verdict
from search.job.ensemble import Ensembled
from search.job.inputs import Inputs
from search.job.prepare import Prepared
from search.job.run import Run
from search.job.timed_models import tried
from search.job.trials import Trials
from search.models.classifier import Classifier
from search.reporting.provenance import provenance, write_packages
from search.reporting.report.measurements import write_measurements
from search.reporting.results import Evaluation, ScoredRows
from search.reporting.summary import count_trials, fold_spread, versions, write_predictions
from search.reporting.tensorboard import write_result
from search.utils.files import write_json


@dataclass(frozen=True)
class Answer:
    """The results of all steps after the search.

    Attributes:
        classifier: The refitted best trial.
        valid: The validation split, scored by the trial itself.
        evaluation: The test split, scored by the refitted model and the baselines.
        ensemble: Several models as one; None: not asked for, or nothing to combine.
        verdict: Whether model and ensemble beat the baselines.
        final_refit: The model of all labelled rows, for the summary; None: not asked for.
    """

    classifier: Classifier
    valid: ScoredRows
    evaluation: Evaluation
    ensemble: Ensembled | None
    verdict: Verdict
    final_refit: Mapping[str, Any] | None


def write_outputs(run: Run, prepared: Prepared, trials: Trials, answer: Answer) -> dict[str, Any]:
    """Writes all outputs of a run but the report.

    Args:
        run: Its folder gets the files.
        prepared: The data and the configuration.
        trials: The trials of the search.
        answer: The results of the steps after it.

    Returns:
        The summary, as in summary.json.
    """
    folder, splits, classifier, evaluation = run.folder, prepared.splits, answer.classifier, answer.evaluation
    write_predictions(folder.predictions, evaluation.scored)
    summary = _summary(run, prepared, trials, answer)
    last_hidden = partial(classifier.last_hidden, splits.test.inputs, trials.features(splits.test))
    write_result(folder.tensorboard, summary, classifier.model, evaluation.scored, last_hidden, run.say)
    models = tried(trials.tuner, trials.hypermodel)
    known = catalog(run.catalogs)
    write_measurements(folder, splits, evaluation, classifier.probabilities, models, known, trials.passes)
    write_packages(folder.packages)
    # The last but for the report: where it is, the run has ended.
    write_json(folder.summary, summary)
    return summary


def _provenance(run: Run) -> dict[str, Any]:
    """The origin of the answer; that of a run which an earlier version began lacks its data."""
    inputs = Inputs.read(run.folder.inputs) or Inputs({})
    data = {key: asdict(one.checksum) for key, one in inputs.data.items()}
    overrides = OmegaConf.to_container(OmegaConf.load(run.folder.overrides), resolve=False)
    assert isinstance(overrides, list)
    return provenance(data, map(str, overrides), inputs.catalogs)


def _of_several(splits: Splits, scored: ScoredRows) -> dict[str, Any]:
    """For summary.json: the rows of each split, which the counts of labels do not add up to, and each label on test."""
    if not splits.target.several:
        return {}
    rows = {name: len(split) for name, split in splits.parts.items()}
    labels = per_class(splits.classes, scored.examples.labels, scored.probabilities, scored.predicted)
    return {"several": True, "rows": rows, "labels": labels}


def _summary(run: Run, prepared: Prepared, trials: Trials, answer: Answer) -> dict[str, Any]:
    config, splits, objective, best = prepared.config, prepared.splits, prepared.objective, trials.best
    texts = text_columns(config.dataset.text)
    valid, evaluation = answer.valid, answer.evaluation
    summary = {
        "dataset": config.dataset.name,
        "classes": splits.classes,
        "unseen": splits.unseen,
        "rare": dict(splits.rare),
        "sizes": splits.sizes(),
        "cleaning": asdict(splits.cleaning),
        "refit_on": splits.refit_on,
        "objective": {"name": objective.name, "direction": objective.direction},
        "seed": config.seed,
        "best_trial": best.trial_id,
        "best_epoch": best.best_epoch,
        "score": best.score,
        "best": best.values,
        "threshold": valid.threshold,
        "valid": score(splits.valid.labels, valid.probabilities, valid.threshold, splits.target),
        "test": evaluation.metrics,
        "test_interval": evaluation.interval,
        "milliseconds_per_text": evaluation.milliseconds,
        "latency": prepared.limit.outcome(evaluation.milliseconds),
        "baselines": records(evaluation.baselines),
        "verdict": answer.verdict.record(),
        "trials": count_trials(trials.tuner.records.values()),
        "seconds": run.stopwatch.seconds(),
        "versions": versions(),
        "device": run.device,
        **_provenance(run),
    }
    more = {
        "content": None if splits.content is TEXT else splits.content.name,
        "ordered": splits.ordered or None,
        **_of_several(splits, evaluation.scored),
        "folds": fold_spread(best.fold_scores, prepared.splits.few),
        "ensembles": answer.ensemble.record if answer.ensemble else None,
        "final_refit": answer.final_refit,
        "texts": [*texts] if len(texts) > 1 else None,
        "columns": [asdict(one) for one in splits.columns] or None,
    }
    return {**summary, **{name: value for name, value in more.items() if value is not None}}
