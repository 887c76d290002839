"""Hyperparameter values and scores on axes and in words."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from search.reporting.report.svg import Scale, number
from spaces import Float, Int, Parameter

# Of the distance between the quartiles: how far beyond them an axis reaches.
_REACH = 3.0
_FEW = 8


class Domain(NamedTuple):
    """The axis of a hyperparameter that is a number.

    Attributes:
        low: Its lower end.
        high: Its upper end.
        log: Whether equal ratios take equal room.
        options: The only values there are, where they are few.
    """

    low: float
    high: float
    log: bool
    options: tuple[float, ...] = ()

    def scale(self, start: float, end: float) -> Scale:
        """Numbers to pixels."""
        return Scale(self.low, self.high, start, end, log=self.log)

    def ticks(self, scale: Scale, about: int, apart: float) -> list[float]:
        """The numbers to write at the axis, at least `apart` pixels apart: the options where there are few."""
        found: list[float] = []
        for tick in self.options or scale.ticks(about):
            if not found or abs(scale(tick) - scale(found[-1])) >= apart:
                found.append(tick)
        return found


def domain_of(values: pd.Series, parameter: Parameter | None) -> Domain | None:
    """The axis of a hyperparameter as the space declares it; None where its values are no numbers.

    Args:
        values: The values in the configurations.
        parameter: Its declaration in the space; None where that is not known, and the values have to do.
    """
    present = values.dropna()
    if not len(present) or not pd.api.types.is_numeric_dtype(present) or pd.api.types.is_bool_dtype(present):
        return None
    seen = [float(present.min()), float(present.max())]
    if isinstance(parameter, Int | Float):
        ends = [*seen, float(parameter.min), float(parameter.max)]
        few = parameter.options is not None and len(parameter.options) <= _FEW
        options = sorted({*present.astype(float), *map(float, parameter.options or ())}) if few else ()
        return Domain(min(ends), max(ends), parameter.log and min(ends) > 0, tuple(options))
    if parameter is None:
        return Domain(seen[0], seen[1], seen[0] > 0 and seen[1] / seen[0] > 10)
    options = sorted({*present.astype(float), *(float(one) for one in parameter.options or () if _is_number(one))})
    return Domain(options[0], options[-1], _even_by_ratio(options), tuple(options))


def is_range(values: pd.Series, parameter: Parameter | None) -> bool:
    """Whether a hyperparameter is a number from a range, however few values were tried."""
    if domain_of(values, parameter) is None:
        return False
    options = parameter.options if parameter else values.dropna().unique()
    return options is None or len(options) > _FEW


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _even_by_ratio(options: list[float]) -> bool:
    """Whether values stand more evenly by their ratios than by their differences, as 64, 128, 256 do."""
    if len(options) < 3 or options[0] <= 0:
        return False
    gaps, ratios = np.diff(options), np.diff(np.log(options))
    return bool(ratios.std() / ratios.mean() < gaps.std() / gaps.mean())


def options(values: pd.Series) -> list[str]:
    """The texts of the few values of a hyperparameter, in their order; a missing value comes last."""
    present = sorted(values.dropna().unique(), key=lambda value: (isinstance(value, str), value))
    return [value_text(value) for value in present] + [value_text(None)] * bool(values.isna().any())


def value_text(value: Any) -> str:
    """The text of a value, for people."""
    if value is None or (isinstance(value, float) and math.isnan(value)) or value is pd.NA:
        return "absent"
    if isinstance(value, bool | np.bool_):
        return str(bool(value)).lower()
    return number(float(value), 3) if isinstance(value, int | float | np.number) else str(value)


def core(scores: pd.Series) -> list[float]:
    """The scores without those so bad that the differences between the others would vanish beside them."""
    finite = scores[np.isfinite(scores)]
    if len(finite) < 8:
        return [float(score) for score in finite]
    low, high = np.quantile(finite, [0.25, 0.75])
    reach = _REACH * (high - low)
    within = finite[(finite >= low - reach) & (finite <= high + reach)]
    return [float(score) for score in within] if len(within) else [float(score) for score in finite]
