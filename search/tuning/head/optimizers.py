"""The optimizers of the search space on one flat vector of weights, step for step those of Keras 3.

All weights, and each kind of slot, lie in one vector, so that an update is a handful of passes over it whatever the
number of layers.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from search.optimizers import OptimizerSettings

Floats = NDArray[np.floating]


class FlatOptimizer(ABC):
    """Moves a flat vector of weights along its gradient.

    Args:
        weights: The vector, float [parameters]; `step` changes it in place.
        settings: What it is; there is no module among the weights.

    Attributes:
        slots: What the next step depends on besides the weights, float [slots, parameters].
        steps: Steps behind it.
    """

    slot_count: ClassVar[int]
    initial_slot: ClassVar[float] = 0.0

    def __init__(self, weights: Floats, settings: OptimizerSettings) -> None:
        self.weights = weights
        self.slots = np.full((self.slot_count, len(weights)), self.initial_slot, weights.dtype)
        self.steps = 0
        # Numbers of the weights' own type, as in Keras: 1 - 0.999 is another number in float32 than in float64.
        self._real = weights.dtype.type
        self._rate = self._real(settings.learning_rate)
        self._settings = settings
        self._constants = settings.constants
        self._scratch = np.empty_like(weights)

    def step(self, gradient: Floats) -> None:
        """Makes one step; it may overwrite the gradient."""
        self.steps += 1
        if self._settings.clip_norm:
            clip = self._real(self._settings.clip_norm)
            gradient *= clip / np.maximum(np.sqrt(gradient @ gradient), clip)
        if self._settings.weight_decay:
            np.multiply(self.weights, self._real(self._settings.weight_decay), out=self._scratch)
            self._scratch *= self._rate
            self.weights -= self._scratch
        self._update(gradient)

    @abstractmethod
    def _update(self, gradient: Floats) -> None:
        """Moves the weights and the slots."""

    def _descend(self, gradient: Floats, squares: Floats) -> None:
        """Moves each weight by its gradient over the root of what is known of its squares."""
        scratch = self._scratch
        np.add(squares, self._real(self._constants["epsilon"]), out=scratch)
        np.sqrt(scratch, out=scratch)
        gradient *= self._rate
        gradient /= scratch
        self.weights -= gradient


class Adam(FlatOptimizer):
    """Kingma and Ba 2015."""

    slot_count = 2

    def _update(self, gradient: Floats) -> None:
        momentum, velocity = self.slots
        beta_1, beta_2 = self._constants["beta_1"], self._constants["beta_2"]
        scratch = self._scratch
        np.subtract(gradient, momentum, out=scratch)
        scratch *= self._real(1 - beta_1)
        momentum += scratch
        gradient *= gradient
        gradient -= velocity
        gradient *= self._real(1 - beta_2)
        velocity += gradient
        step = self._real(self.steps)
        unbiased = np.sqrt(1 - self._real(beta_2) ** step) / (1 - self._real(beta_1) ** step)
        np.sqrt(velocity, out=scratch)
        scratch += self._real(self._constants["epsilon"])
        np.multiply(momentum, self._rate * unbiased, out=gradient)
        gradient /= scratch
        self.weights -= gradient


class RMSprop(FlatOptimizer):
    """Tieleman and Hinton 2012."""

    slot_count = 1

    def _update(self, gradient: Floats) -> None:
        (velocity,) = self.slots
        rho = self._constants["rho"]
        scratch = self._scratch
        np.multiply(gradient, gradient, out=scratch)
        scratch *= self._real(1 - rho)
        velocity *= self._real(rho)
        velocity += scratch
        self._descend(gradient, velocity)


class SGD(FlatOptimizer):
    """Gradient descent with momentum."""

    slot_count = 1

    def _update(self, gradient: Floats) -> None:
        (velocity,) = self.slots
        velocity *= self._real(self._constants["momentum"])
        gradient *= self._rate
        velocity -= gradient
        self.weights += velocity


class Adagrad(FlatOptimizer):
    """Duchi, Hazan and Singer 2011."""

    slot_count = 1
    initial_slot = 0.1

    def _update(self, gradient: Floats) -> None:
        (accumulator,) = self.slots
        scratch = self._scratch
        np.multiply(gradient, gradient, out=scratch)
        accumulator += scratch
        self._descend(gradient, accumulator)


_KINDS: Mapping[str, type[FlatOptimizer]] = {
    "adam": Adam,
    "adamw": Adam,
    "rmsprop": RMSprop,
    "sgd": SGD,
    "adagrad": Adagrad,
}


def flat_optimizer(settings: OptimizerSettings, weights: Floats) -> FlatOptimizer:
    """Makes the optimizer that `search.optimizers.make_optimizer` makes of the same settings.

    Args:
        settings: What to make.
        weights: The weights, float [parameters].
    """
    return _KINDS[settings.name](weights, settings)
