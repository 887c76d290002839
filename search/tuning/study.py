"""The study: an oracle within the budgets of a search, asked for the next trial and told the results."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import keras_tuner
from keras_tuner.engine.metrics_tracking import infer_metric_direction
from keras_tuner.engine.trial import Trial, TrialStatus

from search.execution.base import Done, Wait
from search.tuning.hyperparameter_copies import hyperparameters_of
from search.tuning.oracles.base import ResumableOracle
from search.tuning.record import TrialRecord, order, ranked
from search.tuning.trial import TrialSpec, spec_of


@cache
def _direction(metric: str) -> str:
    """The direction that KerasTuner finds by a metric's name, for which it makes a Keras metric each time."""
    return infer_metric_direction(metric) or "min"


MayStart = Callable[[int, Mapping[str, TrialRecord]], bool]
"""Whether a trial of so many epochs may start, given the records of those before."""


def always(epochs: int, records: Mapping[str, TrialRecord]) -> bool:
    """Lets every trial start."""
    return True


@dataclass(frozen=True)
class Budget:
    """The limits that end a search before its oracle does.

    Attributes:
        max_total_epochs: No trial is started once all together have trained so many epochs; None: no limit.
        may_start: Asked before each trial; where it answers no, the search ends.
    """

    max_total_epochs: int | None = None
    may_start: MayStart = always


