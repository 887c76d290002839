"""The settings of the search space's optimizers, and the Keras optimizer that they describe.

The same settings describe the optimizers that train without Keras: `search.optimizers.flat` in NumPy and
`search.optimizers.sparse_rows` in TensorFlow.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import keras
import tensorflow as tf

OPTIMIZERS: dict[str, type[keras.optimizers.Optimizer]] = {
    "adam": keras.optimizers.Adam,
    "adamw": keras.optimizers.AdamW,
    "rmsprop": keras.optimizers.RMSprop,
    "sgd": keras.optimizers.SGD,
    "adagrad": keras.optimizers.Adagrad,
}
# Momentum is what makes plain gradient descent a serious choice for networks.
_SETTINGS: dict[str, dict[str, Any]] = {"sgd": {"momentum": 0.9}}
# A number tells variables of the same name apart, and ":0" those of TensorFlow 1.
_BIAS = re.compile(r"bias(_\d+)?(:\d+)?$")


@dataclass(frozen=True)
class OptimizerSettings:
    """An optimizer with the hyperparameters that a trial sets; the others are Keras's defaults.

    Attributes:
        name: A key of `OPTIMIZERS`.
        learning_rate: Rate of every weight that is not the module's.
        weight_decay: Share of its rate by which each weight for which `decays` holds is drawn to zero at every step
            (Loshchilov and Hutter 2019), all rows of a table too; 0: none.
        clip_norm: Length to which the gradient of all weights together is shortened (Pascanu et al. 2013); 0: none.
        module_rate: Rate of the module's weights; None: they are frozen.
        warmup_steps: Steps over which the module's rate grows to `module_rate`, in equal parts.
        layer_decay: What the rate of each layer of the module is multiplied by to get that of the layer below it.
        decay_steps: Steps over which all rates fall to zero, in equal parts; None: they do not fall.
    """

    name: str
    learning_rate: float
    weight_decay: float = 0.0
    clip_norm: float = 0.0
    module_rate: float | None = None
    warmup_steps: int = 0
    layer_decay: float = 1.0
    decay_steps: int | None = None

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> OptimizerSettings:
        """The optimizer of a configuration.

        Args:
            values: The hyperparameters.
        """
        return cls(
            values["optimizer"],
            values["learning_rate"],
            values.get("weight_decay", 0.0),
            values["clip_norm"],
            values.get("fine_tuning_rate"),
            values.get("warmup_steps", 0),
            values.get("layer_decay", 1.0),
        )

    @property
    def constants(self) -> Mapping[str, float]:
        """The hyperparameters that no trial sets, by Keras's names."""
        return _constants(self.name)

    def module_rate_at(self, step: int) -> float:
        """The module's rate at a step, counted from 1."""
        assert self.module_rate is not None
        grown = min(1.0, step / self.warmup_steps if self.warmup_steps else 1.0)
        return self.module_rate * grown * self._left_at(step)

    def rate_at(self, step: int) -> float:
        """The rate of all other weights at a step, counted from 1."""
        return self.learning_rate * self._left_at(step)

    def _left_at(self, step: int) -> float:
        return 1.0 if self.decay_steps is None else max(0.0, 1 - (step - 1) / self.decay_steps)


@cache
def _constants(name: str) -> Mapping[str, float]:
    # Keras itself says what its defaults are.
    constants: Mapping[str, float] = OPTIMIZERS[name](**_SETTINGS.get(name, {})).get_config()
    return constants


def decays(variable: Any) -> bool:
    """Whether weight decay draws a variable of Keras or TensorFlow to zero.

    That is so for matrices and tables, in heads and modules. Biases, also those with a row for each attention head, and
    the scales and offsets of normalization, which are vectors, stay.
    """
    return len(variable.shape) > 1 and _BIAS.search(variable.name) is None


def make_optimizer(
    settings: OptimizerSettings,
    weights: Sequence[keras.Variable],
    groups: Sequence[Sequence[keras.Variable]] = (),
    accumulate: int = 1,
) -> keras.optimizers.Optimizer:
    """Makes the Keras optimizer that settings describe.

    Args:
        settings: The settings.
        weights: All variables that it will train.
        groups: The module's variables that are trained at `settings.module_rate`, by layer from the output down; none
            if it is frozen.
        accumulate: Batches whose gradients are averaged before the weights move.

    Returns:
        A fresh optimizer.
    """
    kind = OPTIMIZERS[settings.name]
    arguments = dict(_SETTINGS.get(settings.name, {}))
    if settings.name == "adamw":
        arguments["weight_decay"] = settings.weight_decay
    if settings.clip_norm:
        arguments["global_clipnorm"] = settings.clip_norm
    if accumulate > 1:
        arguments["gradient_accumulation_steps"] = accumulate
    optimizer = (_fine_tuning(kind) if groups else kind)(settings.learning_rate, **arguments)
    optimizer.exclude_from_weight_decay(var_list=[variable for variable in weights if not decays(variable)])
    if not groups:
        return optimizer
    assert settings.module_rate is not None
    ratio = settings.module_rate / settings.learning_rate
    optimizer.groups = [(ratio * settings.layer_decay**depth, group) for depth, group in enumerate(groups)]
    optimizer.warmup_steps = settings.warmup_steps
    optimizer.decay_steps = settings.decay_steps
    return optimizer


def _fine_tuning(kind: type[keras.optimizers.Optimizer]) -> type[keras.optimizers.Optimizer]:
    """A subclass of a Keras optimizer that scales the rate of some weights.

    The step of adaptive optimizers does not grow with the gradient, so the rate must be scaled instead.
    """

    class FineTuning(kind):
        groups: Sequence[tuple[float, Sequence[keras.Variable]]]
        warmup_steps: int
        decay_steps: int | None

        def apply(self, grads: Sequence[Any], trainable_variables: Sequence[Any] | None = None) -> None:
            # Keras squares the slices of a row that comes up twice one by one (3.15): (a + b)^2 is not a^2 + b^2.
            dense = [tf.convert_to_tensor(one) if isinstance(one, tf.IndexedSlices) else one for one in grads]
            super().apply(dense, trainable_variables)

        def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
            super().update_step(gradient, variable, self._rate_of(variable, learning_rate))

        def _apply_weight_decay(self, variables: Sequence[Any]) -> None:
            # Keras takes the optimizer's rate for all.
            for variable in variables if self.weight_decay else ():
                if self._use_weight_decay(variable):
                    share = self._rate_of(variable, self.learning_rate) * self.weight_decay
                    variable.assign(variable - variable * keras.ops.cast(share, variable.dtype))

        def _rate_of(self, variable: Any, learning_rate: Any) -> Any:
            # Keras hands over the bare TensorFlow variable; its place in the optimizer is what identifies it.
            ratios = {self._get_variable_index(one): ratio for ratio, group in self.groups for one in group}
            ratio = ratios.get(self._get_variable_index(variable))
            if ratio is not None:
                learning_rate = learning_rate * ratio
                if self.warmup_steps:
                    steps = keras.ops.cast(self.iterations + 1, "float32")
                    learning_rate = learning_rate * keras.ops.minimum(1.0, steps / self.warmup_steps)
            return learning_rate

        def _get_current_learning_rate(self) -> Any:
            rate = super()._get_current_learning_rate()
            if self.decay_steps is None:
                return rate
            passed = keras.ops.cast(self.iterations, "float32") / self.decay_steps
            return rate * keras.ops.maximum(0.0, 1 - passed)

    FineTuning.__name__ = f"{kind.__name__}ForFineTuning"
    return FineTuning
