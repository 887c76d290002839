"""Hyperband as in its paper (Li et al. 2018, JMLR 18, algorithm 1), as a KerasTuner oracle."""

from __future__ import annotations

import logging
import math
from typing import Any, Literal

import keras_tuner
from keras_tuner.engine.trial import TrialStatus

from search.config.tuner import RANDOM
from search.tuning.oracles.base import PARENT
from search.tuning.oracles.bracket import BegunBracket, Place
from search.tuning.oracles.rungs import RungOracle
from search.tuning.oracles.sampling import Tried, active_values, drawn_ahead
from search.tuning.oracles.schedule import total_trials
from search.tuning.record import order

log = logging.getLogger(__name__)

_LEAST_BOUND = 10


class HyperbandOracle(RungOracle):
    """An oracle for Hyperband, a drop-in for `keras_tuner.oracles.HyperbandOracle`.

    A round is promoted from when it is complete: its best trials, ties going to the earlier one. A failed trial (its
    retries used up, or its score no finite number) is replaced within its round: by the best trial of the round before
    that was not promoted yet, else by a new configuration that trains from epoch 0. Where the space has no new
    configuration left, a round is complete with the trials it has.

    Trials may run side by side, of a round and of several brackets: docs/architecture.md has the canonical order that
    proposals, replacements and names follow.

    Too many failures end the search in order: no further trial is proposed, `stop_reason` and the log say why, and the
    completed trials can be used. A search may be resumed with other bounds on failures and with more iterations.

    Args:
        objective: See `keras_tuner.Oracle`.
        max_epochs: Epochs of a trial trained in full.
        factor: From round to round one in `factor` trials is kept, for `factor` times as many epochs.
        hyperband_iterations: How often the whole of Hyperband is run; None: until something else ends the search.
        seed: Any whole number; None draws one.
        hyperparameters: See `keras_tuner.Oracle`.
        allow_new_entries: See `keras_tuner.Oracle`.
        tune_new_entries: See `keras_tuner.Oracle`.
        max_retries_per_trial: How often a trial that crashed is run again.
        max_consecutive_failed_trials: Failed trials in a row that end the search.
        min_epochs: The fewest epochs a trial gets in the first round of any bracket.
        max_failed_trials: Total of failed trials that ends the search; None: the number of trials that the schedule has
            for the iterations begun so far, and no fewer than 10.
        max_trials: No more trials are begun; None: as many as the schedule has.
        side_by_side: Whether a bracket may begin before the one before it is over; not so with a budget in trials or
            epochs, which cuts the schedule in its order, or a sampler that follows from all brackets before.
        sampler: See `RungOracle`.

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
        max_trials: int | None = None,
        side_by_side: bool = True,
        sampler: str = RANDOM,
    ) -> None:
        super().__init__(
            max_epochs,
            factor,
            min_epochs,
            sampler,
            objective=objective,
            hyperparameters=hyperparameters,
            allow_new_entries=allow_new_entries,
            tune_new_entries=tune_new_entries,
            seed=seed,
            max_retries_per_trial=max_retries_per_trial,
            max_consecutive_failed_trials=max_consecutive_failed_trials,
            max_failed_trials=max_failed_trials,
            max_trials=max_trials,
        )
        if hyperband_iterations is not None and hyperband_iterations < 1:
            raise ValueError(f"Expected hyperband_iterations from 1, or None. Received: {hyperband_iterations}")
        self.hyperband_iterations = hyperband_iterations
        self.side_by_side = side_by_side and sampler == RANDOM
        self._brackets: list[BegunBracket] = []
        self._over, self._of_over = 0, list[str]()  # how many of the first ones are over, and their trials
        self._scheduled: list[str] = []  # the trials whose configurations the schedule drew
        self._replacements: list[str] = []
        self._in_schedule, self._in_replacements = Tried(), Tried()

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Proposes the next trial; KerasTuner's `create_trial` calls it.

        Args:
            trial_id: KerasTuner's name for the trial.

        Returns:
            "status": RUNNING, IDLE or STOPPED; with RUNNING "trial_id", and "values" with the special ones.
        """
        if self.stop_reason is not None:
            log.warning("No further trial is started: %s.", self.stop_reason)
            return {"status": TrialStatus.STOPPED}
        waiting = False
        for number in range(self._over, len(self._brackets)):
            proposal = self._next_of(number, follows=not waiting)
            if proposal == "wait":
                waiting = True
                if self.max_trials is not None or not self.side_by_side:
                    return {"status": TrialStatus.IDLE}
            elif proposal is not None:
                return {"status": TrialStatus.RUNNING, **proposal}
            elif not waiting:
                self._over = number + 1
                self._of_over.extend(self._brackets[number].trials())
        is_new_iteration = len(self._brackets) % len(self._schedule) == 0
        waits = waiting and is_new_iteration and self.hyperband_iterations is None
        new = None if waits else self._first_of_new_bracket()
        if new is None:
            return {"status": TrialStatus.IDLE if waiting else TrialStatus.STOPPED}
        return {"status": TrialStatus.RUNNING, **new}

    def promotable(self) -> set[str]:
        """The trials that may yet be promoted, or whose promotion is running: their last state must be kept."""
        return set().union(*(begun.promotable(self.loss) for begun in self._brackets[self._over :]))

    def get_state(self) -> dict[str, Any]:
        """The state without the trials, ready for JSON."""
        return {**super().get_state(), "brackets": [begun.rounds for begun in self._brackets], "over": self._over}

    def set_state(self, state: dict[str, Any]) -> None:
        """Restores a saved state."""
        super().set_state(state)
        self._brackets = []
        for rounds in state["brackets"]:
            self._brackets.append(self._bracket([dict(trials) for trials in rounds]))
        self._over = state.get("over", 0)
        self._of_over = [trial_id for begun in self._brackets[: self._over] for trial_id in begun.trials()]
        self._scheduled = [trial_id for begun in self._brackets for trial_id in begun.scheduled()]
        self._replacements = [trial_id for begun in self._brackets for trial_id in begun.replacements()]
        self._in_schedule, self._in_replacements = Tried(), Tried()

    def settings(self) -> dict[str, Any]:
        """The settings that must be the same when a search is resumed."""
        return {**super().settings(), "hyperband_iterations": self.hyperband_iterations}

    def _bracket(self, rounds: list[dict[str, str | None]]) -> BegunBracket:
        """The next bracket, with its rounds so far."""
        iterations, index = divmod(len(self._brackets), len(self._schedule))
        before = iterations * total_trials(self._schedule) + total_trials(self._schedule[:index])
        return BegunBracket(self._schedule[index], before, rounds)

    def _first_of_new_bracket(self) -> dict[str, Any] | None:
        """The first trial of the next bracket; None where there is none, or nothing left to try."""
        if len(self._brackets) >= (self.hyperband_iterations or math.inf) * len(self._schedule):
            return None
        self._brackets.append(self._bracket([{}]))
        proposal = self._next_of(len(self._brackets) - 1, follows=False)
        if not isinstance(proposal, dict):
            self._brackets.pop()
            return None
        return proposal

    def _next_of(self, number: int, *, follows: bool) -> dict[str, Any] | Literal["wait"] | None:
        """A bracket's next trial, which is added to it.

        Args:
            number: The number of the bracket.
            follows: Whether all brackets before it are over.

        Returns:
            Name and values; "wait" until trials have ended; None where the bracket is over.
        """
        bracket = self._brackets[number]
        while True:
            place = bracket.place(self.loss)
            if place is not None:
                if place.parent is None and not place.is_scheduled and not follows:
                    return "wait"
                values = self._values(place, number)
                if values is not None:
                    trial_id = self._id(place.number)
                    bracket.rounds[-1][trial_id] = place.parent
                    if place.is_scheduled:
                        self._scheduled.append(trial_id)
                    elif place.parent is None:
                        self._replacements.append(trial_id)
                    return {"trial_id": trial_id, "values": {**values, **bracket.special(place)}}
            if bracket.waits(self.loss):
                return "wait"
            if not bracket.advance(self.loss):
                return None

    def _values(self, place: Place, number: int) -> dict[str, Any] | None:
        """The hyperparameters of a trial; None where every configuration has been tried."""
        if place.parent is not None:
            values = self.trials[place.parent].hyperparameters.values
            # What came up in other trials only, KerasTuner would draw here, and without a seed.
            known = active_values(self.hyperparameters.space, lambda hp: values.get(hp.name, hp.default))
            return {**values, **known}
        if self._replayed is not None:
            return None if PARENT in self._replayed else self._replayed
        return self._drawn(number, is_scheduled=place.is_scheduled)

    def _drawn(self, number: int, *, is_scheduled: bool) -> dict[str, Any] | None:
        """A new configuration for a bracket: for its first round, or in place of a failed trial.

        A replacement, which comes once all brackets before are over, is none of those that the schedule draws at
        random, however far that has come: up to the end of the search or, where it has none, of the iteration.
        """
        space, made = self.hyperparameters.space, len(self._scheduled)
        replacements = self._in_replacements.among(self._replacements, self.trials, space)
        scheduled = self._in_schedule.among(self._scheduled, self.trials, space)
        if self.sampler == RANDOM and not is_scheduled:
            iterations = self.hyperband_iterations or number // len(self._schedule) + 1
            ends = iterations * sum(round_.size for round_, *_ in self._schedule)
            scheduled = drawn_ahead(space, self.seed, range(made, ends), scheduled)
        running = self._brackets[number].drawn()
        draw = made if is_scheduled else -len(self._replacements) - 1
        return self._new(draw, [scheduled, replacements], self._of_over, running)

    def _begun_in_order(self) -> list[str]:
        return [trial_id for begun in self._brackets for trial_id in begun.trials()]

    def _after(self, settled: int) -> list[str]:
        # What is listed of the first bracket that is not over may yet have others behind it.
        trials = [trial_id for begun in self._brackets[self._over : self._over + 1] for trial_id in begun.trials()]
        return [*self._of_over[settled:], *trials[max(0, settled - len(self._of_over)) :]]

    def _most_failures(self, trial_id: str) -> int:
        iterations = order(trial_id)[0] // total_trials(self._schedule) + 1
        return self.max_failed_trials or max(_LEAST_BOUND, iterations * total_trials(self._schedule))

    def _may_become(self, name: str, saved: Any, now: Any) -> bool:
        more_iterations = name == "hyperband_iterations" and (now or math.inf) > (saved or math.inf)
        return more_iterations or super()._may_become(name, saved, now)
