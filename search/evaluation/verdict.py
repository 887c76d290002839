"""The verdict on a classifier against its baselines: better, not distinguishable or worse."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search.evaluation.metrics import score_by
from search.evaluation.paired import BETTER, WORSE, Gain, Predictions, compared, paired_gains

UNKNOWN = "unknown"


@dataclass(frozen=True)
class Combined:
    """The verdict on an ensemble, against the same baseline.

    Attributes:
        method: The ensemble method.
        score: Its score on the test split.
        gain: Its gain over the best baseline.
    """

    method: str
    score: float
    gain: Gain


@dataclass(frozen=True)
class Verdict:
    """The verdict on a search.

    Attributes:
        metric: The metric that decides.
        score: The classifier's score.
        best_baseline: Name of the baseline that it gains least over.
        baseline_score: The score of that baseline.
        gains: The gain over each baseline, by name; empty where their predictions were not kept.
        ensemble: The chosen combination of several classifiers; None where there is none.
    """

    metric: str
    score: float
    best_baseline: str
    baseline_score: float
    gains: Mapping[str, Gain]
    ensemble: Combined | None = None

    @property
    def outcome(self) -> str:
        """better, not distinguishable or worse than the best baseline; unknown where predictions were not kept."""
        return self.gains[self.best_baseline].outcome if self.gains else UNKNOWN

    @property
    def text(self) -> str:
        """The verdict on a search in sentences."""
        if not self.gains:
            return (
                f"On test {self._scores} of the best baseline; whether that is more than chance is not known: the run "
                "did not keep the baselines' predictions."
            )
        return self.told("The search", "the best baseline", "on test") + self._advice()

    def told(self, subject: str, rival: str, where: str) -> str:
        """The outcome in sentences.

        Args:
            subject: The name of the classifier.
            rival: The name of the best baseline.
            where: The rows, in words.
        """
        gain = self.gains[self.best_baseline]
        told = f"{subject} is {compared(gain.outcome)} {rival} {where}: {self._scores}, {gain.text}."
        if self.ensemble:
            found = self.ensemble
            told += (
                f" The ensemble ({found.method.replace('_', ' ')}) is {compared(found.gain.outcome)} that baseline: "
                f"{found.score:.4f}, {found.gain.text}."
            )
        return told

    def record(self) -> dict[str, Any]:
        """The verdict for summary.json."""
        told: dict[str, Any] = {
            "metric": self.metric,
            "score": self.score,
            "best_baseline": self.best_baseline,
            "baseline_score": self.baseline_score,
            "outcome": self.outcome,
            "text": self.text,
            "gains": {name: gain.record() for name, gain in self.gains.items()},
        }
        if self.ensemble:
            told["ensemble"] = {
                "method": self.ensemble.method,
                "score": self.ensemble.score,
                "outcome": self.ensemble.gain.outcome,
                "gain": self.ensemble.gain.record(),
            }
        return told

    @classmethod
    def read(cls, record: Mapping[str, Any]) -> Verdict:
        """Reads a verdict from summary.json; earlier versions wrote no gains."""
        found = record.get("ensemble")
        return cls(
            record["metric"],
            _number(record["score"]),
            record["best_baseline"],
            _number(record["baseline_score"]),
            {name: Gain.read(gain) for name, gain in record.get("gains", {}).items()},
            found and Combined(found["method"], _number(found["score"]), Gain.read(found["gain"])),
        )

    @property
    def _scores(self) -> str:
        name = self.best_baseline.replace("_", " ")
        return f"{self.metric} {self.score:.4f} against {self.baseline_score:.4f} ({name})"

    def _advice(self) -> str:
        own = self.gains[self.best_baseline].outcome
        if own == BETTER:
            return ""
        if self.ensemble and self.ensemble.gain.outcome == BETTER:
            return " Use the ensemble."
        return f" Use {'the baseline' if own == WORSE else 'whichever is cheaper'}, or search on."


def judge(
    labels: NDArray[np.int64],
    classifier: Predictions,
    baselines: Mapping[str, Predictions],
    metric: str,
    *,
    ensemble: tuple[str, Predictions] | None = None,
    seed: int,
) -> Verdict:
    """Compare a classifier with its baselines by the paired bootstrap of `paired_gains`.

    Args:
        labels: Labels of the test split, int [n].
        classifier: Its predictions.
        baselines: Name to predictions of each baseline; at least one.
        metric: One of `search.evaluation.names`.
        ensemble: The ensemble method and its predictions.
        seed: Seed of the resamples.
    """
    gains = paired_gains(labels, classifier, baselines, metric, seed=seed)
    best = min(gains, key=lambda name: math.inf if math.isnan(gains[name].gain) else gains[name].gain)
    combined = None
    if ensemble is not None:
        method, predictions = ensemble
        gain = paired_gains(labels, predictions, {best: baselines[best]}, metric, seed=seed)[best]
        combined = Combined(method, _score(labels, predictions, metric), gain)
    return Verdict(metric, _score(labels, classifier, metric), best, gains[best].score, gains, combined)


def _score(labels: NDArray[np.int64], of: Predictions, metric: str) -> float:
    return score_by(metric, labels, of.probabilities, of.threshold)


def _number(value: float | None) -> float:
    """Reads a number of JSON, in which null is undefined."""
    return math.nan if value is None else value
