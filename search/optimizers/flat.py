"""The optimizers of the search space on one flat vector of weights, step for step those of Keras 3.

All weights, and each kind of slot, lie in one vector, so that an update is a handful of passes over it whatever the
number of layers. Long vectors are moved block by block, so that the passes over a block find it in the processor's
cache.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from search.optimizers.optimizer_settings import OptimizerSettings

Floats = NDArray[np.floating]


# Weights that are moved at once.
_BLOCK = 1 << 16


class FlatOptimizer(ABC):
    """Moves a flat vector of weights along its gradient.

    Args:
        weights: The vector, float [parameters]; `step` changes it in place.
        settings: The optimizer's settings.
        of_module: Whether the weights belong to the module: they then have the module's rate.
        decays: For each weight whether weight decay draws it to zero, bool [parameters]; None: each.

    Attributes:
        settings: As given.
        slots: The slots, such as momenta, float [slots, parameters].
        steps: Number of steps made.
    """

    slot_count: ClassVar[int]
    initial_slot: ClassVar[float] = 0.0

    def __init__(
        self,
        weights: Floats,
        settings: OptimizerSettings,
        of_module: bool = False,
        decays: NDArray[np.bool_] | None = None,
    ) -> None:
        self.weights = weights
        self.slots = np.full((self.slot_count, len(weights)), self.initial_slot, weights.dtype)
        self.steps = 0
        # Numbers of the weights' own type, as in Keras: 1 - 0.999 is another number in float32 than in float64.
        self._real = weights.dtype.type
        self._rate = self._real(settings.learning_rate)
        self._of_module = of_module
        self.settings = settings
        self._constants = settings.constants
        self._scratch = np.empty(min(_BLOCK, len(weights)), weights.dtype)
        share = self._real(settings.weight_decay)
        self._decay_shares = np.broadcast_to(share if decays is None else share * decays, weights.shape)

    def step(self, gradient: Floats, rows: NDArray[np.int64] | None = None) -> None:
        """Makes one step, without clipping; it may overwrite the gradient.

        Args:
            gradient: The gradient of all weights [parameters], or of some rows of the weights as a table [k, width].
            rows: The numbers of these rows, ascending and distinct, int64 [k]; the gradient of the others is zero.
        """
        self.steps += 1
        if self._of_module:
            self._rate = self._real(self.settings.module_rate_at(self.steps))
        width = 1 if rows is None else gradient.shape[1]
        size = _BLOCK // width * width
        for start in range(0, len(self.weights), size):
            block = slice(start, start + size)
            weights, slots = self.weights[block], self.slots[:, block]
            scratch = self._scratch[: len(weights)]
            if self.settings.weight_decay:
                np.multiply(weights, self._decay_shares[block], out=scratch)
                scratch *= self._rate
                weights -= scratch
            self._decay(slots)
            if rows is None:
                self._accumulate(weights, slots, gradient[block], scratch)
            else:
                begin, end = np.searchsorted(rows, (start // width, (start + size) // width))
                here = rows[begin:end] - start // width
                table, slot_tables = weights.reshape(-1, width), slots.reshape(len(slots), -1, width)
                some, some_slots = table[here], slot_tables[:, here]
                self._accumulate(some, some_slots, gradient[begin:end], np.empty_like(some))
                table[here], slot_tables[:, here] = some, some_slots
            self._apply(weights, slots, scratch)

    def _decay(self, slots: Floats) -> None:  # noqa: B027 - there may be nothing to do
        """Decays the slots, as a step without a gradient does."""

    @abstractmethod
    def _accumulate(self, weights: Floats, slots: Floats, gradient: Floats, scratch: Floats) -> None:
        """Adds a gradient to the decayed slots; updates the weights of optimizers that leave others where they are."""

    def _apply(self, weights: Floats, slots: Floats, scratch: Floats) -> None:  # noqa: B027 - nor here
        """Updates the weights of optimizers that move them without a gradient too."""

    def _descend(self, weights: Floats, squares: Floats, gradient: Floats, scratch: Floats) -> None:
        """Moves each weight by its gradient over the root of its mean squares."""
        np.add(squares, self._real(self._constants["epsilon"]), out=scratch)
        np.sqrt(scratch, out=scratch)
        gradient *= self._rate
        gradient /= scratch
        weights -= gradient


class Adam(FlatOptimizer):
    """Kingma and Ba 2015."""

    slot_count = 2

    def _decay(self, slots: Floats) -> None:
        momentum, velocity = slots
        momentum *= self._real(self._constants["beta_1"])
        velocity *= self._real(self._constants["beta_2"])

    def _accumulate(self, weights: Floats, slots: Floats, gradient: Floats, scratch: Floats) -> None:
        momentum, velocity = slots
        np.multiply(gradient, self._real(1 - self._constants["beta_1"]), out=scratch)
        momentum += scratch
        gradient *= gradient
        gradient *= self._real(1 - self._constants["beta_2"])
        velocity += gradient

    def _apply(self, weights: Floats, slots: Floats, scratch: Floats) -> None:
        momentum, velocity = slots
        step = self._real(self.steps)
        beta_1, beta_2 = self._real(self._constants["beta_1"]), self._real(self._constants["beta_2"])
        unbiased = np.sqrt(1 - beta_2**step) / (1 - beta_1**step)
        np.sqrt(velocity, out=scratch)
        scratch += self._real(self._constants["epsilon"])
        np.divide(momentum, scratch, out=scratch)
        scratch *= self._rate * unbiased
        weights -= scratch


class RMSprop(FlatOptimizer):
    """Tieleman and Hinton 2012."""

    slot_count = 1

    def _decay(self, slots: Floats) -> None:
        slots *= self._real(self._constants["rho"])

    def _accumulate(self, weights: Floats, slots: Floats, gradient: Floats, scratch: Floats) -> None:
        (velocity,) = slots
        np.multiply(gradient, gradient, out=scratch)
        scratch *= self._real(1 - self._constants["rho"])
        velocity += scratch
        self._descend(weights, velocity, gradient, scratch)


class SGD(FlatOptimizer):
    """Gradient descent with momentum."""

    slot_count = 1

    def _decay(self, slots: Floats) -> None:
        slots *= self._real(self._constants["momentum"])

    def _accumulate(self, weights: Floats, slots: Floats, gradient: Floats, scratch: Floats) -> None:
        (velocity,) = slots
        gradient *= self._rate
        velocity -= gradient

    def _apply(self, weights: Floats, slots: Floats, scratch: Floats) -> None:
        weights += slots[0]


class Adagrad(FlatOptimizer):
    """Duchi, Hazan and Singer 2011."""

    slot_count = 1
    initial_slot = 0.1

    def _accumulate(self, weights: Floats, slots: Floats, gradient: Floats, scratch: Floats) -> None:
        (accumulator,) = slots
        np.multiply(gradient, gradient, out=scratch)
        accumulator += scratch
        self._descend(weights, accumulator, gradient, scratch)


FLAT_OPTIMIZERS: Mapping[str, type[FlatOptimizer]] = {
    "adam": Adam,
    "adamw": Adam,
    "rmsprop": RMSprop,
    "sgd": SGD,
    "adagrad": Adagrad,
}


def flat_optimizer(
    settings: OptimizerSettings, weights: Floats, of_module: bool = False, decays: NDArray[np.bool_] | None = None
) -> FlatOptimizer:
    """Makes the flat counterpart of `search.optimizers.optimizer_settings.make_optimizer`.

    Args:
        settings: The settings.
        weights: The weights, float [parameters].
        of_module: Whether they belong to the module.
        decays: Which of them weight decay draws to zero, bool [parameters]; None: all.
    """
    return FLAT_OPTIMIZERS[settings.name](weights, settings, of_module, decays)


def clip(gradients: Sequence[Floats], norm: float) -> None:
    """Clips the gradients by their global norm; 0: not at all."""
    if norm:
        real = gradients[0].dtype.type
        length = np.sqrt(sum((np.vdot(gradient, gradient) for gradient in gradients), start=real(0)))
        for gradient in gradients:
            gradient *= real(norm) / np.maximum(length, real(norm))
