"""The oracles, made from the configuration, and how much work each of them plans."""

from __future__ import annotations

import logging
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras_tuner
import numpy as np
from keras_tuner import oracles
from keras_tuner.engine.trial import TrialStatus
from numpy.typing import NDArray
from scipy.optimize import minimize
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from search.config import TunerConfig
from search.errors import InputError
from search.tuning.hyperband import HyperbandOracle
from search.tuning.resumable import ResumableOracle
from search.tuning.sampling import configuration
from search.tuning.schedule import brackets, total_epochs, total_trials
from search.utils.checked import read_checked

log = logging.getLogger(__name__)

# How many points the next trial of a Bayesian search is looked for at, and from how many of them downhill.
_POINTS = 2000
_DESCENTS = 5


class _StopsInOrder(ResumableOracle):
    """Proposes nothing more once too many trials have failed."""

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """As the oracle it is mixed into, until a bound on failures is reached."""
        if self.stop_reason is not None:
            log.warning("No further trial is started: %s.", self.stop_reason)
            return {"status": TrialStatus.STOPPED, "values": None}
        proposal: dict[str, Any] = super().populate_space(trial_id)
        return proposal

    def _random_values(self) -> dict[str, Any] | None:
        """Replaces KerasTuner's draw, which takes a space for exhausted after 20 draws that it has tried."""
        return self._fresh()


class RandomSearchOracle(_StopsInOrder, oracles.RandomSearchOracle):
    """Draws every configuration afresh; KerasTuner's, with this package's promises on seeds and failures."""


class BayesianOptimizationOracle(_StopsInOrder, oracles.BayesianOptimizationOracle):
    """A Gaussian process says what to try next; KerasTuner's, with this package's promises on seeds and failures.

    The first third of the trials is drawn, and no more than three times the parameters that vary. KerasTuner's rule is
    the latter alone, by which 20 trials of a space with seven parameters would all be drawn. A configuration is tried
    once: where the process asks for one again, a new one is drawn.
    """

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Proposes the next trial, as a function of the seed and the trials before."""
        self.num_initial_points = max(3, min(3 * len(self._nonfixed_space()), (self.max_trials or sys.maxsize) // 3))
        completed = sum(trial.status == TrialStatus.COMPLETED for trial in self.trials.values())
        if self.stop_reason is not None or completed < self.num_initial_points:
            proposal: dict[str, Any] = super().populate_space(trial_id)
            return proposal
        values: dict[str, Any] | None = self._proposed_before(trial_id) or self._promising()
        if values is not None and configuration(self.hyperparameters.space, values) in self._tried():
            values = self._fresh()
        return {"status": TrialStatus.STOPPED if values is None else TrialStatus.RUNNING, "values": values}

    def _promising(self) -> dict[str, Any] | None:
        """Where the lower confidence bound is least: of many points drawn the best, each followed downhill.

        KerasTuner goes downhill from 50 points, whatever they are, which takes up to ten seconds a trial.
        """
        dimensions = len(self._nonfixed_space())
        if dimensions == 0:
            return self._fresh()
        draw = np.random.RandomState((self.seed + len(self.trials)) % 2**32)
        self.gpr.set_params(random_state=draw)

        def bound(points: NDArray[np.float64]) -> NDArray[np.float64]:
            mean, deviation = self.gpr.predict(points, return_std=True)
            return np.asarray(mean - self.beta * deviation)

        # Its matrices are small: threads would wait for each other more than they compute.
        with warnings.catch_warnings(), threadpool_limits(1):
            # A parameter that makes no difference sends its length scale to the limit, which is no news to anyone.
            warnings.simplefilter("ignore", ConvergenceWarning)
            self.gpr.fit(*self._vectorize_trials())
            points = draw.uniform(size=(_POINTS, dimensions))
            starts = points[np.argsort(bound(points), kind="stable")[:_DESCENTS]]
            box = [(0.0, 1.0)] * dimensions
            ends = [minimize(lambda x: bound(x[None])[0], start, bounds=box, method="L-BFGS-B") for start in starts]
        values = self._vector_to_values(min(ends, key=lambda end: end.fun).x)
        return {name: value.item() if isinstance(value, np.generic) else value for name, value in values.items()}

    def _proposed_before(self, trial_id: str) -> dict[str, Any] | None:
        """What it proposed before the search was interrupted; elsewhere the last digits may come out others."""
        try:
            state = read_checked(Path(self._get_trial_dir(trial_id)) / "trial.json")
            return dict(state["hyperparameters"]["values"])
        except (OSError, InputError, ValueError, KeyError, TypeError):
            return None


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
