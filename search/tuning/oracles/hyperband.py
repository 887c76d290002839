"""Hyperband as its paper has it, as a KerasTuner oracle: Li et al. 2018, JMLR 18, algorithm 1."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Sequence
from itertools import cycle
from typing import Any

import keras_tuner
from keras_tuner.engine.trial import TrialStatus

from search.tuning.oracles.base import PARENT, ResumableOracle
from search.tuning.oracles.sampling import active_values
from search.tuning.oracles.schedule import Bracket, brackets, total_trials

log = logging.getLogger(__name__)

_LEAST_BOUND = 10

# The trials of a round in the order in which they began, each with the trial whose training it goes on with.
_Trials = dict[str, str | None]


class HyperbandOracle(ResumableOracle):
    """Proposes the trials of Hyperband, a drop-in for `keras_tuner.oracles.HyperbandOracle`.

    A round is promoted from when it is complete: its best trials, ties going to the earlier one. A failed trial (its
    retries used up, or its score no finite number) is replaced within its round: by the best trial of the round before
    that was not promoted yet, else by a new configuration that trains from epoch 0. So each bracket reaches its last
    round in full. Where the space has no new configuration left, a round is complete with the trials it has.

    The k-th configuration drawn is a function of the seed and k. Too many failures end the search in order: no further
    trial is proposed, `stop_reason` and the log say why, and what has completed can be used; KerasTuner raises a
    RuntimeError from within the trial that failed, before it has saved it. A search may be resumed with other bounds
    on failures and with more iterations, with nothing else changed.

    Args:
        objective: As for `keras_tuner.Oracle`.
        max_epochs: Epochs of a trial trained in full.
        factor: From round to round one in `factor` trials is kept, for `factor` times as many epochs.
        hyperband_iterations: How often the whole of Hyperband is run; None: until something else ends the search.
        seed: Any whole number; None draws one.
        hyperparameters: As for `keras_tuner.Oracle`, like the three that follow.
        allow_new_entries: Whether a model may ask for hyperparameters that are not in `hyperparameters`.
        tune_new_entries: Whether those are tuned.
        max_retries_per_trial: How often a trial that crashed is run again before it counts as failed.
        max_consecutive_failed_trials: Failed trials in a row that end the search.
        min_epochs: The fewest epochs a trial gets in the first round of any bracket.
        max_failed_trials: Failed trials in all that end the search; None: as many as the iterations begun so far have
            trials by the schedule, and no fewer than 10.

    Raises:
        ValueError: The schedule is impossible, or a bound below 1.
    """

    def __init__(
        self,
        objective: Any = None,
        max_epochs: int = 100,
        factor: int = 3,
        hyperband_iterations: int | None = 1,
        seed: int | None = None,
        hyperparameters: keras_tuner.HyperParameters | None = None,
        allow_new_entries: bool = True,
        tune_new_entries: bool = True,
        max_retries_per_trial: int = 0,
        max_consecutive_failed_trials: int = 3,
        *,
        min_epochs: int = 1,
        max_failed_trials: int | None = None,
    ) -> None:
        super().__init__(
            objective=objective,
            hyperparameters=hyperparameters,
            allow_new_entries=allow_new_entries,
            tune_new_entries=tune_new_entries,
            seed=seed,
            max_retries_per_trial=max_retries_per_trial,
            max_consecutive_failed_trials=max_consecutive_failed_trials,
            max_failed_trials=max_failed_trials,
        )
        if hyperband_iterations is not None and hyperband_iterations < 1:
            raise ValueError(
                f"Expected hyperband_iterations to be at least 1 or None. Received: {hyperband_iterations}"
            )
        self.max_epochs = max_epochs
        self.min_epochs = min_epochs
        self.factor = factor
        self.hyperband_iterations = hyperband_iterations
        self._schedule = brackets(max_epochs, factor, min_epochs)
        # The brackets begun, each as the list of its rounds begun.
        self._brackets: list[list[_Trials]] = []

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Proposes the next trial; KerasTuner's `create_trial` calls it.

        Args:
            trial_id: What the trial will be called.

        Returns:
            "status": RUNNING; IDLE while trials of other workers decide what comes next; STOPPED at the end of the
            search. With RUNNING "values": name to value, KerasTuner's special ones (`tuner/epochs` …) included.
        """
        if self.stop_reason is not None:
            log.warning("No further trial is started: %s.", self.stop_reason)
            return {"status": TrialStatus.STOPPED}
        for planned, bracket in self._begun():
            values = self._next_of(trial_id, planned, bracket)
            if values is not None:
                return {"status": TrialStatus.RUNNING, "values": values}
        values = self._first_of_new_bracket(trial_id)
        if values is not None:
            return {"status": TrialStatus.RUNNING, "values": values}
        return {"status": TrialStatus.IDLE if self.ongoing_trials else TrialStatus.STOPPED}

    def promotable(self) -> set[str]:
        """The trials whose training another one may yet go on with, or is going on with: keep their last state."""
        found: set[str] = set()
        for planned, bracket in self._begun():
            current, running = bracket[-1], self._running(bracket[-1])
            if running or len(self._alive(current)) < planned[len(bracket) - 1].size:
                found.update(self._candidates(bracket))
                found.update(parent for trial_id in running if (parent := current[trial_id]) is not None)
            if len(bracket) < len(planned):
                found.update(self._alive(current))
        return found

    def get_state(self) -> dict[str, Any]:
        """All but the trials, which have their own files, ready for JSON."""
        return {**super().get_state(), "brackets": _copy(self._brackets)}

    def set_state(self, state: dict[str, Any]) -> None:
        """Goes on from a saved state, as `ResumableOracle.set_state` says."""
        super().set_state(state)
        self._brackets = _copy(state["brackets"])

    def _begun(self) -> Iterator[tuple[Bracket, list[_Trials]]]:
        """Every bracket begun: its plan and its rounds so far."""
        return zip(cycle(self._schedule), self._brackets, strict=False)

    def _first_of_new_bracket(self, trial_id: str) -> dict[str, Any] | None:
        """The values of the first trial of the next bracket; None where there is none, or nothing left to try."""
        iteration, index = divmod(len(self._brackets), len(self._schedule))
        if self.hyperband_iterations is not None and iteration >= self.hyperband_iterations:
            return None
        bracket: list[_Trials] = [{}]
        values = self._next_of(trial_id, self._schedule[index], bracket)
        if values is not None:
            self._brackets.append(bracket)
        return values

    def _next_of(self, trial_id: str, planned: Bracket, bracket: list[_Trials]) -> dict[str, Any] | None:
        """The values of a bracket's next trial, which is entered in it; None while it waits, and when it is over."""
        while True:
            current, plan = bracket[-1], planned[len(bracket) - 1]
            if len(self._alive(current)) < plan.size:
                parent = next(iter(self._candidates(bracket)), None)
                values = self._fresh() if parent is None else self._promoted(parent)
                if values is not None:
                    current[trial_id] = parent
                    return {
                        **values,
                        "tuner/epochs": plan.epochs,
                        "tuner/initial_epoch": 0 if parent is None else plan.initial_epoch,
                        "tuner/bracket": len(planned) - 1,
                        "tuner/round": len(bracket) - 1,
                    }
            if self._running(current) or not self._completed(current) or len(bracket) == len(planned):
                return None
            bracket.append({})

    def _candidates(self, bracket: Sequence[_Trials]) -> list[str]:
        """The trials that a bracket's current round may go on with, the best first."""
        if len(bracket) == 1:
            return []
        sign = -1 if self.objective.direction == "max" else 1
        promoted = set(bracket[-1].values())
        waiting = [trial_id for trial_id in self._completed(bracket[-2]) if trial_id not in promoted]
        return sorted(waiting, key=lambda trial_id: sign * self.trials[trial_id].score)

    def _promoted(self, parent: str) -> dict[str, Any]:
        values = self.trials[parent].hyperparameters.values
        # What came up in other trials only, KerasTuner would draw here, and without a seed.
        known = active_values(self.hyperparameters.space, lambda hp: values.get(hp.name, hp.default))
        return {**values, **known, PARENT: parent}

    def _completed(self, trials: _Trials) -> list[str]:
        # A tuner sets the status some time before the oracle scores the trial.
        return [
            trial_id
            for trial_id in trials
            if self.trials[trial_id].status == TrialStatus.COMPLETED and self.trials[trial_id].score is not None
        ]

    def _alive(self, trials: _Trials) -> list[str]:
        return [trial_id for trial_id in trials if self.trials[trial_id].status != TrialStatus.FAILED]

    def _running(self, trials: _Trials) -> set[str]:
        return set(self._alive(trials)) - set(self._completed(trials))

    def _most_failures(self) -> int:
        iterations = math.ceil(len(self._brackets) / len(self._schedule))
        return self.max_failed_trials or max(_LEAST_BOUND, iterations * total_trials(self._schedule))

    def _settings(self) -> dict[str, Any]:
        names = ("max_epochs", "min_epochs", "factor", "hyperband_iterations")
        return {**super()._settings(), **{name: getattr(self, name) for name in names}}

    def _may_become(self, name: str, saved: Any, now: Any) -> bool:
        more_iterations = name == "hyperband_iterations" and (now or math.inf) > (saved or math.inf)
        return more_iterations or super()._may_become(name, saved, now)


def _copy(begun: list[list[_Trials]]) -> list[list[_Trials]]:
    return [[dict(trials) for trials in bracket] for bracket in begun]
