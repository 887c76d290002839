"""The evaluation of the refitted model and the baselines on the test split."""

from __future__ import annotations

from functools import partial

from search.evaluation.baselines import FrozenBackbone, run_baselines
from search.evaluation.bootstrap import intervals
from search.evaluation.metrics import score, test_metric
from search.evaluation.paired import Predictions
from search.evaluation.verdict import Verdict, judge
from search.features.splits import embedded
from search.job.ensemble import Ensembled
from search.job.latency import classifying
from search.job.prepare import Prepared
from search.job.trials import Trials
from search.models.beside.preprocessing import preprocessing
from search.models.classifier import Classifier
from search.reporting.results import Evaluation, ScoredRows
from search.utils.timing import milliseconds_per_text


def evaluate(prepared: Prepared, trials: Trials, classifier: Classifier) -> Evaluation:
    """Scores the test split once with the refitted model, and with the baselines.

    Args:
        prepared: The data and the configuration.
        trials: The trials of the search.
        classifier: The refitted best trial.
    """
    config, splits, threshold = prepared.config, prepared.splits, classifier.threshold
    probabilities = classifier.probabilities(splits.test.inputs, trials.features(splits.test))
    return Evaluation(
        ScoredRows(splits.test, splits.classes, probabilities, threshold, splits.unseen),
        score(splits.test.labels, probabilities, threshold, splits.target),
        intervals(splits.test.labels, probabilities, threshold, splits.target, seed=config.seed),
        baselines=run_baselines(
            splits.folds,
            splits.valid,
            splits.test,
            splits.refit,
            config.threshold,
            splits.target,
            _best_frozen(trials),
            partial(preprocessing, splits.columns) if splits.columns else None,
        ),
        milliseconds=milliseconds_per_text(classifying(classifier.model), splits.test.inputs),
    )


def _best_frozen(trials: Trials) -> FrozenBackbone | None:
    """The backbone that did best without training of published weights; None where none was tried so."""
    for record in trials.tuner.ranking():
        backbone = trials.hypermodel.backbones[str(record.values["module"])]  # of whole texts, like all baselines
        if modules := backbone.frozen_features(record.values):
            of_split, of_texts = partial(trials.hypermodel.features, modules), partial(embedded, modules)
            return FrozenBackbone(backbone.name, of_split, of_texts)
    return None


def judged(prepared: Prepared, evaluation: Evaluation, ensemble: Ensembled | None) -> Verdict:
    """Compares the model, and the ensemble where there is one, with the best baseline on the test split."""
    return judge(
        prepared.splits.test.labels,
        evaluation.scored.predictions,
        {
            name: Predictions(one.probabilities, one.threshold)
            for name, one in evaluation.baselines.items()
            if one.probabilities is not None
        },
        test_metric(prepared.objective.name),
        ensemble=(ensemble.record["chosen"], ensemble.predictions) if ensemble else None,
        seed=prepared.config.seed,
    )
