"""New configurations from a model of the results so far, by Optuna's samplers, as in BOHB.

BOHB: Falkner et al. 2018, https://arxiv.org/abs/1807.01774. Optuna: Akiba et al. 2019, https://optuna.org.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from keras_tuner.engine import hyperparameters as hp_types

from search.tuning.oracles.sampling import active_values, options_of, seed_of

if TYPE_CHECKING:
    import optuna
    from optuna.distributions import BaseDistribution

# Configurations with a result before there is a model, as Optuna's own samplers wait for.
_LEAST = 10
# One configuration in so many is drawn at random, which keeps Hyperband's guarantee.
_RANDOM = 3
# Proposals that may have been tried already before one is drawn at random.
_PROPOSALS = 5


@dataclass(frozen=True)
class Ended:
    """A trial that has ended.

    Attributes:
        values: Its hyperparameters.
        epochs: Epochs that it was to reach, those of its parents included.
        loss: Its score, less being better; NaN where it failed.
    """

    values: Mapping[str, Any]
    epochs: int
    loss: float


@dataclass(frozen=True)
class Results:
    """The results that a proposal follows from.

    Attributes:
        ended: The trials whose results count, of each configuration the last one.
        running: Hyperparameters of trials without a result, near which nothing further is proposed.
    """

    ended: Sequence[Ended]
    running: Sequence[Mapping[str, Any]]


def propose(
    sampler: str,
    space: Sequence[Any],
    identity: tuple[int, int],
    results: Results,
    is_new: Callable[[Mapping[str, Any]], bool],
) -> dict[str, Any] | None:
    """Proposes a configuration, a function of the arguments alone.

    The model is told which trial was better, not by how much: one of more epochs, since it was promoted or is known
    better; of equal ones, the one with the better score; last, those that failed. So does Optuna with pruned trials.

    Args:
        sampler: tpe (multivariate, conditional hyperparameters in groups of their own) or gp (a Gaussian process).
        space: KerasTuner's hyperparameters, `HyperParameters.space`.
        identity: The seed of the search, and the number of configurations drawn before.
        results: The trials that it follows from.
        is_new: Whether a configuration may be tried.

    Returns:
        Name to value; None where there are too few results, a random draw is due, or nothing new was proposed.
    """
    if len(results.ended) < _LEAST or identity[1] % _RANDOM == _RANDOM - 1:
        return None
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that an option is experimental
        study = optuna.create_study(sampler=_made(sampler, seed_of(*identity) % 2**32))
        view = _View(space, is_flat=sampler == "gp")
        for rank, trial in enumerate(sorted(results.ended, key=_order)):
            study.add_trial(view.trial(trial.values, rank))
        study.add_trials([view.trial(values) for values in results.running])
        asked = (view.asked(study.ask()) for _ in range(_PROPOSALS))
        return next(filter(is_new, asked), None)


def _order(trial: Ended) -> tuple[bool, int, float]:
    """A key that sorts the better trials first."""
    has_failed = math.isnan(trial.loss)
    return has_failed, -trial.epochs, 0.0 if has_failed else trial.loss


class _View:
    """A space as Optuna sees it: of each hyperparameter the place among its values, or 0 to 1 for a continuum.

    Args:
        space: KerasTuner's hyperparameters.
        is_flat: Whether every trial has a place for all of them, the default's where one does not exist in it.
    """

    def __init__(self, space: Sequence[Any], *, is_flat: bool) -> None:
        self._space, self._is_flat = space, is_flat
        self._options = {parameter.name: _options(parameter) for parameter in space}

    def trial(self, values: Mapping[str, Any], rank: int | None = None) -> optuna.trial.FrozenTrial:
        """A trial; one without a rank runs."""
        from optuna.trial import TrialState, create_trial

        existing = active_values(self._space, lambda parameter: values.get(parameter.name, parameter.default))
        if self._is_flat:
            existing = {**{parameter.name: parameter.default for parameter in self._space}, **existing}
        by_name = {parameter.name: parameter for parameter in self._space}
        return create_trial(
            state=TrialState.RUNNING if rank is None else TrialState.COMPLETE,
            value=rank,
            params={name: self._place(by_name[name], value) for name, value in existing.items()},
            distributions={name: self._distribution(by_name[name]) for name in existing},
        )

    def asked(self, trial: optuna.Trial) -> dict[str, Any]:
        """The configuration that a new trial asks for."""
        if not self._is_flat:
            return active_values(self._space, lambda parameter: self._asked(trial, parameter))
        proposed = {parameter.name: self._asked(trial, parameter) for parameter in self._space}
        return active_values(self._space, lambda parameter: proposed[parameter.name])

    def _distribution(self, parameter: Any) -> BaseDistribution:
        from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

        options = self._options[parameter.name]
        if options is None:
            return FloatDistribution(0.0, 1.0)
        if _is_ordered(parameter):
            return IntDistribution(0, len(options) - 1)
        return CategoricalDistribution(range(len(options)))

    def _place(self, parameter: Any, value: Any) -> float:
        options = self._options[parameter.name]
        if options is not None:
            return options.index(value)
        return min(1.0, max(0.0, float(parameter.value_to_prob(value))))

    def _asked(self, trial: optuna.Trial, parameter: Any) -> Any:
        name, options = parameter.name, self._options[parameter.name]
        if options is None:
            return parameter.prob_to_value(trial.suggest_float(name, 0.0, 1.0))
        if _is_ordered(parameter):
            return options[trial.suggest_int(name, 0, len(options) - 1)]
        return options[trial.suggest_categorical(name, range(len(options)))]


def _options(parameter: Any) -> Sequence[Any] | None:
    """The values of a hyperparameter; None for a continuum, and for whole numbers by their order of magnitude."""
    is_by_magnitude = getattr(parameter, "sampling", "linear") != "linear" and parameter.step is None
    return None if is_by_magnitude else options_of(parameter)


def _is_ordered(parameter: Any) -> bool:
    return not isinstance(parameter, hp_types.Boolean) and getattr(parameter, "ordered", True)


def _made(sampler: str, seed: int) -> optuna.samplers.BaseSampler:
    from optuna.samplers import GPSampler, TPESampler

    if sampler == "gp":
        return GPSampler(seed=seed, n_startup_trials=0, warn_independent_sampling=False)
    return TPESampler(seed=seed, n_startup_trials=0, multivariate=True, group=True, constant_liar=True)
