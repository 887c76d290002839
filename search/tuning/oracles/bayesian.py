"""Bayesian optimization: a Gaussian process over the trials so far proposes the next one."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from keras_tuner import oracles
from keras_tuner.engine.trial import TrialStatus
from numpy.typing import NDArray
from scipy.optimize import minimize
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from search.errors import InputError
from search.tuning.oracles.sampling import configuration
from search.tuning.oracles.stopping import StopsInOrder
from search.utils.checked import read_checked

# How many points the next trial of a Bayesian search is looked for at, and from how many of them downhill.
_POINTS = 2000
_DESCENTS = 5


class BayesianOptimizationOracle(StopsInOrder, oracles.BayesianOptimizationOracle):
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