class Study:
    """Asks an oracle for trials and tells it of their results; several may be asked for before the first is told.

    Args:
        oracle: Proposes the trials; its objective ranks them.
        max_epochs: Epochs of a trial for oracles that do not set them (all but Hyperband).
        budget: Ends the search early.

    Attributes:
        is_adopted: Whether it has taken in trials of an earlier version, and can propose none that follow from them.
    """

    def __init__(self, oracle: keras_tuner.Oracle, max_epochs: int, budget: Budget) -> None:
        self.oracle = oracle
        self.max_epochs = max_epochs
        self.budget = budget
        self.is_adopted = False
        self._records: dict[str, TrialRecord] = {}
        self._running: dict[str, TrialSpec] = {}
        self._again: list[TrialSpec] = []
        self._asked = 0
        # Of what was told, so that no trial is looked at again after each of those that follow.
        self._trained = 0
        self._best: TrialRecord | None = None

    @property
    def records(self) -> dict[str, TrialRecord]:
        """Trial id to what is known of it, in the order that the oracle gives, which is not the one of their ends."""
        if not isinstance(self.oracle, ResumableOracle) or self.is_adopted:
            return dict(self._records)
        return {trial_id: self._records[trial_id] for trial_id in self.oracle.order() if trial_id in self._records}

    def note(self, record: TrialRecord) -> None:
        """Takes what is known of a trial that runs."""
        self._records[record.trial_id] = record

    def ask(self) -> TrialSpec | Wait | Done:
        """The next trial.

        Returns:
            The trial; `Wait` where the results of trials that run decide whether or which; `Done` at the end.
        """
        if self.budget.max_total_epochs is not None:
            left = self.budget.max_total_epochs - self._trained
            if left <= 0:
                return Done(complete=False)
            # As if trials ran one after another: they may stop early, or train all that they are to.
            if sum(spec.target_epochs - spec.initial_epoch for spec in self._running.values()) >= left:
                return Wait()
        spec = self._next()
        if not isinstance(spec, TrialSpec):
            return spec
        if not self.budget.may_start(spec.target_epochs - spec.initial_epoch, self._records):
            self._again.insert(0, spec)
            return Done(complete=False)
        self._running[spec.trial_id] = spec
        self.note(spec.record())
        return spec

    def settings(self) -> dict[str, Any]:
        """Name to value of what a search must not be resumed with another value of, ready for JSON."""
        space = json.dumps(self.oracle.get_space().get_config()["space"], sort_keys=True, default=str)
        own = {"max_epochs": self.max_epochs, "space": hashlib.blake2b(space.encode(), digest_size=8).hexdigest()}
        if isinstance(self.oracle, ResumableOracle):
            return {"oracle": type(self.oracle).__name__, **own, **self.oracle.settings()}
        return {"oracle": type(self.oracle).__name__, **own, "seed": self.oracle.seed}

    def changes(self, saved: dict[str, Any]) -> list[str]:
        """The reasons why a search that was begun with some settings cannot go on with these; none where it can."""
        theirs = self.oracle.settings() if isinstance(self.oracle, ResumableOracle) else {}
        found = [
            f"{name} was {saved.get(name)}, is {now}"
            for name, now in self.settings().items()
            if name not in theirs and now != saved.get(name)
        ]
        return [*found, *(self.oracle.changes(saved) if theirs else [])]

    def replay(self, trial_id: str, values: dict[str, Any]) -> bool:
        """Takes a trial that was asked for before the search was interrupted, within the budgets of then.

        Args:
            trial_id: Its name.
            values: KerasTuner's, with its special ones.

        Returns:
            Whether it has a place in this search.
        """
        name = f"tuner{self._asked}"
        is_ours = isinstance(self.oracle, ResumableOracle)
        trial = self.oracle.replay(name, values) if is_ours else self.oracle.create_trial(name)
        if (trial.status, trial.trial_id, trial.hyperparameters.values) != (TrialStatus.RUNNING, trial_id, values):
            return False
        self._asked += 1
        self._running[trial_id] = spec_of(trial, self.max_epochs, self._records)
        return True

    def adopt(self, result: TrialRecord) -> None:
        """Takes a trial of a search that an earlier version ran, which can be looked at and not gone on with."""
        self.is_adopted = True
        hyperparameters = hyperparameters_of(result.space)
        trial = Trial(hyperparameters=hyperparameters, trial_id=result.trial_id, status=TrialStatus.RUNNING)
        self.oracle.trials[result.trial_id] = trial
        self.oracle.start_order.append(result.trial_id)
        self._running[result.trial_id] = spec_of(trial, self.max_epochs, self._records)
        self.tell(result)

    def tell(self, result: TrialRecord) -> None:
        """Takes the result of a trial: what is proposed next may follow from it."""
        del self._running[result.trial_id]
        self._records[result.trial_id] = result
        self._trained += result.epochs - result.initial_epoch
        if result.status == TrialStatus.COMPLETED:
            self._best = result if self._best is None else min(self._best, result, key=self._rank)
        trial: Any = self.oracle.trials[result.trial_id]
        # A model may have asked for new hyperparameters as it was built.
        trial.hyperparameters = hyperparameters_of(result.space)
        trial.status, trial.message = result.status, result.traceback
        if result.status == TrialStatus.COMPLETED:
            # Scores of few rows are undefined where a class has none; KerasTuner's bests know no such values.
            metrics = {name: value for name, value in result.metrics.items() if not math.isnan(value)}
            for name in metrics:
                if name != self.oracle.objective.name and not trial.metrics.exists(name):
                    trial.metrics.register(name, _direction(name))
            self.oracle.update_trial(trial.trial_id, metrics, step=result.best_epoch)
        self.oracle.end_trial(trial)

    def ask_again(self) -> None:
        """Makes the trials that were asked for and never told of the next ones, in their order."""
        self._again = [*self._running.values(), *self._again]
        self._running.clear()

    def ranking(self) -> list[TrialRecord]:
        """The completed trials, the best first, of equals the earlier one."""
        return ranked(self.records.values(), self.oracle.objective.direction)

    def best(self) -> TrialRecord | None:
        """The first of the ranking; None: no trial has completed."""
        if isinstance(self.oracle, ResumableOracle) and self.oracle.stop_reason is not None:
            return next(iter(self.ranking()), None)  # the best of all may be beyond the end
        return self._best

    def promotable(self) -> set[str]:
        """The trials whose training another may yet go on with."""
        return self.oracle.promotable() if isinstance(self.oracle, ResumableOracle) else set()

    def _next(self) -> TrialSpec | Wait | Done:
        if self._again:
            return self._again.pop(0)
        # KerasTuner hands a tuner the trial that it runs again: each trial here has a tuner of its own.
        trial = self.oracle.create_trial(f"tuner{self._asked}")
        if trial.status == TrialStatus.STOPPED:
            return Done(complete=True)
        if trial.status == TrialStatus.IDLE:
            return Wait()
        self._asked += 1
        return spec_of(trial, self.max_epochs, self._records)

    def _rank(self, record: TrialRecord) -> tuple[float, tuple[int, int]]:
        score = record.score or 0.0
        return score if self.oracle.objective.direction == "min" else -score, order(record.trial_id)
