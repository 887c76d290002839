"""Bayesian optimization: a Gaussian process over the trials so far proposes the next one."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from keras_tuner import oracles
from keras_tuner.engine.trial import TrialStatus
from numpy.typing import NDArray
from scipy.optimize import minimize
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from search.tuning.oracles.sampling import configuration
from search.tuning.oracles.stopping import StopsInOrder

# How many points the next trial of a Bayesian search is looked for at, and from how many of them downhill.
_POINTS = 2000
_DESCENTS = 5


class BayesianOptimizationOracle(StopsInOrder, oracles.BayesianOptimizationOracle):
    """KerasTuner's Bayesian optimization, with this package's promises on seeds and failures.

    The first third of the trials is drawn at random, but no more than three times the number of parameters that vary.
    KerasTuner has only the latter rule, by which all of 20 trials would be drawn in a space of seven parameters. A
    configuration is tried once: where the process proposes one again, a new one is drawn.

    All further trials are proposed in fixed batches. A proposal follows from the trials before its batch, and from the
    other proposals in it: in whatever order a batch ends, the next one is the same.

    Args:
        batch: Trials that may run in parallel; with 1 each one sees the results of all before it.
        **settings: Arguments of KerasTuner's oracle.
    """

    def __init__(self, *, batch: int = 1, **settings: Any) -> None:
        super().__init__(**settings)
        self.batch = batch

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Proposes the next trial, as a function of the seed and the trials before its batch."""
        if self.stop_reason is not None or self._replayed is not None:
            proposal: dict[str, Any] = super().populate_space(trial_id)
            return proposal
        initial = max(3, min(3 * len(self._nonfixed_space()), (self.max_trials or sys.maxsize) // 3))
        self.num_initial_points = initial
        begun = list(self.trials.values())
        in_batches = len(begun) - initial
        known = begun[: len(begun) if in_batches < 0 else initial + in_batches // self.batch * self.batch]
        if in_batches >= 0 and any(trial.trial_id in self._unended() for trial in known):
            return {"status": TrialStatus.IDLE, "values": None}
        completed = [trial for trial in known if trial.status == TrialStatus.COMPLETED]
        if in_batches < 0 or len(completed) < initial:
            values = self._fresh()
        else:
            values = self._promising(completed, begun[len(known) :])
            if values is not None and configuration(self.hyperparameters.space, values) in self._tried():
                values = self._fresh()
        return {"status": TrialStatus.STOPPED if values is None else TrialStatus.RUNNING, "values": values}

    def _unended(self) -> set[str]:
        return set(self.start_order) - set(self.end_order)

    def _promising(self, completed: Sequence[Any], pending: Sequence[Any]) -> dict[str, Any] | None:
        """The point with the least lower confidence bound: the best of many drawn points, improved by gradient descent.

        KerasTuner goes downhill from 50 points, whatever they are, which takes up to ten seconds a trial.

        Args:
            completed: The trials whose scores count.
            pending: Trials of the same batch: each counts with a score one deviation worse than expected, so that the
                next is sought elsewhere.
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
            sign = -1 if self.objective.direction == "max" else 1
            known, scores = self._points(completed), np.array([sign * trial.score for trial in completed])
            self.gpr.fit(known, scores)
            if pending:
                mean, deviation = self.gpr.predict(ahead := self._points(pending), return_std=True)
                self.gpr.fit(np.concatenate([known, ahead]), np.concatenate([scores, mean + deviation]))
            points = draw.uniform(size=(_POINTS, dimensions))
            starts = points[np.argsort(bound(points), kind="stable")[:_DESCENTS]]
            box = [(0.0, 1.0)] * dimensions
            ends = [minimize(lambda x: bound(x[None])[0], start, bounds=box, method="L-BFGS-B") for start in starts]
        values = self._vector_to_values(min(ends, key=lambda end: end.fun).x)
        return {name: value.item() if isinstance(value, np.generic) else value for name, value in values.items()}

    def _points(self, trials: Sequence[Any]) -> NDArray[np.float64]:
        """The trials' values [n, parameters that vary], each parameter mapped to 0 to 1."""

        def place(hp: Any, hyperparameters: Any) -> float:
            is_there = hyperparameters.is_active(hp) and hp.name in hyperparameters.values
            return float(hp.value_to_prob(hyperparameters.values[hp.name] if is_there else hp.default))

        return np.array([[place(hp, trial.hyperparameters) for hp in self._nonfixed_space()] for trial in trials])
