"""Logistic regression on features: scikit-learn's, on its own rows alone, with a penalty that follows from them."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from search.evaluation import frozen_regression
from search.evaluation.frozen_regression import FrozenRegression


class Kept:
    """Features that note which rows are asked for."""

    def __init__(self, vectors):
        self.vectors = vectors.astype(np.float32)
        self.taken = []

    def __len__(self):
        return len(self.vectors)

    def take(self, rows):
        self.taken.extend(rows.tolist())
        return self.vectors[rows]


def made(classes, rows=300, noise=1.0, width=8, seed=0):
    random = np.random.default_rng(seed)
    labels = np.arange(rows) % classes
    centres = np.random.default_rng(1).normal(size=(classes, width))
    return Kept(5 + 3 * (centres[labels] + noise * random.normal(size=(rows, width)))), labels


@pytest.mark.parametrize("classes", [2, 3])
def test_the_model_is_scikit_learns_on_features_brought_to_one_scale(classes):
    features, labels = made(classes)
    model = FrozenRegression().fit(features, labels)
    scaler = StandardScaler().fit(features.vectors)
    expected = LogisticRegression(C=model.penalty_, class_weight="balanced", max_iter=1000, tol=1e-7)
    expected.fit(scaler.transform(features.vectors), labels)
    unseen, _ = made(classes, 50, seed=2)
    np.testing.assert_allclose(
        model.predict_proba(unseen), expected.predict_proba(scaler.transform(unseen.vectors)), atol=5e-3
    )


def test_the_penalty_is_weak_where_features_tell_and_strong_where_they_do_not():
    told = FrozenRegression().fit(*made(2, noise=0.3)).penalty_
    features, labels = made(2, rows=90, width=60)
    guessed = FrozenRegression().fit(features, np.random.default_rng(3).permutation(labels)).penalty_
    assert told > guessed


def test_a_class_of_one_row_and_features_that_never_vary_do_no_harm():
    features, labels = made(2, 20)
    features.vectors[:, 0] = 1
    model = FrozenRegression().fit(features, np.where(np.arange(20) == 0, 7, labels))
    assert model.classes_.tolist() == [0, 1, 7] and np.isfinite(model.predict_proba(features)).all()


def test_of_many_rows_a_sample_of_every_class_is_read(monkeypatch):
    monkeypatch.setattr(frozen_regression, "_TO_FIT", 60)
    monkeypatch.setattr(frozen_regression, "_TO_CHOOSE", 30)
    features, labels = made(3, 600)
    first, second = (FrozenRegression().fit(features, labels) for _ in range(2))
    assert len(features.taken) == 120 and features.taken[:60] == features.taken[60:]
    assert np.bincount(labels[features.taken[:60]]).tolist() == [20, 20, 20]
    assert (first.coef_ == second.coef_).all()
