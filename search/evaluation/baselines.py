"""The baselines that a search has to beat: majority, three classics on word counts, a linear model on features."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from search.evaluation.baseline_models import (
    LOGISTIC_REGRESSION,
    MAJORITY,
    OneVsRest,
    majority,
    texts_of_rows,
    word_models,
    words_and_columns,
)
from search.evaluation.frozen_regression import Features, FeaturesBeside, FrozenRegression, RegressionBeside
from search.evaluation.labelled import Labelled, LabelledSplits
from search.evaluation.metric_list import Target
from search.evaluation.metrics import score
from search.evaluation.several import thresholds
from search.evaluation.threshold import chosen_threshold
from search.evaluation.weighted import Threshold
from search.utils.timing import milliseconds_per_text

BACKBONE_LOGISTIC_REGRESSION = "backbone_logistic_regression"
"""On the features of the best frozen backbone of the search. It is absent where the search tried no published module
frozen: its features are what makes it cost next to nothing."""

_NO_WORDS = ("empty vocabulary", "no terms remain")
"""How TfidfVectorizer says that there is nothing to count."""


@dataclass(frozen=True)
class FrozenBackbone:
    """A module that is never trained, by its features.

    Attributes:
        module: Name of the module.
        of_split: The features of a split's rows.
        of_texts: The features of any texts [n], not cached.
    """

    module: str
    of_split: Callable[[Any], Features]
    of_texts: Callable[[NDArray[np.object_]], Features]

    def beside(self, split: Labelled) -> FeaturesBeside:
        """The features of a split's rows, and the columns beside their texts."""
        return FeaturesBeside(self.of_split(split), split.inputs)

    def beside_rows(self, rows: NDArray[Any]) -> FeaturesBeside:
        """The same of any rows; the features are not cached."""
        return FeaturesBeside(self.of_texts(texts_of_rows(rows)), rows)


@dataclass(frozen=True)
class Baseline:
    """The results of a baseline; either `error` is set or the others are."""

    threshold: Threshold = None
    """Two classes: as given, or chosen on the validation split; 0.5 for the majority class."""
    valid: dict[str, float] | None = None
    """Metrics on the validation split, fitted on the training split."""
    test: dict[str, float] | None = None
    """Metrics on the test split, fitted on what the best of the search is refitted on."""
    probabilities: NDArray[np.float64] | None = None
    """Probabilities on the test split, float64 [n, classes]."""
    milliseconds: float | None = None
    """Time for a text of the test split, as `search.utils.timing` measures it."""
    error: str | None = None
    """Why it could not be fitted."""
    valid_probabilities: NDArray[np.float64] | None = None
    """Probabilities on the validation split, fitted on the training split, float64 [n, classes]; in cross-validation
    on all rows to learn from, each fitted without its fold."""
    model: Any = None
    """scikit-learn's, as it was scored on test."""
    module: str | None = None
    """The module whose features it is fitted on; None: it takes texts."""


def records(baselines: Mapping[str, Baseline]) -> dict[str, dict[str, Any]]:
    """Name of each baseline to its threshold, metrics and time, or to its error; nothing but what JSON holds."""
    told: dict[str, dict[str, Any]] = {}
    for name, baseline in baselines.items():
        if baseline.error is not None:
            told[name] = {"error": baseline.error}
        else:
            told[name] = {"threshold": baseline.threshold, "valid": baseline.valid, "test": baseline.test}
            told[name]["milliseconds_per_text"] = baseline.milliseconds
            if baseline.module is not None:
                told[name]["module"] = baseline.module
    return told


