"""Logistic regression on word counts that are weighted by how much more often a class has the word than the others."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.special import expit
from sklearn.base import BaseEstimator, ClassifierMixin

from search.evaluation.word_pairs import word_regression

_UNSEEN = 1.0
"""Added to the counts of every word, so that one which a class has never is weighted by a finite number."""


class NaiveBayesWeightedRegression(ClassifierMixin, BaseEstimator):
    """Each class against the rest by a linear model on counts times the naive Bayes log-count ratio of the word.

    The idea is NB-SVM's (Wang & Manning 2012, "Baselines and Bigrams", https://aclanthology.org/P12-2018), with
    logistic regression in place of the support vector machine, since it gives probabilities. Over several classes these
    are made to add up to 1.

    Args:
        C: The inverse of the strength of the L2 penalty.

    Attributes:
        classes_: The labels, sorted, [classes].
        coef_: Weights of the counts themselves, the ratios multiplied in, float64 [1 or classes, words].
        intercept_: float64 [1 or classes]. Of two classes there is one model, of the second one.

    Example:
        >>> import numpy as np
        >>> from scipy.sparse import csr_matrix
        >>> counts = csr_matrix([[2.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 2.0]])
        >>> model = NaiveBayesWeightedRegression().fit(counts, np.array([0, 0, 1, 1]))
        >>> model.predict_proba(counts).argmax(axis=1).tolist()
        [0, 0, 1, 1]
    """

    one_against_rest = True
    """Whether each class has a model of its own, whose logistic functions are made to add up to 1."""

    def __init__(self, C: float = 4.0) -> None:
        self.C = C

    def fit(self, counts: csr_matrix, labels: NDArray[Any]) -> Self:
        """Fits a model for each class.

        Args:
            counts: Not negative, sparse float64 [rows, words].
            labels: [rows].
        """
        self.classes_ = np.unique(labels)
        modelled = self.classes_[1:] if len(self.classes_) == 2 else self.classes_
        fitted = [self._against_rest(counts, labels == one) for one in modelled]
        self.coef_ = np.array([weights for weights, _ in fitted])
        self.intercept_ = np.array([bias for _, bias in fitted])
        return self

    def predict_proba(self, counts: csr_matrix) -> NDArray[np.float64]:
        """Gives probabilities, float64 [rows, classes]."""
        each = expit(counts @ self.coef_.T + self.intercept_)
        if len(self.classes_) == 2:
            return np.hstack([1 - each, each])
        shares: NDArray[np.float64] = each / each.sum(axis=1, keepdims=True)
        return shares

    def _against_rest(self, counts: csr_matrix, chosen: NDArray[np.bool_]) -> tuple[NDArray[np.float64], float]:
        ratios = _log_share(counts[chosen]) - _log_share(counts[~chosen])
        model = word_regression(self.C)
        model.fit(counts.multiply(ratios).tocsr(), chosen)
        return model.coef_[0] * ratios, float(model.intercept_[0])


def _log_share(counts: csr_matrix) -> NDArray[np.float64]:
    """The logarithm of each word's share of all counts, float64 [words]."""
    sums = np.asarray(counts.sum(axis=0), np.float64).ravel() + _UNSEEN
    logarithms: NDArray[np.float64] = np.log(sums / sums.sum())
    return logarithms
