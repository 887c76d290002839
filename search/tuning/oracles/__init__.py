"""The oracles, one file each: they propose which configuration is tried next, and for how many epochs.

A new one is a class over `ResumableOracle`, an entry in `ORACLES`, its name in `search.config.tuner.TUNERS` and a YAML
file in `conf/tuner`; the tests of promises run over all of them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras_tuner

from search.config.tuner import TunerConfig
from search.tuning.oracles.asha import AshaOracle
from search.tuning.oracles.base import ResumableOracle
from search.tuning.oracles.bayesian import BayesianOptimizationOracle
from search.tuning.oracles.grid import GridSearchOracle
from search.tuning.oracles.hyperband import HyperbandOracle
from search.tuning.oracles.random_search import RandomSearchOracle
from search.tuning.oracles.schedule import brackets, total_epochs, total_trials


@dataclass(frozen=True)
class Plan:
    """The number of trials and epochs of a search if no trial fails or stops early; None where unknown."""

    trials: int | None
    epochs: int | None


def _rungs(config: TunerConfig) -> dict[str, Any]:
    """The settings of oracles that train in rungs."""
    return {
        "max_epochs": config.max_epochs,
        "min_epochs": config.min_epochs,
        "factor": config.factor,
        "sampler": config.sampler,
        "max_trials": config.max_trials,
    }


def _hyperband(config: TunerConfig, **common: Any) -> ResumableOracle:
    is_side_by_side = config.max_total_epochs is None
    return HyperbandOracle(
        **_rungs(config), hyperband_iterations=config.iterations, side_by_side=is_side_by_side, **common
    )


def _asha(config: TunerConfig, **common: Any) -> ResumableOracle:
    return AshaOracle(**_rungs(config), **common)


def _random(config: TunerConfig, **common: Any) -> ResumableOracle:
    return RandomSearchOracle(max_trials=config.max_trials, **common)


def _bayesian(config: TunerConfig, **common: Any) -> ResumableOracle:
    return BayesianOptimizationOracle(max_trials=config.max_trials, batch=config.batch, **common)


def _grid(config: TunerConfig, **common: Any) -> ResumableOracle:
    return GridSearchOracle(max_trials=config.max_trials, **common)


ORACLES: dict[str, Callable[..., ResumableOracle]] = {
    "hyperband": _hyperband,
    "random": _random,
    "bayesian": _bayesian,
    "grid": _grid,
    "asha": _asha,
}
"""Value of `tuner.name` to a function that makes the oracle from the tuner's settings and those all oracles share."""


def make_oracle(config: TunerConfig, objective: keras_tuner.Objective, seed: int) -> ResumableOracle:
    """Makes the oracle that proposes the trials.

    Args:
        config: The algorithm and its settings.
        objective: Metric and direction to rank trials by.
        seed: Any whole number from 0.
    """
    return ORACLES[config.name](
        config,
        objective=objective,
        seed=seed,
        max_consecutive_failed_trials=config.max_consecutive_failures or sys.maxsize,
        max_failed_trials=config.max_failures,
    )


def plan(config: TunerConfig, combinations: int | None) -> Plan:
    """Counts the trials and epochs ahead.

    Args:
        config: The algorithm and its settings.
        combinations: Size of the search space, None where a range makes it infinite.

    Returns:
        The plan, within the budgets `max_trials` and `max_total_epochs`.
    """
    if config.name == "hyperband":
        schedule = brackets(config.max_epochs, config.factor, config.min_epochs)
        trials: int | None = total_trials(schedule) * config.iterations
        epochs: int | None = total_epochs(schedule) * config.iterations
    elif config.name == "asha":
        trials, epochs = config.max_trials, None  # results decide how many are promoted
    else:
        trials = _least(combinations, config.max_trials)
        epochs = None if trials is None else trials * config.max_epochs
    return Plan(_least(trials, config.max_trials), _least(epochs, config.max_total_epochs))


def _least(value: int | None, limit: int | None) -> int | None:
    return min((n for n in (value, limit) if n is not None), default=None)
