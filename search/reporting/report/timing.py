"""How long a text takes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

BATCH = 256
_REPEATS = 3
_SECONDS = 5.0


def milliseconds_per_text(function: Callable[[NDArray[np.object_]], Any], texts: NDArray[np.object_]) -> float:
    """Times a function of texts in one batch: the best of a few calls, after one that warms it up.

    Args:
        function: What takes texts [n].
        texts: Strings; the first `BATCH` are used.
    """
    batch = texts[:BATCH]
    np.asarray(function(batch))
    spent: list[float] = []
    while len(spent) < _REPEATS and sum(spent) < _SECONDS:
        started = time.perf_counter()
        np.asarray(function(batch))  # a GPU has then done what it was asked for
        spent.append(time.perf_counter() - started)
    return min(spent) * 1000 / len(batch)
