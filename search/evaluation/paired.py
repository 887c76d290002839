"""The paired test of classifiers: a bootstrap over the same test rows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from search.evaluation.bootstrap import resampled
from search.evaluation.metrics import direction, needs_curves
from search.evaluation.several import scorer_of
from search.evaluation.weighted import Threshold

# At 1,000 resamples of 100,000 rows a comparison would take longer than the search of a small data set.
_MOST_DRAWS = 20_000_000
_LEAST_RESAMPLES = 200

BETTER, SAME, WORSE = "better", "not distinguishable", "worse"
"""The outcomes of comparing a classifier with another on the same rows."""


def compared(outcome: str) -> str:
    """An outcome with its preposition: better than, not distinguishable from, worse than."""
    return f"{outcome} {'from' if outcome == SAME else 'than'}"


class Predictions(NamedTuple):
    """A classifier's predictions: probabilities [n, classes], and the threshold of two classes or None."""

    probabilities: NDArray[np.floating]
    threshold: Threshold


@dataclass(frozen=True)
class Gain:
    """The gain of a classifier over another one on the same rows, by one metric.

    Attributes:
        score: The other's score.
        score_interval: Its percentile interval.
        gain: By how much the classifier is better; below 0 it is worse, whichever way the metric runs.
        interval: Percentile interval of the gain.
        not_better: Share of the resamples in which it is not better: near 0, the gain is no accident of the rows.
        resamples: Number of resamples that define the metric.
    """

    score: float
    score_interval: tuple[float, float]
    gain: float
    interval: tuple[float, float]
    not_better: float
    resamples: int

    @property
    def outcome(self) -> str:
        """Better or worse where the interval leaves out 0, else not distinguishable."""
        low, high = self.interval
        return BETTER if low > 0 else WORSE if high < 0 else SAME

    @property
    def text(self) -> str:
        """The gain with its interval, in words."""
        if not self.resamples:
            return "and there are too few rows to tell a gain from chance"
        low, high = self.interval
        return f"gain {self.gain:+.4f}, 95 % interval {low:+.4f} to {high:+.4f}"

    def record(self) -> dict[str, Any]:
        """The gain as JSON."""
        return {**asdict(self), "outcome": self.outcome}

    @classmethod
    def read(cls, record: Mapping[str, Any]) -> Gain:
        """Reads a gain from JSON, in which null is undefined."""
        found: dict[str, Any] = {one.name: record[one.name] for one in fields(cls)}
        for name in ("score_interval", "interval"):
            low, high = found[name]
            found[name] = (_defined(low), _defined(high))
        return cls(**{name: _defined(value) for name, value in found.items()})


def _defined(value: Any) -> Any:
    return math.nan if value is None else value


def paired_gains(
    labels: NDArray[np.integer],
    classifier: Predictions,
    others: Mapping[str, Predictions],
    metric: str,
    *,
    resamples: int = 1000,
    confidence: float = 0.95,
    seed: int,
) -> dict[str, Gain]:
    """Compare a classifier with each of several others by resampling the rows that all of them scored.

    Each resample draws rows with replacement (Efron & Tibshirani, 1993) and scores all on the same draw, so that rows
    that are hard for both do not count as noise. With many rows fewer resamples are drawn.

    Args:
        labels: int [n].
        classifier: Its predictions.
        others: Name to predictions of the others.
        metric: One of `search.evaluation.names`.
        resamples: How often rows are drawn.
        confidence: Share of the resamples in the intervals.
        seed: Seed of the draws.

    Returns:
        Name to the comparison; NaN where no resample defines the metric.
    """
    curves = needs_curves(metric)
    classes = classifier.probabilities.shape[1]
    cost = len(labels) * (classes if curves and classes > 2 else 1)
    resamples = max(min(resamples, _MOST_DRAWS // cost), min(resamples, _LEAST_RESAMPLES))
    scorers = [scorer_of(labels, *one, curves=curves) for one in (classifier, *others.values())]
    whole = [float(scorer(np.ones((1, len(labels))))[metric][0]) for scorer in scorers]
    with threadpool_limits(limits=1):
        parts = [[scorer(weights)[metric] for scorer in scorers] for weights in resampled(len(labels), resamples, seed)]
    drawn = np.concatenate([np.array(part) for part in parts], axis=1)
    sign = 1 if direction(metric) == "max" else -1
    tails = ((1 - confidence) / 2, (1 + confidence) / 2)
    found = {}
    for i, name in enumerate(others, 1):
        # Adding 0 makes the -0 of a tie, where less is better, a 0.
        gains = sign * (drawn[0] - drawn[i]) + 0.0
        gains = gains[~np.isnan(gains)]
        found[name] = Gain(
            whole[i],
            _quantiles(drawn[i][~np.isnan(drawn[i])], tails),
            sign * (whole[0] - whole[i]) + 0.0,
            _quantiles(gains, tails),
            float((gains <= 0).mean()) if len(gains) else float("nan"),
            len(gains),
        )
    return found


def _quantiles(values: NDArray[np.float64], tails: tuple[float, float]) -> tuple[float, float]:
    if not len(values):
        return float("nan"), float("nan")
    low, high = np.quantile(values, tails)
    return float(low), float(high)
