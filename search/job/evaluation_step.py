"""The evaluation of the refitted model and the baselines on the test split."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from search.backbones.base import Backbone, SavedModule
from search.evaluation.baselines import BACKBONE_LOGISTIC_REGRESSION, FrozenBackbone, run_baselines
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
            splits,
            config.threshold,
            splits.target,
            _compared(prepared, trials),
            partial(preprocessing, splits.columns) if splits.columns else None,
            splits.content.has_words,
        ),
        milliseconds=milliseconds_per_text(classifying(classifier.model), splits.test.inputs),
    )


def _compared(prepared: Prepared, trials: Trials) -> dict[str, FrozenBackbone]:
    """The backbones under the baselines on features, by the name of the baseline.

    They are the best of the search that stayed as published, where one did, and those that nothing was learned for.
    """
    found = {}
    for record in trials.tuner.ranking():
        backbone = trials.hypermodel.backbones[str(record.values["module"])]  # of whole texts, like all baselines
        if modules := backbone.frozen_features(record.values):
            found[BACKBONE_LOGISTIC_REGRESSION] = _frozen(backbone, modules, trials)
            break
    for name, backbone in prepared.plain.items():
        found[f"{name}_logistic_regression"] = _frozen(backbone, backbone.modules, trials)
    return found


def _frozen(backbone: Backbone, modules: Sequence[SavedModule], trials: Trials) -> FrozenBackbone:
    of_split, of_texts = partial(trials.hypermodel.features, modules), partial(embedded, modules)
    return FrozenBackbone(backbone.name, of_split, of_texts)


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
