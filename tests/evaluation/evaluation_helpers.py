"""Predictions for hypothesis, and the same metrics from scikit-learn."""

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from search.evaluation import predict

patient = settings(deadline=None, max_examples=60)


@st.composite
def predictions(draw, classes=None, complete=False):
    """Labels int64 [n] and probabilities float64 [n, classes]; `complete`: every class has a row."""
    k = draw(st.integers(2, 5) if classes is None else st.just(classes))
    n = draw(st.integers(k if complete else 1, 40))
    labels = np.array(draw(st.lists(st.integers(0, k - 1), min_size=n, max_size=n)), dtype=np.int64)
    if complete:
        labels[:k] = np.arange(k)
    levels = draw(st.sampled_from([2, 5, 1000]))  # few levels make ties
    parts = draw(st.lists(st.lists(st.integers(0, levels), min_size=k, max_size=k), min_size=n, max_size=n))
    weights = np.array(parts, dtype=np.float64) + 1e-3
    return labels, weights / weights.sum(axis=1, keepdims=True)


def by_sklearn(labels, probabilities, threshold=None, weights=None):
    """The same metrics, each from scikit-learn."""
    k = probabilities.shape[1]
    predicted = predict(probabilities, threshold)
    kwargs = {"sample_weight": weights}
    expected = {
        "accuracy": sk.accuracy_score(labels, predicted, **kwargs),
        "mae": np.average(np.abs(labels - predicted), weights=weights),
        "quadratic_kappa": sk.cohen_kappa_score(
            labels, predicted, labels=range(k), weights="quadratic", sample_weight=weights
        ),
        "mcc": sk.matthews_corrcoef(labels, predicted, **kwargs),
        "log_loss": sk.log_loss(labels, probabilities, labels=range(k), **kwargs),
    }
    averages = {"macro_": "macro", "weighted_": "weighted"} | ({"": "binary"} if k == 2 else {})
    for prefix, average in averages.items():
        found = sk.precision_recall_fscore_support(
            labels,
            predicted,
            average=average,
            labels=None if average == "binary" else range(k),
            zero_division=0,
            **kwargs,
        )
        expected |= {prefix + name: value for name, value in zip(("precision", "recall", "f1"), found[:3], strict=True)}
    if k == 2:
        expected["roc_auc"] = sk.roc_auc_score(labels, probabilities[:, 1], **kwargs)
        expected["average_precision"] = sk.average_precision_score(labels, probabilities[:, 1], **kwargs)
        expected["brier"] = sk.brier_score_loss(labels, probabilities[:, 1], **kwargs)
    else:
        one_hot = np.eye(k)[labels]
        expected["roc_auc"] = sk.roc_auc_score(one_hot, probabilities, average="macro", **kwargs)
        expected["average_precision"] = sk.average_precision_score(one_hot, probabilities, average="macro", **kwargs)
        expected["brier"] = np.average(((probabilities - one_hot) ** 2).sum(axis=1), weights=weights)
    return expected


def assert_same(scores, expected):
    for name, value in expected.items():
        assert scores[name] == pytest.approx(value, rel=1e-9, abs=1e-12), name
