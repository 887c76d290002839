"""A model in training, as a tuner sees it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol, runtime_checkable

from search.utils.checkpoint import Arrays

OnEpochEnd = Callable[[int, Mapping[str, float]], bool]
"""Told of an epoch, counted from 1, and its metrics; answers whether training shall stop. A head alone is epoch 0."""


class Training(Protocol):
    """What a tuner does with a trial's model."""

    @property
    def parameters(self) -> int:
        """Weights of the layers that train or may train."""

    @property
    def head_epochs(self) -> int | None:
        """How many epochs the head was trained alone, before the module was trained with it; None: it was not."""

    def weights(self) -> Arrays:
        """What training can change and predictions depend on."""

    def state(self) -> Arrays:
        """All that the next epoch depends on."""

    def set_state(self, state: Arrays) -> None:
        """Makes a model that is as it was made go on where another of the same hyperparameters gave its `state`.

        Raises:
            ValueError: It is the state of another model.
        """

    def run(self, epochs: range, on_epoch_end: OnEpochEnd) -> None:
        """Trains.

        Args:
            epochs: The epochs, counted from 0; those before the first are behind the model.
            on_epoch_end: Is told of every epoch.
        """


class FineTuning(Training, Protocol):
    """A training whose model begins with a published module, below a head that may have been trained before."""

    def set_head(self, arrays: Arrays) -> None:
        """Sets the head's kernels and biases."""


@runtime_checkable
class Trainable(Protocol):
    """A HyperModel that makes the training of a trial itself; a tuner trains others by their `fit`."""

    def training(self, hp: Any, *data: Any, **settings: Any) -> Training:
        """Makes the training of a trial, at its beginning.

        Args:
            hp: KerasTuner's hyperparameters of the trial.
            *data: What the tuner's `search` was given.
            **settings: The same; `callbacks` and `verbose` among them as for `keras.Model.fit`.
        """


@runtime_checkable
class AccumulatesGradients(Protocol):
    """A HyperModel that says whether it trains in parts of a batch, with the same step, where a trial asks for it."""

    accumulates_gradients: bool


def check_shapes(state: Arrays, own: Arrays) -> None:
    """Refuses the state of another model.

    Args:
        state: Is to be gone on with.
        own: What the model's state is now.

    Raises:
        ValueError: The two have other shapes.
    """
    came, expected = ([array.shape for array in arrays] for arrays in (state, own))
    if came != expected:
        raise ValueError(f"The checkpoint is another model's: expected {expected}, got {came}.")
