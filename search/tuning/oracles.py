"""The oracles, made from the configuration, and how much work each of them plans."""

from __future__ import annotations

import logging
import sys
from dataclasses import dataclass
from typing import Any

import keras_tuner
from keras_tuner import oracles
from keras_tuner.engine.trial import TrialStatus

from search.config import TunerConfig
from search.tuning.hyperband import HyperbandOracle
from search.tuning.resumable import ResumableOracle
from search.tuning.schedule import brackets, total_epochs, total_trials

log = logging.getLogger(__name__)


class _StopsInOrder(ResumableOracle):
    """Proposes nothing more once too many trials have failed."""

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """As the oracle it is mixed into, until a bound on failures is reached."""
        if self.stop_reason is not None:
            log.warning("No further trial is started: %s.", self.stop_reason)
            return {"status": TrialStatus.STOPPED, "values": None}
        proposal: dict[str, Any] = super().populate_space(trial_id)
        return proposal


class RandomSearchOracle(_StopsInOrder, oracles.RandomSearchOracle):
    """Draws every configuration afresh; KerasTuner's, with this package's promises on seeds and failures."""


class BayesianOptimizationOracle(_StopsInOrder, oracles.BayesianOptimizationOracle):
    """A Gaussian process says what to try next; KerasTuner's, with this package's promises on seeds and failures."""


class GridSearchOracle(_StopsInOrder, oracles.GridSearchOracle):
    """Every combination in order; KerasTuner's, with this package's promises on seeds and failures."""


@dataclass(frozen=True)
class Plan:
    """How many trials and epochs a search takes if no trial fails or stops early; None where it is not known."""

    trials: int | None
    epochs: int | None


def make_oracle(config: TunerConfig, objective: keras_tuner.Objective, seed: int) -> ResumableOracle:
    """Makes the oracle that proposes the trials.

    Args:
        config: The algorithm and its settings.
        objective: Metric and direction to rank trials by.
        seed: Any whole number from 0.
    """
    common = {
        "objective": objective,
        "seed": seed,
        "max_consecutive_failed_trials": config.max_consecutive_failures or sys.maxsize,
        "max_failed_trials": config.max_failures,
    }
    if config.name == "hyperband":
        oracle: ResumableOracle = HyperbandOracle(
            max_epochs=config.max_epochs,
            min_epochs=config.min_epochs,
            factor=config.factor,
            hyperband_iterations=config.iterations,
            **common,
        )
        oracle.max_trials = config.max_trials
        return oracle
    kind = {"random": RandomSearchOracle, "bayesian": BayesianOptimizationOracle, "grid": GridSearchOracle}[config.name]
    return kind(max_trials=config.max_trials, **common)


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
    else:
        trials = _least(combinations, config.max_trials)
        epochs = None if trials is None else trials * config.max_epochs
    return Plan(_least(trials, config.max_trials), _least(epochs, config.max_total_epochs))


def _least(value: int | None, limit: int | None) -> int | None:
    return min((n for n in (value, limit) if n is not None), default=None)
