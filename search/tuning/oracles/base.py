"""What an oracle has to do about seeds, failed trials and saved states, whatever it proposes."""

from __future__ import annotations

import math
import secrets
from pathlib import Path
from typing import Any

import keras_tuner
from keras_tuner.engine.trial import Trial, TrialStatus

from search.tuning.oracles.sampling import Configuration, configuration, fresh_values
from search.utils.checked import damaged, read_checked, write_checked

PARENT = "tuner/trial_id"
"""KerasTuner's name for the trial whose training another one goes on with, among the values of the latter."""


class ResumableOracle(keras_tuner.Oracle):
    """A KerasTuner oracle with any seed, that stops in order after too many failures and goes on after any kill.

    Args:
        seed: Any whole number; None draws one.
        max_consecutive_failed_trials: Failed trials in a row that end the search.
        max_failed_trials: Failed trials in all that end the search; None: left to the subclass.
        **settings: As for `keras_tuner.Oracle`.

    Attributes:
        trials: Trial id to trial, in the order in which they began.
        ongoing_trials: Tuner id to the trial that it runs.

    Raises:
        ValueError: A bound is below 1.
    """

    trials: dict[str, Any]
    ongoing_trials: dict[str, Any]

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
        # A tuner that keeps records of its own, and tells the oracle of them when it is resumed, needs no state of the
        # oracle on disk after each step: to write it takes longer with every trial.
        self.saves_each_step = True
        self._configurations: dict[str, Configuration] = {}
        self._space_size = 0

    @property
    def stop_reason(self) -> str | None:
        """Which bound the failed trials have reached; None while they are within."""
        failed = in_a_row = most_in_a_row = 0
        for trial_id in self.end_order:
            is_failed = self.trials[trial_id].status == TrialStatus.FAILED
            failed += is_failed
            in_a_row = in_a_row + 1 if is_failed else 0
            most_in_a_row = max(most_in_a_row, in_a_row)
        if most_in_a_row >= self.max_consecutive_failed_trials:
            return f"{most_in_a_row} trials in a row failed (max_consecutive_failed_trials)"
        bound = self._most_failures()
        return f"{failed} trials failed (max_failed_trials)" if bound is not None and failed >= bound else None

    def score_trial(self, trial: Any) -> None:
        """Scores a trial by its best value of the objective; by NaN, which fails it, where that is not finite."""
        super().score_trial(trial)
        if not math.isfinite(trial.score):
            trial.score = math.nan

    def get_state(self) -> dict[str, Any]:
        """All but the trials, which have their own files, ready for JSON."""
        return {**super().get_state(), "settings": self._settings()}

    def set_state(self, state: dict[str, Any]) -> None:
        """Goes on from a saved state; the trials must have been loaded.

        Args:
            state: What `get_state` gave.

        Raises:
            ValueError: The search was begun with other settings, or the file of one of its trials is missing.
        """
        self._check_settings(state["settings"])
        missing = [trial_id for trial_id in state["start_order"] if trial_id not in self.trials]
        if missing:
            raise ValueError(f"The saved search has trials whose trial.json is missing: {', '.join(missing)}")
        super().set_state(state)
        # KerasTuner loads whatever trials there are, in no order. One that a kill left without an entry in the
        # oracle's file was never handed out; it will be proposed again.
        self.trials = {trial_id: self.trials[trial_id] for trial_id in self.start_order}
        # KerasTuner writes the state of a trial's end while it still counts the trial among those that run.
        ended = {*self.end_order, *self._retry_queue}
        self.ongoing_trials = {
            tuner_id: trial for tuner_id, trial in self.ongoing_trials.items() if trial.trial_id not in ended
        }

    def reload(self) -> None:
        """Loads the project's trials and state; the trials that were running are the first to be handed out again."""
        # KerasTuner looks for them by a pattern, and takes a folder such as `runs [1]` for one.
        for path in Path(self._project_dir).glob("trial_*/trial.json"):
            trial = Trial.load(str(path))
            self.trials[trial.trial_id] = trial
        super().reload()
        verbose, self._display.verbose = self._display.verbose, 0
        for trial in [self.trials[trial_id] for trial_id in self._retry_queue]:
            if trial.status in (TrialStatus.COMPLETED, TrialStatus.FAILED):
                # Killed after the trial's own file was written and before the oracle's: it need not run again.
                self._retry_queue.remove(trial.trial_id)
                self.end_trial(trial)
            else:
                _forget_metrics(trial)
        self._display.verbose = verbose

    def save(self) -> None:
        """Writes the state, whole or not at all; nothing where `saves_each_step` is off."""
        if self.saves_each_step:
            self.write_state()

    def write_state(self) -> None:
        """Writes the state, whole or not at all."""
        write_checked(Path(self._get_oracle_fname()), self.get_state())

    def take_drawn_seed(self) -> None:
        """Takes the seed that was drawn when the search in the project's folder began, unless one was given.

        Raises:
            InputError: The saved state is damaged.
        """
        path = Path(self._get_oracle_fname())
        if self._seed_is_drawn and path.exists():
            seed = read_checked(path).get("settings", {}).get("seed")
            if type(seed) is not int:
                raise damaged(path, "it has no seed")
            self.seed = self._seed_state = seed

    def _save_trial(self, trial: Any) -> None:
        path = Path(self._get_trial_dir(trial.trial_id)) / "trial.json"
        if self.saves_each_step or trial.trial_id in self.end_order or not path.exists():
            write_checked(path, trial.get_state())

    def _tried(self) -> set[Configuration]:
        """Every configuration that a trial has had."""
        space = self.hyperparameters.space
        if len(space) != self._space_size:
            self._configurations, self._space_size = {}, len(space)
        for trial_id, trial in self.trials.items():
            if trial_id not in self._configurations:
                self._configurations[trial_id] = configuration(space, trial.hyperparameters.values)
        return set(self._configurations.values())

    def _fresh(self) -> dict[str, Any] | None:
        """A configuration that no trial has had, of the seed and the number drawn before; None where there is none."""
        from_scratch = sum(PARENT not in trial.hyperparameters.values for trial in self.trials.values())
        return fresh_values(self.hyperparameters.space, self.seed, from_scratch, self._tried())

    def _most_failures(self) -> int | None:
        """Failed trials in all that end the search; None: no number of them does."""
        return self.max_failed_trials

    def _settings(self) -> dict[str, Any]:
        """Name to value of what a search must not be resumed with another value of, ready for JSON."""
        return {"objective": str(self.objective), "seed": self.seed}

    def _may_become(self, name: str, saved: Any, now: Any) -> bool:
        """Whether a setting may have changed in this way after all."""
        return name == "seed" and self._seed_is_drawn

    def _check_settings(self, saved: dict[str, Any]) -> None:
        changes = [
            f"{name} was {saved[name]}, is {now}"
            for name, now in self._settings().items()
            if now != saved[name] and not self._may_become(name, saved[name], now)
        ]
        if changes:
            raise ValueError(f"The saved search was begun with other settings: {'; '.join(changes)}")

    def _retry(self, trial: Any) -> bool:
        again: bool = super()._retry(trial)
        if trial.status != TrialStatus.COMPLETED:
            trial.score = None
        if again:
            _forget_metrics(trial)
        return again

    def _check_consecutive_failures(self) -> None:
        """Replaces KerasTuner's check, whose error leaves the failed trial unsaved and the oracle locked."""


def _forget_metrics(trial: Any) -> None:
    # KerasTuner averages over the runs of a trial: the NaN of one would spoil the next.
    trial.metrics = type(trial.metrics)()
