"""Asynchronous successive halving (ASHA): Li et al. 2020, MLSys 2, https://arxiv.org/abs/1810.05934."""

from __future__ import annotations

from typing import Any

from keras_tuner.engine.trial import TrialStatus

from search.tuning.oracles.base import PARENT, ResumableOracle
from search.tuning.oracles.bracket import completed
from search.tuning.oracles.sampling import sample
from search.tuning.oracles.schedule import brackets

ROUND = "tuner/round"


class AshaOracle(ResumableOracle):
    """Promotes a trial as soon as it is among the best of its rung so far, and never waits for others to end.

    A rung is a number of epochs. Asked for a trial, it promotes the best one of the upper 1 / `factor` of the trials
    that have ended on a rung, from the highest rung down; where there is none, it draws a configuration for the lowest.
    So no worker is idle, but which trials are promoted depends on the order in which they end: with several
    workers two searches of one seed need not agree. The k-th configuration drawn follows from the seed and k.

    Args:
        max_epochs: Epochs of a trial trained in full.
        factor: One in `factor` trials of a rung is promoted, to `factor` times as many epochs.
        min_epochs: Epochs on the lowest rung, at least.
        **settings: Arguments of `ResumableOracle`.
    """

    def __init__(self, max_epochs: int = 100, factor: int = 3, min_epochs: int = 1, **settings: Any) -> None:
        super().__init__(**settings)
        self.max_epochs = max_epochs
        self.factor = factor
        self.min_epochs = min_epochs
        self._rungs = brackets(max_epochs, factor, min_epochs)[0]

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Proposes the next trial; KerasTuner's `create_trial` calls it.

        Args:
            trial_id: KerasTuner's name for the trial.

        Returns:
            "status": RUNNING, IDLE or STOPPED; with RUNNING "values", with the special ones.
        """
        if self.stop_reason is not None:
            return {"status": TrialStatus.STOPPED}
        if self._replayed is not None:
            return {"status": TrialStatus.RUNNING, "values": self._replayed}
        values = self._promoted() or self._drawn()
        if values is not None:
            return {"status": TrialStatus.RUNNING, "values": values}
        return {"status": TrialStatus.IDLE if self.ongoing_trials else TrialStatus.STOPPED}

    def promotable(self) -> set[str]:
        """The trials that may yet be promoted, or whose promotion is running: their last state must be kept."""
        running = {trial.hyperparameters.values.get(PARENT) for trial in self.ongoing_trials.values()} - {None}
        if self.max_trials is not None and len(self.trials) >= self.max_trials:
            return running
        waiting = {trial_id for trials in self._ended()[:-1] for trial_id in trials}
        return running | (waiting - self._parents())

    def settings(self) -> dict[str, Any]:
        """The settings that must be the same when a search is resumed."""
        rungs = {"max_epochs": self.max_epochs, "min_epochs": self.min_epochs, "factor": self.factor}
        return {**super().settings(), **rungs}

    def _promoted(self) -> dict[str, Any] | None:
        """The values of the promotion that is due; None where none is."""
        parents, ended = self._parents(), self._ended()
        for rung in range(len(self._rungs) - 2, -1, -1):
            ranked = sorted(ended[rung], key=lambda trial_id: self.loss(trial_id) or 0.0)
            upper = ranked[: len(ranked) // self.factor]
            due = next((trial_id for trial_id in upper if trial_id not in parents), None)
            if due is not None:
                return {**self.trials[due].hyperparameters.values, **self._special(rung + 1), PARENT: due}
        return None

    def _drawn(self) -> dict[str, Any] | None:
        """A configuration for the lowest rung; None where every one has been tried."""
        drawn = sum(not _is_promotion(trial) for trial in self.trials.values())
        values = sample(self.hyperparameters.space, self.seed, drawn, self._tried())
        return None if values is None else {**values, **self._special(0)}

    def _special(self, rung: int) -> dict[str, int]:
        """KerasTuner's special values of a trial on a rung, beside the hyperparameters."""
        epochs, initial_epoch = self._rungs[rung].epochs, self._rungs[rung].initial_epoch
        return {"tuner/epochs": epochs, "tuner/initial_epoch": initial_epoch, "tuner/bracket": 0, ROUND: rung}

    def _ended(self) -> list[list[str]]:
        """The trials that ended with a score, by rung from the lowest."""
        found: list[list[str]] = [[] for _ in self._rungs]
        for trial_id in completed(self.trials, self.loss):
            found[self.trials[trial_id].hyperparameters.values[ROUND]].append(trial_id)
        return found

    def _parents(self) -> set[str]:
        """The trials that were promoted."""
        return {trial.hyperparameters.values[PARENT] for trial in self.trials.values() if _is_promotion(trial)}


def _is_promotion(trial: Any) -> bool:
    return PARENT in trial.hyperparameters.values
