"""The paired test of the best run against the others that were tested on the same rows."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from search.evaluation.metrics import direction, names
from search.evaluation.paired import BETTER, WORSE, Gain, Predictions, paired_gains
from search.reporting.report.run_files import RecordedRun


@dataclass(frozen=True)
class Pair:
    """How a run compares with the best of those that were tested on the same rows.

    Attributes:
        best: Position of that run; the run's own where it is the best.
        metric: The metric by which they are compared.
        behind: By how much the best one is better; None for the best itself.
    """

    best: int
    metric: str
    behind: Gain | None


def pairs(runs: Sequence[RecordedRun], metric: str) -> list[Pair]:
    """Compares each run with the best one on the same test rows: the same texts with the same labels, in any order.

    Args:
        runs: Finished runs.
        metric: One of `search.evaluation.names`. Runs whose classes do not have it are compared by their own objective.

    Returns:
        A comparison for each run, in their order.
    """
    sizes = Counter(len(run.labels) for run in runs)
    # A run that no other one has as many test rows as need not be looked into.
    orders = {i: _order(run) for i, run in enumerate(runs) if sizes[len(run.labels)] > 1}
    groups: dict[str, list[int]] = {}
    for i, run in enumerate(runs):
        groups.setdefault(_digest(run, orders[i]) if i in orders else str(i), []).append(i)
    found: dict[int, Pair] = {}
    for members in groups.values():
        first = runs[members[0]]
        shared = metric if metric in names(first.target) else first.metric
        best = _best([runs[i] for i in members], shared)
        reference, others = members[best], members[:best] + members[best + 1 :]
        found[reference] = Pair(reference, shared, None)
        if others:
            predicted = {i: _predictions(runs[i], orders[i]) for i in members}
            gains = paired_gains(
                runs[reference].labels[orders[reference]],
                predicted[reference],
                {str(i): predicted[i] for i in others},
                shared,
                seed=runs[reference].summary["seed"],
            )
            found |= {i: Pair(reference, shared, gains[str(i)]) for i in others}
    return [found[i] for i in range(len(runs))]


def paired_columns(runs: Sequence[RecordedRun], found: Sequence[Pair]) -> pd.DataFrame:
    """The comparisons as columns: against which run, by which metric, how far behind, and how that stands to chance.

    `paired.not_behind` is the share of the resamples in which the run was at least as good as the best one,
    `paired.outcome` says how the run stands to that one.
    """
    rows = []
    for pair in found:
        gain = pair.behind
        low, high = gain.interval if gain else (math.nan, math.nan)
        rows.append(
            {
                "paired.against": str(runs[pair.best].folder.path) if gain else None,
                "paired.metric": pair.metric if gain else None,
                "paired.behind": gain.gain if gain else math.nan,
                "paired.behind.low": low,
                "paired.behind.high": high,
                "paired.not_behind": gain.not_better if gain else math.nan,
                "paired.outcome": behind(gain) if gain else None,
            }
        )
    return pd.DataFrame(rows)


def behind(gain: Gain) -> str:
    """The verdict on a run whose opponent is better by `gain`, in words."""
    return {BETTER: WORSE, WORSE: BETTER}.get(gain.outcome, gain.outcome)


def _order(run: RecordedRun) -> NDArray[np.intp]:
    """The test rows by text and label."""
    keys = [*np.atleast_2d(run.labels.T), run.shown.to_numpy(object)]
    return np.lexsort(keys)


def _digest(run: RecordedRun, order: NDArray[np.intp]) -> str:
    """A digest that is equal for runs with the same classes and test rows."""
    digest = hashlib.sha256("\0".join(run.classes).encode())
    texts = run.shown.to_numpy(object)
    for row in order:
        digest.update(f"\0{run.labels[row].tolist()}\0{len(texts[row])}\0{texts[row]}".encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def _predictions(run: RecordedRun, order: NDArray[np.intp]) -> Predictions:
    return Predictions(run.probabilities[order], run.threshold)


def _best(runs: Sequence[RecordedRun], metric: str) -> int:
    sign = 1 if direction(metric) == "max" else -1
    scores = [run.summary["test"].get(metric) for run in runs]
    return int(np.argmax([-math.inf if score is None else sign * score for score in scores]))
