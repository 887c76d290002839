"""The optimizers of the search space on TensorFlow variables of any shape, step for step those of Keras 3.

Keras's own pass over each variable a dozen times; these need one pass or a few. The gradient of a variable is always a
dense array of its shape.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import tensorflow as tf

from search.optimizers.optimizer_settings import OptimizerSettings
from search.utils.checkpoint import Arrays


@dataclass(frozen=True)
class Target:
    """A variable that training moves.

    Attributes:
        variable: float32.
        decays: Whether weight decay draws it to zero.
        of_module: Whether it belongs to the module: it then has the module's rate.
        share: Factor of the module's rate.
    """

    variable: tf.Variable
    decays: bool
    of_module: bool = False
    share: float = 1.0


class Optimizer:
    """Moves variables along their gradients.

    Args:
        settings: The optimizer's settings.
        targets: The variables.
    """

    def __init__(self, settings: OptimizerSettings, targets: Sequence[Target]) -> None:
        self._settings = settings
        self._constants = settings.constants
        self._targets = targets
        self._rule, count, initial = RULES[settings.name]
        self._slots = [
            [tf.Variable(tf.fill(target.variable.shape, initial), trainable=False) for _ in range(count)]
            for target in targets
        ]

    def arrays(self) -> Arrays:
        """The slots, each as large as its variable, in the order of the variables."""
        return [slot.numpy() for slots in self._slots for slot in slots]

    def set_arrays(self, arrays: Arrays) -> None:
        """Sets the slots to the result of `arrays`."""
        for slot, array in zip([slot for slots in self._slots for slot in slots], arrays, strict=True):
            slot.assign(array)

    def step(self, gradients: Sequence[tf.Tensor], rates: tuple[tf.Tensor, tf.Tensor], number: tf.Tensor) -> None:
        """Makes one step; to be called in a `tf.function`.

        Args:
            gradients: The gradient of each target, of its shape.
            rates: Learning rates of the module and of all other weights at this step, float32.
            number: The number of the step, counted from 1, float32.
        """
        settings, (module_rate, other_rate) = self._settings, rates
        if settings.clip_norm:
            gradients, _ = tf.clip_by_global_norm(gradients, settings.clip_norm)
        for target, slots, gradient in zip(self._targets, self._slots, gradients, strict=True):
            variable, rate = target.variable, module_rate * target.share if target.of_module else other_rate
            if settings.weight_decay and target.decays:
                variable.assign_sub(variable * settings.weight_decay * rate)
            self._rule(_Move(variable, slots, gradient, rate, number, self._constants))


@dataclass(frozen=True)
class _Move:
    """One step of one variable."""

    variable: tf.Variable
    slots: Sequence[tf.Variable]
    gradient: tf.Tensor
    rate: tf.Tensor
    number: tf.Tensor
    constants: Mapping[str, float]


def _adam(move: _Move) -> None:
    """Kingma and Ba 2015."""
    momentum, velocity = move.slots
    beta_1, beta_2 = (tf.constant(move.constants[name]) for name in ("beta_1", "beta_2"))
    tf.raw_ops.ResourceApplyAdam(
        var=move.variable.handle,
        m=momentum.handle,
        v=velocity.handle,
        beta1_power=beta_1**move.number,
        beta2_power=beta_2**move.number,
        lr=move.rate,
        beta1=beta_1,
        beta2=beta_2,
        epsilon=move.constants["epsilon"],
        grad=move.gradient,
    )


def _rmsprop(move: _Move) -> None:
    """Tieleman and Hinton 2012."""
    (velocity,) = move.slots
    rho = move.constants["rho"]
    _descend(move, velocity.assign(rho * velocity + (1 - rho) * tf.square(move.gradient)))


def _sgd(move: _Move) -> None:
    """Gradient descent with momentum."""
    (velocity,) = move.slots
    tf.raw_ops.ResourceApplyKerasMomentum(
        var=move.variable.handle,
        accum=velocity.handle,
        lr=move.rate,
        grad=move.gradient,
        momentum=move.constants["momentum"],
    )


def _adagrad(move: _Move) -> None:
    """Duchi, Hazan and Singer 2011."""
    (accumulator,) = move.slots
    _descend(move, accumulator.assign_add(tf.square(move.gradient)))


def _descend(move: _Move, squares: tf.Tensor) -> None:
    """Moves each weight by its gradient over the root of its mean squares."""
    move.variable.assign_sub(move.rate * move.gradient / tf.sqrt(squares + move.constants["epsilon"]))


# The rule, how many slots it has of each variable, and what they hold at first.
RULES: dict[str, tuple[Callable[[_Move], None], int, float]] = {
    "adam": (_adam, 2, 0.0),
    "adamw": (_adam, 2, 0.0),
    "rmsprop": (_rmsprop, 1, 0.0),
    "sgd": (_sgd, 1, 0.0),
    "adagrad": (_adagrad, 1, 0.1),
}
