"""The time per text, measured in one way for models, modules and baselines."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

BATCH = 256
# At least so many calls and so long, so that a fast one does not fall into one bad moment; but no longer than that.
_REPEATS, _LEAST_SECONDS = 5, 0.25
_MOST_SECONDS = 5.0


def milliseconds_per_text(function: Callable[[NDArray[np.object_]], Any], texts: NDArray[np.object_]) -> float:
    """Times a function of texts on one batch: the best of five calls or more, after one to warm up.

    Other work of the machine only ever adds to a time, so the best call is the one that was disturbed least.

    Args:
        function: A function of texts [n].
        texts: Strings; the first `BATCH` are used, over again where there are fewer, so that all batches are of a size.
    """
    batch = np.resize(texts, BATCH)
    np.asarray(function(batch))
    spent: list[float] = []
    begun = time.perf_counter()
    while (total := time.perf_counter() - begun) < _MOST_SECONDS and (len(spent) < _REPEATS or total < _LEAST_SECONDS):
        started = time.perf_counter()
        np.asarray(function(batch))  # a GPU has then done what it was asked for
        spent.append(time.perf_counter() - started)
    return min(spent) * 1000 / BATCH
