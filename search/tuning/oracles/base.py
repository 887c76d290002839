"""The part that all oracles share: seeds, failed trials and the order of trials."""

from __future__ import annotations

import math
import secrets
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any

import keras_tuner
from keras_tuner.engine.trial import Trial, TrialStatus

from search.tuning.hyperparameter_copies import copied
from search.tuning.oracles.sampling import Configuration, Tried, sample
from search.tuning.oracles.saved import SavedOracle

PARENT = "tuner/trial_id"
"""KerasTuner's name for a trial's parent among its values: the trial whose training it continues."""


@dataclass
class _Ends:
    """How trials ended, each looked at once.

    Attributes:
        ended: All trials that have ended.
        settled: Number of trials at the beginning of the canonical order that have ended, and stay the beginning.
        failed: Failed trials among them.
        in_a_row: Failed trials at the end of them.
        stop: The failed trial with which a bound was reached, and the bound.
    """

    ended: set[str] = field(default_factory=set)
    settled: int = 0
    failed: int = 0
    in_a_row: int = 0
    stop: tuple[str, str] | None = None


class ResumableOracle(SavedOracle):
    """A KerasTuner oracle that takes any seed, stops in order after too many failures and survives any kill.

    Args:
        seed: Any whole number; None draws one.
        max_consecutive_failed_trials: Failed trials in a row that end the search.
        max_failed_trials: Total of failed trials that ends the search; None: left to the subclass.
        **settings: Arguments of `keras_tuner.Oracle`.

    Raises:
        ValueError: A bound is below 1.
    """

    def __init__(
        self,
        *,
        seed: int | None = None,
        max_consecutive_failed_trials: int = 3,
        max_failed_trials: int | None = None,
        **settings: Any,
    ) -> None:
        for bound in (max_consecutive_failed_trials, max_failed_trials):
            if bound is not None and bound < 1:
                raise ValueError(f"Expected a bound on failed trials to be at least 1. Received: {bound}")
        # NumPy's generators, which some oracles make of it, take no seed beyond 32 bits.
        limited = None if seed is None else seed % 2**32
        super().__init__(seed=limited, max_consecutive_failed_trials=max_consecutive_failed_trials, **settings)
        # KerasTuner takes 0 for "no seed", and draws one from a generator that every model's own seed resets.
        self.seed = self._seed_state = secrets.randbelow(2**31) if seed is None else seed
        self._seed_is_drawn = seed is None
        self.max_failed_trials = max_failed_trials
        self._ends = _Ends()
        self._of_all = Tried()
        self._replayed: dict[str, Any] | None = None

    @keras_tuner.synchronized
    def create_trial(self, tuner_id: str) -> Any:
        """Proposes a trial, as KerasTuner's does; `populate_space` may name it.

        Args:
            tuner_id: The worker; one that runs a trial is given the same trial again.

        Returns:
            KerasTuner's trial; its status is IDLE while running trials decide what comes next, STOPPED at the end.
        """
        if tuner_id in self.ongoing_trials:
            return self.ongoing_trials[tuner_id]
        self.tuner_ids.add(tuner_id)
        if self._retry_queue:
            trial = self.trials[self._retry_queue.pop()]
            trial.status = TrialStatus.RUNNING
        else:
            trial = self._proposed()
            if trial.status == TrialStatus.STOPPED:
                self.tuner_ids.remove(tuner_id)
            if trial.status != TrialStatus.RUNNING:
                return trial
            self._record_values(trial)
            self.trials[trial.trial_id] = trial
            self.start_order.append(trial.trial_id)
            self._save_trial(trial)
        self.ongoing_trials[tuner_id] = trial
        self.save()
        self._display.on_trial_begin(trial)
        return trial

    def _proposed(self) -> Any:
        response: dict[str, Any] = {"status": TrialStatus.STOPPED}
        if not self.max_trials or len(self.trials) < self.max_trials:
            response = self.populate_space(self._id(len(self.trials)))
        hyperparameters = copied(self.hyperparameters)
        hyperparameters.values = (response.get("values") if self._replayed is None else self._replayed) or {}
        name = response.get("trial_id", self._id(len(self.trials)))
        return Trial(hyperparameters=hyperparameters, trial_id=name, status=response["status"])

    def _id(self, number: int) -> str:
        """The name of a trial: its number, as wide as KerasTuner writes it."""
        return f"{number:0{len(str(self.max_trials))}}"

    def replay(self, tuner_id: str, values: dict[str, Any]) -> Any:
        """Takes a trial that was proposed before, with the values it had then.

        Args:
            tuner_id: The worker.
            values: The values, with KerasTuner's special ones.

        Returns:
            The trial, as `create_trial` gives it.
        """
        self._replayed = dict(values)
        try:
            return self.create_trial(tuner_id)
        finally:
            self._replayed = None

    def order(self) -> list[str]:
        """The trials in the canonical order, whichever ended first.

        Trials beyond the failure that ended the search are left out.
        """
        trials = self._begun_in_order()
        stop = self._stop()
        return trials if stop is None else trials[: trials.index(stop[0]) + 1]

    def _begun_in_order(self) -> list[str]:
        return list(self.start_order)

    def _after(self, settled: int) -> list[str]:
        """The trials of that order after the first ones, up to one before which another may yet begin."""
        return self.start_order[settled:]

    @property
    def stop_reason(self) -> str | None:
        """The bound that the failed trials have reached; None while they are below it."""
        stop = self._stop()
        return None if stop is None else stop[1]

    def _stop(self) -> tuple[str, str] | None:
        """The failed trial with which a bound is reached, and the bound."""
        ends = self._ends
        ends.ended.update(self.end_order[len(ends.ended) :])
        for trial_id in takewhile(ends.ended.__contains__, self._after(ends.settled)):
            ends.settled += 1
            is_failed = self.trials[trial_id].status == TrialStatus.FAILED
            ends.failed += is_failed
            ends.in_a_row = ends.in_a_row + 1 if is_failed else 0
            if ends.stop is None and (reached := self._reached(trial_id)) is not None:
                ends.stop = trial_id, reached
        return ends.stop

    def _reached(self, trial_id: str) -> str | None:
        """The bound that the failed trials have reached with this one, the last one counted."""
        failed, in_a_row, bound = self._ends.failed, self._ends.in_a_row, self._most_failures(trial_id)
        if in_a_row >= self.max_consecutive_failed_trials:
            return f"{in_a_row} trials in a row failed (max_consecutive_failed_trials)"
        if bound is not None and failed >= bound:
            return f"{failed} trials failed (max_failed_trials)"
        return None

    def loss(self, trial_id: str) -> float | None:
        """A trial's score, less being better; NaN for a failed trial, None until it has ended."""
        trial = self.trials[trial_id]
        if trial.status == TrialStatus.FAILED:
            return math.nan
        # A tuner sets the status some time before the oracle scores the trial.
        if trial.status != TrialStatus.COMPLETED or trial.score is None:
            return None
        return float(trial.score) * (-1 if self.objective.direction == "max" else 1)

    def promotable(self) -> set[str]:
        """The trials that may yet be promoted; here none."""
        return set()

    def settings(self) -> dict[str, Any]:
        """The settings that must be the same when a search is resumed, ready for JSON."""
        return {**super().settings(), "seed": self.seed}

    def _may_become(self, name: str, saved: Any, now: Any) -> bool:
        return name == "seed" and self._seed_is_drawn

    def take_seed(self, settings: dict[str, Any]) -> None:
        """Takes over the seed that was drawn when the search began, unless one was given."""
        if self._seed_is_drawn and type(settings.get("seed")) is int:
            self.seed = self._seed_state = settings["seed"]

    def set_state(self, state: dict[str, Any]) -> None:
        """Goes on from a saved state."""
        super().set_state(state)
        self._ends, self._of_all = _Ends(), Tried()

    def _tried(self) -> set[Configuration]:
        """The configurations that trials have had."""
        return self._of_all.among(self.start_order, self.trials, self.hyperparameters.space)

    def _fresh(self) -> dict[str, Any] | None:
        """A new configuration, from the seed and the number of draws so far; None where none is left."""
        if self._replayed is not None:
            return self._replayed
        return sample(self.hyperparameters.space, self.seed, len(self.trials), self._tried())

    def _most_failures(self, trial_id: str) -> int | None:
        """Total of failed trials, up to this one, that ends the search; None: no limit."""
        return self.max_failed_trials
