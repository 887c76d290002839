"""Arguments of commands that load a model of a finished run."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from search.config import DEVICES
from search.errors import InputError, nearest
from search.utils.paths import read_path

_MADE_BY = {"best": "", "ensemble": "ensemble.trials=3", "all": "final_refit=true"}
"""The models of a run, and the setting of a search that makes each."""
MODEL_CHOICES = {"model": tuple(_MADE_BY), "device": DEVICES}
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


def named_run(values: Mapping[str, str]) -> Path:
    """The folder of the run that is named.

    Raises:
        InputError: It has no such model.
    """
    run, model = read_path(values["run"], "run"), values["model"]
    from search.inference.labels import MODELS

    if run.is_dir() and _MADE_BY[model] and not (run / MODELS[model]).is_dir():
        raise InputError(f"model={model}: {run} has none; a search makes one with {_MADE_BY[model]}.")
    return run


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
