"""A trial to be run, as it travels from the study to a runner, in this process or another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras_tuner

from search.training.seeds import ACCUMULATE, HEAD_EPOCHS, hyperparameter_values
from search.tuning.hyperparameters import hyperparameters_of
from search.tuning.record import TrialRecord

TrialConstraint = Callable[[keras_tuner.HyperParameters], None]
"""Takes the hyperparameters of a trial before its model is built; an error that it raises fails the trial."""


@dataclass(frozen=True)
class TrialState:
    """The facts found out on the way to a trial, by its parent or in a first try.

    Attributes:
        accumulate: Into how many parts its batches are cut.
        head_epochs: Epochs for which the head is trained alone; None: not known, or none.
    """

    accumulate: int = 1
    head_epochs: int | None = None


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
    """

    trial_id: str
    space: dict[str, Any]
    initial_epoch: int
    target_epochs: int
    parent: str | None = None
    bracket: int | None = None
    round: int | None = None

    @property
    def values(self) -> dict[str, Any]:
        """The hyperparameters that exist in it, name to value."""
        return hyperparameter_values(self.space["values"])

    @property
    def state(self) -> TrialState:
        """The facts that its parents found out."""
        values = self.space["values"]
        return TrialState(values.get(ACCUMULATE, 1), values.get(HEAD_EPOCHS))

    def hyperparameters(self, state: TrialState) -> keras_tuner.HyperParameters:
        """KerasTuner's hyperparameters, new ones at each call, with a state noted in them for the HyperModel."""
        hp = hyperparameters_of(self.space)
        if state.accumulate > 1:
            hp.values[ACCUMULATE] = state.accumulate
        if state.head_epochs is not None:
            hp.values[HEAD_EPOCHS] = state.head_epochs
        return hp

    def record(self, state: TrialState) -> TrialRecord:
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
            accumulate=state.accumulate,
            head_epochs=state.head_epochs,
        )


def spec_of(trial: Any, max_epochs: int) -> TrialSpec:
    """The trial that a KerasTuner oracle proposes.

    Args:
        trial: KerasTuner's.
        max_epochs: Epochs of a trial for oracles that set none.
    """
    values = trial.hyperparameters.values
    return TrialSpec(
        trial_id=trial.trial_id,
        space=trial.hyperparameters.get_config(),
        initial_epoch=int(values.get("tuner/initial_epoch", 0)),
        target_epochs=int(values.get("tuner/epochs", max_epochs)),
        parent=values.get("tuner/trial_id"),
        bracket=values.get("tuner/bracket"),
        round=values.get("tuner/round"),
    )
