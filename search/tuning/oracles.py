"""KerasTuner's oracles, made from the configuration, and how much work each of them plans."""

from __future__ import annotations

import sys
from dataclasses import dataclass

import keras_tuner
from keras_tuner import oracles

from search.config import TunerConfig


@dataclass(frozen=True)
class Plan:
    """How many trials and epochs a search takes if no trial fails or stops early; None where it is not known."""

    trials: int | None
    epochs: int | None


def make_oracle(config: TunerConfig, objective: keras_tuner.Objective, seed: int) -> keras_tuner.Oracle:
    """Makes the oracle that proposes the trials.

    Args:
        config: The algorithm and its settings.
        objective: Metric and direction to rank trials by.
        seed: Any whole number from 0.

    Returns:
        An oracle that no number of failed trials stops.
    """
    common = {
        "objective": objective,
        # KerasTuner takes 0 for "no seed".
        "seed": seed + 1,
        "max_consecutive_failed_trials": sys.maxsize,
    }
    if config.name == "hyperband":
        oracle = oracles.HyperbandOracle(
            max_epochs=config.max_epochs, factor=config.factor, hyperband_iterations=config.iterations, **common
        )
        oracle.max_trials = config.max_trials
        return oracle
    kind = {
        "random": oracles.RandomSearchOracle,
        "bayesian": oracles.BayesianOptimizationOracle,
        "grid": oracles.GridSearchOracle,
    }[config.name]
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
        rounds = [
            (size, epochs - before) for bracket in _brackets(config) for size, epochs, before in bracket
        ] * config.iterations
        trials: int | None = sum(size for size, _ in rounds)
        epochs: int | None = sum(size * spent for size, spent in rounds)
    else:
        trials = min((n for n in (config.max_trials, combinations) if n is not None), default=None)
        epochs = None if trials is None else trials * config.max_epochs
    return Plan(_least(trials, config.max_trials), _least(epochs, config.max_total_epochs))


def _brackets(config: TunerConfig) -> list[list[tuple[int, int, int]]]:
    """Per bracket its rounds: number of trials, epochs at the end of the round, epochs at its start."""
    oracle = oracles.HyperbandOracle(
        objective=keras_tuner.Objective("val_loss", "min"), max_epochs=config.max_epochs, factor=config.factor
    )
    return [
        [
            (
                oracle._get_size(bracket, round_),
                oracle._get_epochs(bracket, round_),
                oracle._get_epochs(bracket, round_ - 1) if round_ else 0,
            )
            for round_ in range(oracle._get_num_rounds(bracket))
        ]
        for bracket in range(oracle._get_num_brackets())
    ]


def _least(value: int | None, limit: int | None) -> int | None:
    return min((n for n in (value, limit) if n is not None), default=None)
