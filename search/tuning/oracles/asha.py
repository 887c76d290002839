"""Asynchronous successive halving (ASHA): Li et al. 2020, MLSys 2, https://arxiv.org/abs/1810.05934."""

from __future__ import annotations

import bisect
import heapq
import math
from dataclasses import dataclass, field
from typing import Any

from keras_tuner.engine.trial import TrialStatus

from search.config.tuner import RANDOM
from search.tuning.oracles.base import PARENT
from search.tuning.oracles.rungs import ROUND, RungOracle, special_values

Rank = tuple[float, int, str]
"""The loss of a trial, the number of trials that began before it, and its name: the best trial sorts first."""


@dataclass
class _Rung:
    """The trials that ended on a rung with a score.

    Attributes:
        ended: All of them, the best first.
        waiting: Those not promoted, and some that have been, as a heap.
    """

    ended: list[Rank] = field(default_factory=list)
    waiting: list[Rank] = field(default_factory=list)

    def add(self, rank: Rank) -> None:
        bisect.insort(self.ended, rank)
        heapq.heappush(self.waiting, rank)

    def due(self, factor: int, parents: set[str]) -> str | None:
        """The trial to promote: the best one that was not, if it is in the upper part; else None."""
        while self.waiting and self.waiting[0][-1] in parents:
            heapq.heappop(self.waiting)
        upper = len(self.ended) // factor
        if self.waiting and bisect.bisect_left(self.ended, self.waiting[0]) < upper:
            return self.waiting[0][-1]
        return None


@dataclass
class _Count:
    """A count of trials, each looked at once when it begins and once when it ends.

    Attributes:
        rungs: Those that ended with a score, the lowest rung first.
        numbers: Trial to the number of those that began before it.
        ended: How many have ended.
        drawn: How many began with a configuration of their own.
        parents: Those that were promoted.
        promotable: Those that ended below the highest rung, and were not promoted.
    """

    rungs: list[_Rung]
    numbers: dict[str, int] = field(default_factory=dict)
    ended: int = 0
    drawn: int = 0
    parents: set[str] = field(default_factory=set)
    promotable: set[str] = field(default_factory=set)


class AshaOracle(RungOracle):
    """Promotes a trial as soon as it is among the best of its rung so far, and never waits for others to end.

    A rung is a number of epochs. Asked for a trial, it promotes the best one of the upper 1 / `factor` of the trials
    that have ended on a rung, from the highest rung down; where there is none, it draws a configuration for the lowest.
    So no worker is idle, but which trials are promoted depends on the order in which they end: with several
    workers two searches of one seed need not agree. The k-th configuration drawn at random follows from the seed and k.

    Args:
        max_epochs: Epochs of a trial trained in full.
        factor: One in `factor` trials of a rung is promoted, to `factor` times as many epochs.
        min_epochs: Epochs on the lowest rung, at least.
        sampler: See `RungOracle`; a model follows from the trials that have ended.
        **settings: Arguments of `ResumableOracle`.
    """

    def __init__(
        self, max_epochs: int = 100, factor: int = 3, min_epochs: int = 1, sampler: str = RANDOM, **settings: Any
    ) -> None:
        super().__init__(max_epochs, factor, min_epochs, sampler, **settings)
        self._bracket = self._schedule[0]
        self._count = _Count([_Rung() for _ in self._bracket])

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
        return running | self._counted().promotable

    def set_state(self, state: dict[str, Any]) -> None:
        """Goes on from a saved state."""
        super().set_state(state)
        self._count = _Count([_Rung() for _ in self._bracket])

    def _promoted(self) -> dict[str, Any] | None:
        """The values of the promotion that is due; None where none is."""
        count = self._counted()
        for rung in range(len(count.rungs) - 2, -1, -1):
            due = count.rungs[rung].due(self.factor, count.parents)
            if due is not None:
                return {**self._values_of(due), **special_values(self._bracket, rung + 1, due)}
        return None

    def _drawn(self) -> dict[str, Any] | None:
        """A configuration for the lowest rung; None where every one has been tried."""
        running = [trial.trial_id for trial in self.ongoing_trials.values()]
        values = self._new(self._counted().drawn, [self._tried()], self.end_order, running)
        return None if values is None else {**values, **special_values(self._bracket, 0, None)}

    def _counted(self) -> _Count:
        """The count, with what has come since it was last asked for."""
        count = self._count
        for trial_id in self.start_order[len(count.numbers) :]:
            count.numbers[trial_id] = len(count.numbers)
            parent = self._values_of(trial_id).get(PARENT)
            if parent is None:
                count.drawn += 1
            else:
                count.parents.add(parent)
                count.promotable.discard(parent)
        for trial_id in self.end_order[count.ended :]:
            count.ended += 1
            loss, rung = self.loss(trial_id), self._values_of(trial_id)[ROUND]
            if loss is not None and not math.isnan(loss):
                count.rungs[rung].add((loss, count.numbers[trial_id], trial_id))
                if rung < len(count.rungs) - 1 and trial_id not in count.parents:
                    count.promotable.add(trial_id)
        return count
