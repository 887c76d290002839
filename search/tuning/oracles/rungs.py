"""The part that Hyperband and ASHA share: rungs of more and more epochs, and where new configurations come from."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from typing import Any

from search.config.tuner import RANDOM
from search.tuning.oracles.base import PARENT, ResumableOracle
from search.tuning.oracles.model_sampler import Ended, Results, propose
from search.tuning.oracles.sampling import Configuration, is_in, sample
from search.tuning.oracles.schedule import Bracket, brackets

EPOCHS, ROUND = "tuner/epochs", "tuner/round"


class RungOracle(ResumableOracle):
    """An oracle that trains many configurations for few epochs, and the best of them for longer.

    Args:
        max_epochs: Epochs of a trial trained in full.
        factor: One in `factor` trials goes on, for `factor` times as many epochs.
        min_epochs: The fewest epochs a trial gets.
        sampler: Where new configurations come from: random, or tpe or gp of Optuna, which learn from the results.
        **settings: Arguments of `ResumableOracle`.

    Raises:
        ValueError: The schedule is impossible.
    """

    def __init__(
        self, max_epochs: int, factor: int, min_epochs: int = 1, sampler: str = RANDOM, **settings: Any
    ) -> None:
        super().__init__(**settings)
        self.max_epochs, self.factor, self.min_epochs = max_epochs, factor, min_epochs
        self.sampler = sampler
        self._schedule = brackets(max_epochs, factor, min_epochs)

    def settings(self) -> dict[str, Any]:
        """The settings that must be the same when a search is resumed."""
        rungs = {"max_epochs": self.max_epochs, "min_epochs": self.min_epochs, "factor": self.factor}
        # Searches that were begun before there were others say nothing of it.
        sampler = None if self.sampler == RANDOM else self.sampler
        return {**super().settings(), **rungs, "sampler": sampler}

    def _new(
        self, number: int, tried: Iterable[Container[Configuration]], ended: Iterable[str], running: Iterable[str]
    ) -> dict[str, Any] | None:
        """A new configuration.

        Args:
            number: Configurations drawn before.
            tried: Those not to draw again.
            ended: The trials whose results a model may follow from, in order.
            running: Those without a result.

        Returns:
            Name to value; None where every configuration of the space has been tried.
        """
        space, tried = self.hyperparameters.space, tuple(tried)
        if self.sampler != RANDOM:
            results = Results(self._last_results(ended), [self._values_of(one) for one in running])
            identity = (self.seed, number)
            values = propose(self.sampler, space, identity, results, lambda values: not is_in(values, tried))
            if values is not None:
                return values
        return sample(space, self.seed, number, *tried)

    def _last_results(self, ended: Iterable[str]) -> list[Ended]:
        """The results of trials that no other of them goes on with."""
        values = {trial_id: self._values_of(trial_id) for trial_id in ended}
        parents = {one.get(PARENT) for one in values.values()}
        losses = {trial_id: self.loss(trial_id) for trial_id in values.keys() - parents}
        return [
            Ended(values[one], values[one][EPOCHS], loss) for one in values if (loss := losses.get(one)) is not None
        ]

    def _values_of(self, trial_id: str) -> Mapping[str, Any]:
        values: Mapping[str, Any] = self.trials[trial_id].hyperparameters.values
        return values


def special_values(bracket: Bracket, round_: int, parent: str | None) -> dict[str, Any]:
    """KerasTuner's special values of a trial, beside the hyperparameters.

    Args:
        bracket: Its bracket as planned.
        round_: The number of its round, or rung.
        parent: The trial that it goes on with; None: it begins with a configuration of its own.
    """
    special = {
        EPOCHS: bracket[round_].epochs,
        "tuner/initial_epoch": 0 if parent is None else bracket[round_].initial_epoch,
        "tuner/bracket": len(bracket) - 1,
        ROUND: round_,
    }
    return special if parent is None else {**special, PARENT: parent}
