"""Bootstrap intervals of test scores over the rows of a test split."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from search.evaluation.metric_list import Target
from search.evaluation.metrics import names
from search.evaluation.several import scorer_of
from search.evaluation.weighted import Threshold

_ELEMENTS = 2**19
"""Weights held at once: a few megabytes, near the size of a processor's cache."""


def intervals(
    labels: NDArray[np.integer],
    probabilities: NDArray[np.float64],
    threshold: Threshold,
    target: Target | None = None,
    *,
    resamples: int = 1000,
    confidence: float = 0.95,
    seed: int,
) -> dict[str, tuple[float, float]]:
    """Percentile bootstrap interval of every metric.

    After Efron & Tibshirani, 1993, An Introduction to the Bootstrap, chapter 13. Rows are drawn with replacement; the
    model, its predictions and the threshold stay as they are, so the interval covers the choice of test rows, not what
    another training run would give.

    Args:
        labels: int [n].
        probabilities: float [n, classes].
        threshold: See `search.evaluation.predict`.
        target: See `search.evaluation.score`.
        resamples: How often the rows are drawn.
        confidence: Share of the resamples that the interval holds.
        seed: Seed of the draws; the same seed draws the same rows for any predictions on n rows.

    Returns:
        Metric to (low, high). Resamples that leave a metric undefined, since a rare class was not drawn, are left
        out of its interval; NaN where all are.

    Raises:
        ValueError: See `search.evaluation.score`.
    """
    scorer = scorer_of(labels, probabilities, threshold)
    with threadpool_limits(limits=1):  # each product is small: more threads would wait for each other
        parts = [scorer(weights) for weights in resampled(len(labels), resamples, seed)]
    tails = [(1 - confidence) / 2, (1 + confidence) / 2]
    found = {}
    for name in names(target or scorer.target):
        values = np.concatenate([part[name] for part in parts])
        defined = values[~np.isnan(values)]
        low, high = np.quantile(defined, tails) if len(defined) else (np.nan, np.nan)
        found[name] = (float(low), float(high))
    return found


def resampled(rows: int, resamples: int, seed: int) -> Iterator[NDArray[np.float64]]:
    """Draw rows with replacement, as many as there are, again and again.

    Yields:
        float64 [some, rows]: how often each row was drawn, in chunks that fit into memory, `resamples` in all.
    """
    random = np.random.default_rng(seed)
    chunk = max(1, _ELEMENTS // rows)
    for start in range(0, resamples, chunk):
        size = min(chunk, resamples - start)
        drawn = random.integers(0, rows, size=(size, rows)) + np.arange(size)[:, None] * rows
        yield np.bincount(drawn.ravel(), minlength=size * rows).reshape(size, rows).astype(np.float64)
