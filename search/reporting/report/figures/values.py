"""Values of hyperparameters and scores: how they are put on axes and into words."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from search.reporting.report.svg import Scale, number

# Of the distance between the quartiles: how far beyond them an axis reaches.
_REACH = 3.0
_FEW = 8


def is_range(values: pd.Series) -> bool:
    """Whether a hyperparameter is drawn on an axis of numbers, as one with few values is not."""
    return bool(
        pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values) and values.nunique() > _FEW
    )


def value_scale(numbers: Any, start: float, end: float) -> Scale:
    """The axis of a range: by ratios where it spans more than a factor of ten."""
    low, high = float(np.min(numbers)), float(np.max(numbers))
    return Scale(low, high, start, end, log=low > 0 and high / low > 10)


def options(values: pd.Series) -> list[str]:
    """The values of a hyperparameter with few, as shown, in their order; what is not there comes last."""
    present = sorted(values.dropna().unique(), key=lambda value: (isinstance(value, str), value))
    return [told(value) for value in present] + [told(None)] * bool(values.isna().any())


def told(value: Any) -> str:
    """A value as a person reads it."""
    if value is None or (isinstance(value, float) and math.isnan(value)) or value is pd.NA:
        return "absent"
    if isinstance(value, bool | np.bool_):
        return str(bool(value)).lower()
    return number(float(value), 3) if isinstance(value, int | float | np.number) else str(value)


def core(scores: pd.Series) -> list[float]:
    """The scores without those so bad that the others could not be told apart beside them."""
    finite = scores[np.isfinite(scores)]
    if len(finite) < 8:
        return [float(score) for score in finite]
    low, high = np.quantile(finite, [0.25, 0.75])
    reach = _REACH * (high - low)
    within = finite[(finite >= low - reach) & (finite <= high + reach)]
    return [float(score) for score in within] if len(within) else [float(score) for score in finite]
