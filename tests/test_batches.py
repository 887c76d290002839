"""Rows reach the model in an order that the seed and the epoch alone decide."""

import numpy as np
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from search.batches import training_batches


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
