"""Logistic regression on the words of texts, and what it says of rows that it was not fitted on."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from threadpoolctl import threadpool_limits

from search.datasets import Examples
from search.evaluation.word_pairs import word_regression
from search.models.wide.words import Words
from search.utils.checkpoint import Arrays

# Each part of the rows is scored by the model of the others.
_PARTS = 5

_Linear = tuple[NDArray[np.float32], NDArray[np.float32]]


class WordRegression:
    """A logistic regression on TF-IDF, fitted when it is first asked; the same rows give the same one.

    Args:
        words: Of the training rows.
        train: Rows to fit on.
        sample_weight: The weight of each, float32 [n].
        l2: Half of it times the squares of the weights is added to the rows' losses: 1 / C of scikit-learn.
        classes: Number of classes.
    """

    def __init__(
        self, words: Words, train: Examples, sample_weight: NDArray[np.float32], l2: float, classes: int
    ) -> None:
        self._words, self._train, self._sample_weight = words, train, sample_weight
        self._l2, self._classes = l2, classes

    @property
    def parameters(self) -> int:
        """Weights and biases."""
        return sum(part.size for part in self._linear)

    @property
    def arrays(self) -> Arrays:
        """The weights of `search.models.wide.linear_words.LinearWords`."""
        return [self._words.idf, *self._linear]

    def logits(self, texts: NDArray[np.object_]) -> NDArray[np.float32]:
        """Logits of texts [n], float32 [n, classes]."""
        return _logits(self._words.matrix(texts), self._linear)

    @cached_property
    def held_out(self) -> NDArray[np.float32]:
        """Logits of each training row by a model of other rows, float32 [n, classes]."""
        labels = self._train.labels
        parts = min(_PARTS, len(labels))
        if parts < 2:
            return self.logits(self._train.texts)
        # Each class is dealt to all parts alike; which rows go where depends on nothing but their number.
        order = np.random.default_rng(0).permutation(len(labels))
        if labels.ndim == 1:
            order = order[np.argsort(labels[order], kind="stable")]
        part = np.empty(len(labels), np.int64)
        part[order] = np.arange(len(labels)) % parts
        features = self._words.matrix(self._train.texts)
        found = np.empty((len(labels), self._classes), np.float32)

        def fill(one: int) -> None:
            held, others = np.flatnonzero(part == one), np.flatnonzero(part != one)
            found[held] = _logits(features[held], self._fitted(features[others], others))

        # Each fit uses one core; products of sparse matrices let other threads run.
        with threadpool_limits(limits=1), ThreadPoolExecutor(min(parts, os.cpu_count() or 1)) as pool:
            list(pool.map(fill, range(parts)))
        return found

    @cached_property
    def _linear(self) -> _Linear:
        return self._fitted(self._words.matrix(self._train.texts), np.arange(len(self._train.labels)))

    def _fitted(self, features: csr_array, rows: NDArray[np.int64]) -> _Linear:
        labels, weights = self._train.labels[rows], self._sample_weight[rows]
        if labels.ndim == 1:
            return self._of_classes(features, labels, weights, self._classes)
        # The logit of a label is what its presence has more than its absence.
        pairs = [self._of_classes(features, one.astype(np.int64), weights, 2) for one in labels.T]
        kernels, biases = zip(*pairs, strict=True)
        return (
            np.column_stack([kernel[:, 1] - kernel[:, 0] for kernel in kernels]),
            np.array([bias[1] - bias[0] for bias in biases], np.float32),
        )

    def _of_classes(
        self, features: csr_array, labels: NDArray[np.int64], weights: NDArray[np.float32], classes: int
    ) -> _Linear:
        kernel = np.zeros((features.shape[1], classes), np.float32)
        # Of a class that is not there it is only known that it is rarer than one row.
        bias = np.full(classes, -np.log(2.0 * len(labels)), np.float32)
        present = np.unique(labels)
        if len(present) == 1:
            bias[present] = 0
            return kernel, bias
        # On sparse text a solver's threads wait for each other longer than they compute.
        with threadpool_limits(limits=1):
            model = word_regression(C=1 / self._l2, class_weight=None)
            model.fit(features, labels, weights)
        two = len(present) == 2
        kernel[:, present[-len(model.coef_) :]] = model.coef_.T
        bias[present] = np.array([0.0, *model.intercept_]) if two else model.intercept_
        return kernel, bias


def _logits(features: csr_array, linear: _Linear) -> NDArray[np.float32]:
    kernel, bias = linear
    logits: NDArray[np.float32] = (features @ kernel.astype(np.float64) + bias).astype(np.float32)
    return logits
