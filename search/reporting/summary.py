"""The answer of a run as one JSON document, and the predictions behind it."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from platform import python_version
from statistics import stdev
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from search.datasets import Examples
from search.evaluation.metrics import direction
from search.tuning.record import TrialRecord
from search.utils.files import whole_file

_PACKAGES = ("search", "tensorflow", "keras", "keras-tuner", "tensorflow-hub", "scikit-learn", "numpy", "pandas")


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that the numbers depend on."""
    return {"python": python_version(), **{name: version(name) for name in _PACKAGES}}


def count_trials(records: Iterable[TrialRecord]) -> dict[str, int]:
    """Number of trials by status."""
    return dict(Counter(record.status for record in records))


def fold_spread(scores: Sequence[float]) -> dict[str, Any] | None:
    """How the objective differs between folds, by its value for each.

    Returns:
        count, scores, and their standard deviation under `std`; None where there are no folds.
    """
    return {"count": len(scores), "scores": list(scores), "std": stdev(scores)} if scores else None


def verdict(metric: str, test: Mapping[str, float], baselines: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Says whether the search was worth it: its test score against the best baseline's.

    Args:
        metric: The metric to compare by, without `val_`.
        test: The classifier's test metrics.
        baselines: Name to a mapping with the baseline's `test` metrics.

    Returns:
        metric, score, best_baseline, baseline_score, beaten, and a sentence under `text`.
    """
    # Trials may be ranked by the loss they are trained with, of which the test metrics hold the unweighted form.
    metric = "log_loss" if metric == "loss" else metric
    sign = 1 if direction(metric) == "max" else -1
    scores = {name: float(baseline["test"][metric]) for name, baseline in baselines.items() if "test" in baseline}
    best = max(scores, key=lambda name: sign * scores[name])
    beaten = sign * test[metric] > sign * scores[best]
    comparison = (
        f"{metric} {test[metric]:.4f} against {scores[best]:.4f} of the best baseline ({best.replace('_', ' ')})"
    )
    text = f"The search beat every baseline on test: {comparison}."
    if not beaten:
        text = f"The search did NOT beat the best baseline on test: {comparison}. Use the baseline, or search on."
    return {
        "metric": metric,
        "score": test[metric],
        "best_baseline": best,
        "baseline_score": scores[best],
        "beaten": beaten,
        "text": text,
    }


def write_predictions(
    path: Path,
    examples: Examples,
    classes: tuple[str, ...],
    predicted: NDArray[np.int64],
    probabilities: NDArray[np.float64],
) -> None:
    """Writes a row per scored text, in full precision: the metrics can be computed again from the file.

    Args:
        path: The CSV file.
        examples: The rows scored.
        classes: Names of the classes.
        predicted: Class indices [n].
        probabilities: float64 [n, classes].
    """
    names = np.array(classes, dtype=object)
    table = pd.DataFrame(
        {
            "row": examples.rows,
            "text": examples.texts,
            "label": names[examples.labels],
            "predicted": names[predicted],
            **{f"prob_{name}": probabilities[:, i] for i, name in enumerate(classes)},
        }
    )
    with whole_file(path) as beside:
        # Texts in quotes: of those with a carriage return, which the csv module leaves bare, two rows would be read.
        table.to_csv(beside, index=False, quoting=csv.QUOTE_NONNUMERIC)
