"""The baselines that a search has to beat: majority, three classics on word counts, a linear model on features."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from search.evaluation.baseline_models import (
    LOGISTIC_REGRESSION,
    MAJORITY,
    OneVsRest,
    texts_of_rows,
    word_models,
    words_and_columns,
)
from search.evaluation.frozen_regression import Features, FeaturesBeside, FrozenRegression, RegressionBeside
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


class Labelled(Protocol):
    """Texts and their classes."""

    @property
    def texts(self) -> NDArray[np.object_]:
        """Strings [n]."""

    @property
    def labels(self) -> NDArray[np.int64]:
        """Indices of classes, int64 [n]."""

    @property
    def inputs(self) -> NDArray[Any]:
        """The texts, or a structured array whose first field they are; the others are columns beside them."""


class LabelledFold(Protocol):
    """Rows to fit on, and others to judge by: see `search.datasets.Fold`."""

    @property
    def train(self) -> Labelled:
        """The former."""

    @property
    def valid(self) -> Labelled:
        """The latter."""

    @property
    def at(self) -> NDArray[np.int64]:
        """Their places among the rows that all folds judge by, int64 [rows of `valid`]."""


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
    folds: Sequence[LabelledFold],
    valid: Labelled,
    test: Labelled,
    refit: Labelled,
    threshold: float | None = None,
    target: Target | None = None,
    frozen: FrozenBackbone | None = None,
    columns: Callable[[], Any] | None = None,
) -> dict[str, Baseline]:
    """Fit each baseline on train, choose its threshold on valid, fit it again on more, score once on test.

    Args:
        folds: What it is fitted on, rows of every class, and judged by, in turn.
        valid: The rows that it is judged by in all folds, which the threshold comes from.
        test: Rows that nothing is fitted on.
        refit: Rows that the models scored on test are fitted on: train, with or without valid.
        threshold: Two classes: as `predict` takes it; None: with the best F1 on valid.
        target: What is predicted; None: classes without an order.
        frozen: What `BACKBONE_LOGISTIC_REGRESSION` is fitted on; None: it is absent.
        columns: Makes scikit-learn's preprocessing of the columns beside the texts, which both kinds of logistic
            regression but the one that weighs words take too; None: there are none.

    Returns:
        Name to outcome.
    """
    rows = _Rows(folds, valid, test, refit, target)
    # On sparse text a solver's threads wait for each other longer than they compute: one is several times faster.
    with threadpool_limits(limits=1):
        found = {
            name: _run(make, rows, 0.5 if name == MAJORITY else threshold, _of_split, texts_of_rows)
            for name, make in word_models().items()
        }
        if columns is not None:
            make = partial(words_and_columns, columns)
            found[LOGISTIC_REGRESSION] = _run(make, rows, threshold, _inputs_of_split, _as_it_is)
        if frozen is not None and columns is not None:
            fitted = _run(lambda: RegressionBeside(columns()), rows, threshold, frozen.beside, frozen.beside_rows)
            found[BACKBONE_LOGISTIC_REGRESSION] = replace(fitted, module=frozen.module)
        elif frozen is not None:
            fitted = _run(FrozenRegression, rows, threshold, frozen.of_split, frozen.of_texts)
            found[BACKBONE_LOGISTIC_REGRESSION] = replace(fitted, module=frozen.module)
        return found


class _Rows(NamedTuple):
    folds: Sequence[LabelledFold]
    valid: Labelled
    test: Labelled
    refit: Labelled
    target: Target | None


def _of_split(split: Labelled) -> NDArray[np.object_]:
    return split.texts


def _inputs_of_split(split: Labelled) -> NDArray[Any]:
    return split.inputs


def _as_it_is(rows: NDArray[Any]) -> NDArray[Any]:
    return rows


def _run(
    make: Callable[[], Any],
    rows: _Rows,
    threshold: Threshold,
    of_split: Callable[[Labelled], Any],
    of_rows: Callable[[NDArray[Any]], Any],
) -> Baseline:
    """Fits and scores one; `of_split` and `of_rows` give what it takes."""
    folds, valid, test, refit, target = rows
    several = refit.labels.ndim == 2
    # The rows of the refit hold every class; test may hold others.
    classes = refit.labels.shape[1] if several else 1 + int(refit.labels.max())
    make = partial(OneVsRest, make) if several else make
    valid_probabilities = np.empty((len(valid.labels), classes))
    try:
        for fold in folds:
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