def run_baselines(
    splits: LabelledSplits,
    threshold: float | None = None,
    target: Target | None = None,
    frozen: Mapping[str, FrozenBackbone] | None = None,
    columns: Callable[[], Any] | None = None,
    words: bool = True,
) -> dict[str, Baseline]:
    """Fit each baseline on train, choose its threshold on valid, fit it again on more, score once on test.

    Args:
        splits: The rows.
        threshold: Two classes: as `predict` takes it; None: with the best F1 on valid.
        target: What is predicted; None: classes without an order.
        frozen: Baselines that are logistic regression on the features of a backbone, by name.
        columns: Makes scikit-learn's preprocessing of the columns beside the texts, which logistic regression, but the
            one that weighs words, takes too; None: there are none.
        words: Whether the rows have words to count.

    Returns:
        Name to outcome.
    """
    # On sparse text a solver's threads wait for each other longer than they compute: one is several times faster.
    with threadpool_limits(limits=1):
        made = word_models() if words else {MAJORITY: majority}
        found = {
            name: _run(make, splits, target, 0.5 if name == MAJORITY else threshold, _Inputs(_of_split, texts_of_rows))
            for name, make in made.items()
        }
        if columns is not None and words:
            make = partial(words_and_columns, columns)
            found[LOGISTIC_REGRESSION] = _run(make, splits, target, threshold, _Inputs(_inputs_of_split, _as_it_is))
        for name, backbone in (frozen or {}).items():
            if columns is not None:
                inputs = _Inputs(backbone.beside, backbone.beside_rows)
                fitted = _run(lambda: RegressionBeside(columns()), splits, target, threshold, inputs)
            else:
                inputs = _Inputs(backbone.of_split, backbone.of_texts)
                fitted = _run(FrozenRegression, splits, target, threshold, inputs)
            found[name] = replace(fitted, module=backbone.module)
        return found


class _Inputs(NamedTuple):
    """What a model takes of a split, and of any rows."""

    of_split: Callable[[Any], Any]
    of_rows: Callable[[NDArray[Any]], Any]


def _of_split(split: Labelled) -> NDArray[np.object_]:
    return split.texts


def _inputs_of_split(split: Labelled) -> NDArray[Any]:
    return split.inputs


def _as_it_is(rows: NDArray[Any]) -> NDArray[Any]:
    return rows


def _run(
    make: Callable[[], Any],
    splits: LabelledSplits,
    target: Target | None,
    threshold: Threshold,
    inputs: _Inputs,
) -> Baseline:
    """Fits and scores one."""
    of_split, of_rows = inputs
    valid, test, refit = splits.valid, splits.test, splits.refit
    several = refit.labels.ndim == 2
    # The rows of the refit hold every class; test may hold others.
    classes = refit.labels.shape[1] if several else 1 + int(refit.labels.max())
    make = partial(OneVsRest, make) if several else make
    valid_probabilities = np.empty((len(valid.labels), classes))
    try:
        for fold in splits.folds:
            fitted = make().fit(of_split(fold.train), fold.train.labels)
            valid_probabilities[fold.at] = _probabilities(fitted, of_split(fold.valid), classes)
        if threshold is None or (classes > 2 and not several):
            threshold = chosen_threshold(valid.labels, valid_probabilities)
        elif several:
            threshold = thresholds(threshold, classes)
        model = make().fit(of_split(refit), refit.labels)
    except ValueError as error:
        if not any(reason in str(error) for reason in _NO_WORDS):
            raise
        return Baseline(error=f"no words to count in the training texts: {error}")
    probabilities = _probabilities(model, of_split(test), classes)
    return Baseline(
        threshold,
        score(valid.labels, valid_probabilities, threshold, target),
        score(test.labels, probabilities, threshold, target),
        probabilities,
        milliseconds_per_text(lambda rows: _probabilities(model, of_rows(rows), classes), test.inputs),
        valid_probabilities=valid_probabilities,
        model=model,
    )


def _probabilities(model: Any, rows: Any, classes: int) -> NDArray[np.float64]:
    """The model's probabilities, 0 for a class that it was not fitted on."""
    probabilities = np.zeros((len(rows), classes))
    probabilities[:, model.classes_] = model.predict_proba(rows)
    return probabilities
