"""The answer of a run as one JSON document, and the predictions behind it."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from pathlib import Path
from platform import python_version
from statistics import stdev
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from search.datasets.content import content_of
from search.reporting.results import ScoredRows
from search.tuning.record import TrialRecord
from search.utils.files import whole_file

_PACKAGES = ("search", "tensorflow", "keras", "keras-tuner", "tensorflow-hub", "scikit-learn", "numpy", "pandas")


def versions() -> dict[str, str]:
    """The versions of Python and of the packages that results depend on."""
    return {"python": python_version(), **{name: version(name) for name in _PACKAGES}}


def count_trials(records: Iterable[TrialRecord]) -> dict[str, int]:
    """Number of trials by status."""
    return dict(Counter(record.status for record in records))


def fold_spread(scores: Sequence[float], few: bool) -> dict[str, Any] | None:
    """The spread of the objective over folds.

    Args:
        scores: Of each fold.
        few: Whether there are folds because there are few rows, not because they were asked for.

    Returns:
        count, scores, their standard deviation under `std`, and `few`; None where there are no folds.
    """
    return {"count": len(scores), "scores": list(scores), "std": stdev(scores), "few": few} if scores else None


def named_columns(
    column: str, classes: Sequence[str], names: NDArray[np.object_], labels: NDArray[np.integer]
) -> dict[str, NDArray[Any]]:
    """The column of the names of classes; of several labels a column of 0 and 1 for each, `column_name`."""
    if labels.ndim == 2:
        return {f"{column}_{name}": labels[:, at] for at, name in enumerate(classes)}
    return {column: names[labels]}


def write_predictions(path: Path, scored: ScoredRows) -> None:
    """Writes a row per text, in full precision, so that metrics can be computed again from the file.

    Args:
        path: The CSV file.
        scored: The rows, and a model's probabilities.
    """
    examples, names = scored.examples, np.array(scored.names, dtype=object)
    table = pd.DataFrame(
        {
            "row": examples.rows,
            content_of(examples.texts).name: examples.shown,
            **named_columns("label", scored.classes, names, examples.labels),
            **named_columns("predicted", scored.classes, names, scored.predicted),
            **{f"prob_{name}": scored.probabilities[:, i] for i, name in enumerate(scored.classes)},
        }
    )
    with whole_file(path) as beside:
        # Texts in quotes: of those with a carriage return, which the csv module leaves bare, two rows would be read.
        table.to_csv(beside, index=False, quoting=csv.QUOTE_NONNUMERIC)
