"""The files of KerasTuner's oracles, which survive a kill between any two writes."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import keras_tuner
from keras_tuner.engine.trial import Trial, TrialStatus

from search.utils.checked import write_checked


class SavedOracle(keras_tuner.Oracle):
    """A KerasTuner oracle whose state and trials on disk agree, for tuners that keep no journal.

    Attributes:
        saves_each_step: Whether the state is written after each step, which takes longer with every trial; a tuner that
            keeps a journal needs none.
        trials: Trial id to trial, in the order in which they began.
        ongoing_trials: Tuner id to the trial that it runs.
    """

    saves_each_step = True
    trials: dict[str, Any]
    ongoing_trials: dict[str, Any]
    start_order: list[str]
    end_order: list[str]

    def score_trial(self, trial: Any) -> None:
        """Scores a trial by its best value of the objective, or by NaN if that is not finite, which fails the trial."""
        super().score_trial(trial)
        if not math.isfinite(trial.score):
            trial.score = math.nan

    def get_state(self) -> dict[str, Any]:
        """The state without the trials, which have their own files, ready for JSON."""
        return {**super().get_state(), "settings": self.settings()}

    def set_state(self, state: dict[str, Any]) -> None:
        """Restores a saved state; the trials must have been loaded.

        Args:
            state: The result of `get_state`.

        Raises:
            ValueError: The search was begun with other settings, or the file of one of its trials is missing.
        """
        if changes := self.changes(state["settings"]):
            raise ValueError(f"The saved search was begun with other settings: {'; '.join(changes)}")
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
            write_checked(Path(self._get_oracle_fname()), self.get_state())

    def _save_trial(self, trial: Any) -> None:
        if self.saves_each_step:
            write_checked(Path(self._get_trial_dir(trial.trial_id)) / "trial.json", trial.get_state())

    def settings(self) -> dict[str, Any]:
        """The settings that must be the same when a search is resumed, ready for JSON."""
        return {"objective": str(self.objective)}

    def _may_become(self, name: str, saved: Any, now: Any) -> bool:
        """Whether a search may be resumed with this change of a setting."""
        return False

    def changes(self, saved: dict[str, Any]) -> list[str]:
        """The settings that had another value when the search was begun and prevent resuming it, one a line."""
        return [
            f"{name} was {saved.get(name)}, is {now}"
            for name, now in self.settings().items()
            if now != saved.get(name) and not self._may_become(name, saved.get(name), now)
        ]

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
