"""Logistic regression on counts weighted by naive Bayes, against the formula written out."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from search.evaluation.naive_bayes_weights import NaiveBayesWeightedRegression


def made(classes, rows=200, words=12):
    random = np.random.default_rng(0)
    labels = np.arange(rows) % classes
    rates = random.uniform(0.1, 2, (classes, words))
    return random.poisson(rates[labels]).astype(np.float64), labels


@pytest.mark.parametrize("classes", [2, 3])
def test_a_class_is_told_from_the_rest_by_its_weighted_counts(classes):
    counts, labels = made(classes)
    model = NaiveBayesWeightedRegression(C=2.0).fit(csr_matrix(counts), labels)
    last = classes - 1
    inside, outside = (1 + counts[labels == last].sum(axis=0)), (1 + counts[labels != last].sum(axis=0))
    ratios = np.log(inside / inside.sum()) - np.log(outside / outside.sum())
    expected = LogisticRegression(C=2.0, class_weight="balanced", tol=1e-8, max_iter=1000).fit(
        counts * ratios, labels == last
    )
    logits = counts @ model.coef_[-1] + model.intercept_[-1]
    np.testing.assert_allclose(logits, expected.decision_function(counts * ratios), atol=1e-3)


@pytest.mark.parametrize("classes", [2, 3])
def test_probabilities_add_up_and_find_most_classes(classes):
    counts, labels = made(classes)
    model = NaiveBayesWeightedRegression().fit(csr_matrix(counts[:120]), labels[:120] + 5)
    found = model.predict_proba(csr_matrix(counts[120:]))
    np.testing.assert_allclose(found.sum(axis=1), 1)
    assert (model.classes_[found.argmax(axis=1)] == labels[120:] + 5).mean() > 0.7


def test_a_word_that_a_class_never_has_does_no_harm():
    counts = csr_matrix(np.eye(4)[[0, 0, 1, 1, 2, 3]])
    model = NaiveBayesWeightedRegression().fit(counts, np.array([0, 0, 1, 1, 0, 1]))
    assert np.isfinite(model.coef_).all()
    assert model.predict_proba(counts).argmax(axis=1).tolist() == [0, 0, 1, 1, 0, 1]
