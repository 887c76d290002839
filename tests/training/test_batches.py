"""Rows reach the model in an order that the seed and the epoch alone decide."""

import numpy as np
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from search.evaluation.metric_list import Target
from search.features.cache import Features
from search.models.scorer import chosen
from search.training.batches import training_batches
from search.training.order import epoch_order
from search.training.rows import InputRows, TrainingData

TARGET = Target(2)


def epoch_rows(rows, batch_size, seed, epochs):
    """Row numbers of each epoch, read back from the texts."""
    texts = tf.constant([str(i) for i in range(rows)])
    labels = np.arange(rows)
    data = TrainingData(InputRows(texts, labels), None, np.arange(rows, dtype=np.float32), batch_size, seed, TARGET)
    batches = list(training_batches(data, epochs).as_numpy_iterator())
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


@given(st.integers(1, 200), st.integers(1, 20), st.integers(0, 99))
def test_batches_of_like_length_hold_every_row_once(rows, batch_size, epoch):
    lengths = np.random.default_rng(rows).integers(1, 60, rows)
    order = epoch_order(rows, 3, epoch, batch_size, lengths)
    assert sorted(order) == list(range(rows))
    np.testing.assert_array_equal(order, epoch_order(rows, 3, epoch, batch_size, lengths))


def test_a_batch_of_rows_of_like_length_costs_little_more_than_its_rows():
    lengths = np.random.default_rng(0).integers(1, 60, 1000)

    def cost(order):
        return sum(lengths[order[start : start + 10]].max() * 10 for start in range(0, 1000, 10)) / lengths.sum()

    assert cost(epoch_order(1000, 0, 0)) > 1.7 and cost(epoch_order(1000, 0, 0, 10, lengths)) < 1.1
    first, second = (epoch_order(1000, 0, epoch, 10, lengths) for epoch in (0, 1))
    assert set(first[:10]) != set(second[:10])


def test_features_are_fed_as_the_rows_that_they_are(monkeypatch):
    monkeypatch.setattr("search.features.cache.MOST_MEMORY", 0)
    values = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)
    features = Features([values[:8], values[8:]], np.repeat([0, 1], [8, 12]), np.r_[0:8, 0:12], 3)
    assert features.array() is None
    fed = []
    for rows in (features, tf.constant(values)):
        data = TrainingData(InputRows(rows, np.arange(20)), None, np.ones(20, np.float32), 6, 1, TARGET)
        fed.append([inputs for inputs, *_ in training_batches(data, range(2))])
    for came, expected in zip(*fed, strict=True):
        np.testing.assert_array_equal(came, expected)
    some = np.array([3, 9, 1])
    assert len(chosen(features)) == 20 and len(chosen(features, some)) == 3
    np.testing.assert_array_equal(chosen(features, some)[1:], values[some][1:])
    np.testing.assert_array_equal(chosen(features)[5:9], values[5:9])
