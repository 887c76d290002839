"""Arguments of commands that load a model of a finished run."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from search.config import DEVICES
from search.errors import InputError, nearest

MODEL_CHOICES = {"model": ("best", "ensemble", "all"), "device": DEVICES}
"""Settings of commands that load a run's model, with their values."""


def check_choices(values: dict[str, str], choices: Mapping[str, Sequence[str]], usage: str) -> None:
    """Checks that a run is named, and settings that have few values; the first of them is the default.

    Raises:
        InputError: There is no run, or a setting has another value.
    """
    if not values.get("run"):
        raise InputError(f"run= must be given: {usage}")
    for key, names in choices.items():
        if values.setdefault(key, names[0]) not in names:
            raise InputError(f"{key}={values[key]} is unknown. {nearest(values[key], names)}")


def check_columns(values: Mapping[str, str]) -> None:
    """Checks that columns are given beside a single text, and no table, which has its own.

    Raises:
        InputError: They are given beside none.
    """
    if "columns" in values and "text" not in values:
        raise InputError("columns= are those of text=, which is not given: a table has its own.")


def parsed_threshold(given: str | None) -> float | None:
    """Reads `threshold=`; None where it is not given.

    Raises:
        InputError: It is no number from 0 to 1.
    """
    if given is None:
        return None
    try:
        threshold = float(given)
    except ValueError:
        threshold = math.nan
    if not 0 <= threshold <= 1:
        raise InputError(f"threshold={given} is impossible: expected a probability, from 0 to 1.")
    return threshold
