"""Logistic regression on the features of a frozen backbone, its penalty chosen by cross-validation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedKFold, train_test_split
from sklearn.utils.class_weight import compute_sample_weight

_PENALTIES = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
"""Inverse strengths of the L2 penalty, on features of variance 1; the first where there is nothing to choose by."""
_FOLDS = 3
# What keeps the time within seconds: rows that the penalty is chosen on, and that the model is fitted on.
_TO_CHOOSE, _TO_FIT = 5_000, 100_000
_ROUGH, _FINE = 1e-3, 1e-4
"""Where the optimizer stops: to choose by the loss needs no more digits."""
_BATCH = 8192


class Features(Protocol):
    """Vectors of texts, in memory or on disk: see `search.features.cache.Features`."""

    def __len__(self) -> int:
        """Number of texts."""

    def take(self, rows: NDArray[np.int64]) -> NDArray[np.floating]:
        """Vectors of some texts, [k, dim]."""


class FrozenRegression:
    """A linear model on features, which are brought to mean 0 and variance 1, with classes weighted alike.

    Of more rows than keep the fit within seconds it learns from a stratified sample, the same one every time.

    Attributes:
        classes_: The labels, sorted, [classes].
        coef_: Weights of the features as they come, float64 [1 or classes, dim].
        intercept_: float64 [1 or classes]. Of two classes there is one model, of the second one.
        penalty_: The inverse strength that was chosen.
    """

    def fit(self, features: Features, labels: NDArray[np.int64]) -> Self:
        """Chooses the penalty by the log loss on held-out folds of these rows, then fits all of them.

        Args:
            features: Of the rows.
            labels: [rows].
        """
        rows = _sample(np.arange(len(labels)), labels, _TO_FIT)
        vectors, labels = features.take(rows), labels[rows]
        mean, deviation = vectors.mean(axis=0), vectors.std(axis=0)
        scale = np.where(deviation > 0, deviation, 1).astype(vectors.dtype)
        vectors -= mean
        vectors /= scale
        self.penalty_ = _chosen(vectors, labels)
        model = _model(self.penalty_, _FINE).fit(vectors, labels)
        self.classes_ = model.classes_
        self.coef_ = model.coef_.astype(np.float64) / scale
        self.intercept_ = model.intercept_ - self.coef_ @ mean.astype(np.float64)
        return self

    def predict_proba(self, features: Features) -> NDArray[np.float64]:
        """Gives probabilities, float64 [rows, classes]."""
        logits = np.empty((len(features), len(self.coef_)))
        for start in range(0, len(features), _BATCH):
            rows = np.arange(start, min(start + _BATCH, len(features)))
            logits[rows] = features.take(rows) @ self.coef_.T + self.intercept_
        if len(self.classes_) == 2:
            logits = np.hstack([np.zeros_like(logits), logits])
        probabilities: NDArray[np.float64] = softmax(logits, axis=1)
        return probabilities


@dataclass(frozen=True)
class FeaturesBeside:
    """Vectors of texts, and the rows that they are of.

    Attributes:
        features: The vectors.
        rows: Texts with the columns beside them, structured [n].
    """

    features: Features
    rows: NDArray[Any]

    def __len__(self) -> int:
        return len(self.rows)


class RegressionBeside(FrozenRegression):
    """The same linear model on features and on the columns beside the texts.

    Args:
        columns: scikit-learn's preprocessing of the columns, which is fitted on the same rows.

    Attributes:
        columns: The preprocessing.
    """

    def __init__(self, columns: Any) -> None:
        self.columns = columns

    def fit(self, features: Any, labels: NDArray[np.int64]) -> Self:
        """See `FrozenRegression.fit`; the features are `FeaturesBeside`."""
        self.columns.fit(features.rows)
        return super().fit(self._joined(features), labels)

    def predict_proba(self, features: Any) -> NDArray[np.float64]:
        """See `FrozenRegression.predict_proba`; the features are `FeaturesBeside`."""
        return super().predict_proba(self._joined(features))

    def _joined(self, features: FeaturesBeside) -> Features:
        return _Joined(features.features, self.columns.transform(features.rows).astype(np.float32))


@dataclass(frozen=True)
class _Joined:
    features: Features
    columns: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.columns)

    def take(self, rows: NDArray[np.int64]) -> NDArray[np.floating]:
        return np.concatenate([self.features.take(rows), self.columns[rows]], axis=1)


def _model(penalty: float, tolerance: float) -> LogisticRegression:
    return LogisticRegression(C=penalty, class_weight="balanced", max_iter=1000, tol=tolerance, warm_start=True)


def _chosen(vectors: NDArray[np.floating], labels: NDArray[np.int64]) -> float:
    """The penalty with the least loss over folds, classes weighted alike."""
    rows = _sample(np.arange(len(labels)), labels, _TO_CHOOSE)
    vectors, labels = vectors[rows], labels[rows]
    folds = min(_FOLDS, int(np.unique(labels, return_counts=True)[1].min()))
    if folds < 2:
        return _PENALTIES[0]
    losses = np.zeros(len(_PENALTIES))
    for train, held in StratifiedKFold(folds, shuffle=True, random_state=0).split(vectors, labels):
        model = _model(_PENALTIES[0], _ROUGH)
        weights = compute_sample_weight("balanced", labels[held])
        for place, penalty in enumerate(_PENALTIES):  # each begins where the stronger one before it ended
            model.set_params(C=penalty).fit(vectors[train], labels[train])
            found = model.predict_proba(vectors[held])
            losses[place] += log_loss(labels[held], found, sample_weight=weights, labels=model.classes_)
    return _PENALTIES[int(losses.argmin())]


def _sample(rows: NDArray[np.int64], labels: NDArray[np.int64], most: int) -> NDArray[Any]:
    """So many of the rows, each class in its share, in their order."""
    if len(rows) <= most:
        return rows
    taken, _ = train_test_split(rows, train_size=most, stratify=labels, random_state=0)
    return np.sort(taken)
