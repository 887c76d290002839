"""The order of the training rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# Batches whose rows are dealt among them by length.
_DEALT = 32


def epoch_order(
    rows: int, seed: int, epoch: int, batch_size: int = 1, lengths: NDArray[np.int64] | None = None
) -> NDArray[np.int64]:
    """The order in which an epoch goes through the rows.

    It depends on the seed and the epoch alone, so that training which stops after any epoch and goes on later sees the
    rows as if it had not stopped. Where rows have lengths, those of a batch are of like length, since a batch costs as
    much as if all its rows were as long as the longest: of some batches' rows, drawn at random, the shortest make one
    batch, the next ones another, and these follow each other at random. Every row comes once in an epoch all the same.

    Args:
        rows: Number of rows.
        seed: Seed of the trial.
        epoch: The epoch, counted from 0.
        batch_size: Rows of a batch.
        lengths: Of each row [rows]; None: they are of one length.

    Returns:
        A permutation, int64 [rows].
    """
    random = np.random.Generator(np.random.SFC64([seed, epoch]))
    order = random.permutation(rows)
    if lengths is None:
        return order
    whole = rows // batch_size * batch_size
    dealt = _DEALT * batch_size
    for start in range(0, whole, dealt):
        some = order[start : min(start + dealt, whole)]
        order[start : start + len(some)] = some[np.argsort(lengths[some], kind="stable")]
    batches = order[:whole].reshape(-1, batch_size)
    return np.concatenate([batches[random.permutation(len(batches))].reshape(-1), order[whole:]])
