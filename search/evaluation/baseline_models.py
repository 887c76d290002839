"""The models of the baselines that take texts: majority, and three classics on word counts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.dummy import DummyClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer

from search.evaluation.naive_bayes_weights import NaiveBayesWeightedRegression
from search.evaluation.word_pairs import word_regression, words_and_pairs

MAJORITY = "majority"
NAIVE_BAYES = "tfidf_naive_bayes"
LOGISTIC_REGRESSION = "tfidf_logistic_regression"
NB_LOGISTIC_REGRESSION = "tfidf_nb_logistic_regression"
"""The second with the ratios of the first as weights, as NB-SVM does."""


def word_models() -> dict[str, Callable[[], Any]]:
    """Makes the models, by name: each has scikit-learn's `fit` of texts [n] and labels [n], which gives the fitted one.

    Models that count the same texts in the same way share the counts.
    """
    counts = _Counts()
    return {
        MAJORITY: majority,
        NAIVE_BAYES: lambda: _OnCounts(counts, TfidfVectorizer, MultinomialNB),
        LOGISTIC_REGRESSION: lambda: _OnCounts(counts, words_and_pairs, lambda: word_regression(C=4)),
        NB_LOGISTIC_REGRESSION: lambda: _OnCounts(counts, words_and_pairs, NaiveBayesWeightedRegression),
    }


def words_and_columns(columns: Callable[[], Any]) -> Pipeline:
    """The logistic regression on words, and on the columns beside the texts.

    Args:
        columns: Makes scikit-learn's preprocessing of the columns.

    Returns:
        A model of structured arrays [n], whose first field is the texts.
    """
    words = make_pipeline(FunctionTransformer(texts_of_rows), words_and_pairs())
    return make_pipeline(FeatureUnion([("words", words), ("columns", columns())]), word_regression(C=4))


class OneVsRest:
    """A model for each of several labels, which tells the texts that have it from the others.

    scikit-learn's asks for models that it can copy; these share counts of words.

    Args:
        make: Makes a model of two classes.

    Attributes:
        classes_: The positions of the labels.
    """

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make

    def fit(self, rows: Any, labels: NDArray[np.integer]) -> OneVsRest:
        """Fits the models on labels [n, labels]; a label that all rows have, or none, gets no model."""
        self.classes_ = np.arange(labels.shape[1])
        self._constant = [float(own[0]) if (own == own[0]).all() else None for own in labels.T]
        self._models = [
            None if constant is not None else self._make().fit(rows, own.astype(np.int64))
            for own, constant in zip(labels.T, self._constant, strict=True)
        ]
        return self

    def predict_proba(self, rows: Any) -> NDArray[np.float64]:
        """The probability of each label, float64 [n, labels]."""
        columns = [
            np.full(len(rows), constant) if model is None else model.predict_proba(rows)[:, 1]
            for model, constant in zip(self._models, self._constant, strict=True)
        ]
        return np.column_stack(columns)


def texts_of_rows(rows: NDArray[Any]) -> NDArray[np.object_]:
    """The texts of rows, which may have columns beside them, strings [n]."""
    texts: NDArray[np.object_] = rows[rows.dtype.names[0]] if rows.dtype.names else rows
    return texts


def majority() -> Any:
    """Makes the model whose probabilities are the shares of the classes: the most frequent one is predicted."""
    return DummyClassifier(strategy="prior")


class _Counts:
    """Counters that are fitted on texts, each once."""

    def __init__(self) -> None:
        # By identity; the texts are kept so that no others can take theirs.
        self._fitted: dict[tuple[Any, int], tuple[NDArray[np.object_], Any, Any]] = {}

    def of(self, texts: NDArray[np.object_], make: Callable[[], Any]) -> tuple[Any, Any]:
        """Gives the fitted counter and what it makes of the texts, sparse [texts, words]."""
        key = (make, id(texts))
        if key not in self._fitted:
            vectorizer = make()
            self._fitted[key] = (texts, vectorizer, vectorizer.fit_transform(texts))
        return self._fitted[key][1:]


class _OnCounts:
    """A model above the counts of words, which several models of the same texts share.

    Args:
        counts: The counters of texts.
        vectorizer: Makes the counter.
        model: Makes the model.
    """

    def __init__(self, counts: _Counts, vectorizer: Callable[[], Any], model: Callable[[], Any]) -> None:
        self._counts, self._vectorizer, self._model = counts, vectorizer, model

    def fit(self, texts: NDArray[np.object_], labels: NDArray[np.int64]) -> Pipeline:
        """Fits the model, and the counter where no other model has."""
        vectorizer, matrix = self._counts.of(texts, self._vectorizer)
        return make_pipeline(vectorizer, self._model().fit(matrix, labels))
