"""Rows reach the model in an order that the seed and the epoch alone decide."""

import numpy as np
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from search.features.cache import Features
from search.models.scorer import chosen
from search.training.batches import training_batches


def epoch_rows(rows, batch_size, seed, epochs):
    """Row numbers of each epoch, read back from the texts."""
    texts = tf.constant([str(i) for i in range(rows)])
    labels = np.arange(rows)
    weights = np.arange(rows, dtype=np.float32)
    batches = list(
        training_batches(texts, labels, weights, batch_size=batch_size, seed=seed, epochs=epochs).as_numpy_iterator()
    )
    steps = -(-rows // batch_size)
    assert len(batches) == steps * len(epochs)
    for text, label, weight in batches:
        assert [int(word) for word in text] == label.tolist() == weight.tolist()
    return [
        np.concatenate([label for _, label, _ in batches[i * steps : (i + 1) * steps]]).tolist()
        for i in range(len(epochs))
    ]


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 40), st.integers(1, 50), st.integers(0, 2**31 - 1), st.integers(0, 5))
def test_every_epoch_has_every_row_once(rows, batch_size, seed, first):
    for epoch in epoch_rows(rows, batch_size, seed, range(first, first + 2)):
        assert sorted(epoch) == list(range(rows))


def test_going_on_later_gives_the_same_order():
    whole = epoch_rows(30, 7, 5, range(4))
    assert epoch_rows(30, 7, 5, range(2)) + epoch_rows(30, 7, 5, range(2, 4)) == whole
    assert len({tuple(epoch) for epoch in whole}) == 4
    assert epoch_rows(30, 7, 6, range(1)) != whole[:1]


def test_features_are_fed_as_the_rows_that_they_are(monkeypatch):
    monkeypatch.setattr("search.features.cache.MOST_MEMORY", 0)
    values = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)
    features = Features([values[:8], values[8:]], np.repeat([0, 1], [8, 12]), np.r_[0:8, 0:12], 3)
    assert features.array() is None
    given = np.arange(20), np.ones(20, np.float32)
    fed = [
        [inputs for inputs, *_ in training_batches(rows, *given, batch_size=6, seed=1, epochs=range(2))]
        for rows in (features, tf.constant(values))
    ]
    for came, expected in zip(*fed, strict=True):
        np.testing.assert_array_equal(came, expected)
    some = np.array([3, 9, 1])
    assert len(chosen(features)) == 20 and len(chosen(features, some)) == 3
    np.testing.assert_array_equal(chosen(features, some)[1:], values[some][1:])
    np.testing.assert_array_equal(chosen(features)[5:9], values[5:9])
