"""A trial to be run, as it travels from the study to a runner, in this process or another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import keras_tuner

from search.training.base import NOTHING_KNOWN, TrialState
from search.training.seeds import hyperparameter_values
from search.tuning.hyperparameter_copies import hyperparameters_of
from search.tuning.record import TrialRecord

TrialConstraint = Callable[[keras_tuner.HyperParameters], None]
"""Takes the hyperparameters of a trial before its model is built; an error that it raises fails the trial."""


@dataclass(frozen=True)
class TrialSpec:
    """All that a trial is, ready to be pickled.

    Attributes:
        trial_id: Digits.
        space: KerasTuner's hyperparameters with their values, `HyperParameters.get_config()`.
        initial_epoch: Epochs behind it when it begins, its parent's.
        target_epochs: Epochs of training it is to reach, the parent's included.
        parent: The trial whose training it goes on with.
        bracket: Of Hyperband.
        round: Of its bracket.
        state: The facts that its parent found out.
    """

    trial_id: str
    space: dict[str, Any]
    initial_epoch: int
    target_epochs: int
    parent: str | None = None
    bracket: int | None = None
    round: int | None = None
    state: TrialState = NOTHING_KNOWN

    @property
    def values(self) -> dict[str, Any]:
        """The hyperparameters that exist in it, name to value."""
        return hyperparameter_values(self.space["values"])

    def hyperparameters(self) -> keras_tuner.HyperParameters:
        """KerasTuner's hyperparameters, new ones at each call."""
        return hyperparameters_of(self.space)

    def record(self) -> TrialRecord:
        """The record of the trial as it begins."""
        return TrialRecord(
            trial_id=self.trial_id,
            values=self.values,
            bracket=self.bracket,
            round=self.round,
            parent=self.parent,
            initial_epoch=self.initial_epoch,
            target_epochs=self.target_epochs,
            epochs=self.initial_epoch,
            accumulate=self.state.accumulate,
            head_epochs=self.state.head_epochs,
        )


def spec_of(trial: Any, max_epochs: int, records: Mapping[str, TrialRecord]) -> TrialSpec:
    """The trial that a KerasTuner oracle proposes.

    Args:
        trial: KerasTuner's.
        max_epochs: Epochs of a trial for oracles that set none.
        records: Those of the trials that have ended, its parent's among them.
    """
    values = trial.hyperparameters.values
    parent = values.get("tuner/trial_id")
    return TrialSpec(
        trial_id=trial.trial_id,
        space=trial.hyperparameters.get_config(),
        initial_epoch=int(values.get("tuner/initial_epoch", 0)),
        target_epochs=int(values.get("tuner/epochs", max_epochs)),
        parent=parent,
        bracket=values.get("tuner/bracket"),
        round=values.get("tuner/round"),
        state=NOTHING_KNOWN if parent is None else records[parent].state,
    )
