"""predictions.csv of a finished run, as `search.reporting.summary` writes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from search.datasets.content import CONTENTS

_PROBABILITY, _LABEL = "prob_", "label_"
_STRINGS = dict.fromkeys([*CONTENTS, "label", "predicted"], str)


def read_predictions(file: Path) -> pd.DataFrame:
    """Reads it, a row per text."""
    # A carriage return in a text is no end of a row.
    return pd.read_csv(file, keep_default_na=False, dtype=_STRINGS, lineterminator="\n")


def probabilities_in(predictions: pd.DataFrame, classes: Sequence[str]) -> NDArray[np.float64]:
    """The probabilities that it holds, float64 [n, classes]."""
    return predictions[[_PROBABILITY + name for name in classes]].to_numpy(np.float64)


def labels_in(predictions: pd.DataFrame, summary: Mapping[str, Any]) -> NDArray[Any]:
    """The true labels that it holds.

    Args:
        predictions: From `read_predictions`.
        summary: summary.json of the run, which names the classes.

    Returns:
        int64 [n], or int8 [n, labels] where a text has several labels.
    """
    classes = summary["classes"]
    if summary.get("several"):
        return predictions[[_LABEL + name for name in classes]].to_numpy(np.int8)
    codes = {name: k for k, name in enumerate([*classes, *summary.get("unseen", ())])}
    return predictions["label"].map(codes).to_numpy(np.int64)
