"""A model in training, as a tuner sees it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from search.utils.checkpoint import Arrays

OnEpochEnd = Callable[[int, Mapping[str, float]], bool]
"""Takes an epoch, counted from 1, and its metrics; returns whether training shall stop. A head alone is epoch 0."""


@dataclass(frozen=True)
class TrialState:
    """The facts found out on the way to a training, by a parent of its trial, in a first try, or in the search.

    Attributes:
        accumulate: Parts that each batch is computed in, for want of memory.
        head_epochs: Epochs for which the head is trained alone, where it is; None: to its best epoch.
    """

    accumulate: int = 1
    head_epochs: int | None = None


NOTHING_KNOWN = TrialState()


class Training(Protocol):
    """The interface to a trial's model in training."""

    @property
    def parameters(self) -> int:
        """Weights of the layers that train or may train."""

    @property
    def head_epochs(self) -> int | None:
        """How many epochs the head was trained alone, before the module was trained with it; None: it was not."""

    def weights(self) -> Arrays:
        """The arrays that training can change and predictions depend on."""

    def state(self) -> Arrays:
        """All that the next epoch depends on."""

    def set_state(self, state: Arrays) -> None:
        """Restores the `state` of another model of the same hyperparameters in a new model.

        Raises:
            ValueError: It is the state of another model.
        """

    def run(self, epochs: range, on_epoch_end: OnEpochEnd) -> None:
        """Trains.

        Args:
            epochs: The epochs, counted from 0; those before the first are behind the model.
            on_epoch_end: Called after every epoch.
        """


class FineTuning(Training, Protocol):
    """A training whose model begins with a published module, below a head that may have been trained before."""

    def set_head(self, arrays: Arrays) -> None:
        """Sets the head's kernels and biases."""


@runtime_checkable
class Trainable(Protocol):
    """A HyperModel that makes the training of a trial itself; a tuner trains others by their `fit`."""

    def training(self, hp: Any, *data: Any, state: TrialState, **settings: Any) -> Training:
        """Makes the training of a trial, at its beginning.

        Args:
            hp: KerasTuner's hyperparameters of the trial.
            *data: What the tuner's `search` was given.
            state: The facts found out so far.
            **settings: The same; `callbacks` and `verbose` among them as for `keras.Model.fit`.
        """


def check_shapes(state: Arrays, own: Arrays) -> None:
    """Refuses the state of another model.

    Args:
        state: The state to restore.
        own: The model's present state.

    Raises:
        ValueError: The two have other shapes.
    """
    came, expected = ([array.shape for array in arrays] for arrays in (state, own))
    if came != expected:
        raise ValueError(f"The checkpoint is another model's: expected {expected}, got {came}.")
