"""The order of the training rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def epoch_order(rows: int, seed: int, epoch: int) -> NDArray[np.int64]:
    """The order in which an epoch goes through the rows.

    It depends on the seed and the epoch alone, so that training which stops after any epoch and goes on later sees the
    rows as if it had not stopped.

    Args:
        rows: Number of rows.
        seed: Seed of the trial.
        epoch: The epoch, counted from 0.

    Returns:
        A permutation, int64 [rows].
    """
    return np.random.Generator(np.random.SFC64([seed, epoch])).permutation(rows)
