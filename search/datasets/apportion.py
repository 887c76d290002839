"""Shares of classes in a split."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]
"""A number for each class."""


def apportion(counts: Counts, size: int, low: Counts, high: Counts) -> Counts:
    """Apportions `size` to classes in proportion to their counts, within bounds, by largest remainders.

    Args:
        counts: [classes] int64.
        size: Not below the sum of `low` or above that of `high`.
        low: [classes] int64.
        high: [classes] int64, not below `low`.

    Returns:
        [classes] int64 with the sum `size`.
    """
    exact = counts * (size / counts.sum())
    share: Counts = np.clip(np.floor(exact).astype(np.int64), low, high)
    while share.sum() < size:
        share[np.where(share < high, exact - share, -np.inf).argmax()] += 1
    while share.sum() > size:
        share[np.where(share > low, exact - share, np.inf).argmin()] -= 1
    return share
