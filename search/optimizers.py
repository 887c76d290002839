"""Optimizers that train the module at a rate of its own, apart from the head's."""

from __future__ import annotations

from typing import Any

import keras

OPTIMIZERS: dict[str, type[keras.optimizers.Optimizer]] = {
    "adam": keras.optimizers.Adam,
    "adamw": keras.optimizers.AdamW,
    "rmsprop": keras.optimizers.RMSprop,
    "sgd": keras.optimizers.SGD,
    "adagrad": keras.optimizers.Adagrad,
}
# Momentum is what makes plain gradient descent a serious choice for networks.
SETTINGS: dict[str, dict[str, Any]] = {"sgd": {"momentum": 0.9}}


def make_optimizer(
    name: str,
    learning_rate: float,
    slower: keras.Layer | None = None,
    slower_rate: float | None = None,
    accumulate: int = 1,
) -> keras.optimizers.Optimizer:
    """Makes an optimizer, with a separate learning rate for one layer if asked.

    Args:
        name: A key of `OPTIMIZERS`.
        learning_rate: Rate of every weight that is not the slower layer's.
        slower: The built layer with a rate of its own, which no weight decay touches; None: there is none.
        slower_rate: That rate.
        accumulate: Batches whose gradients are averaged before the weights move.

    Returns:
        A fresh optimizer.
    """
    kind, settings = OPTIMIZERS[name], dict(SETTINGS.get(name, {}))
    if accumulate > 1:
        settings["gradient_accumulation_steps"] = accumulate
    if slower is None or slower_rate is None:
        return kind(learning_rate, **settings)
    optimizer = _with_slower_layer(kind)(learning_rate, **settings)
    optimizer.slower_layer = slower
    optimizer.slower_ratio = slower_rate / learning_rate
    # Decay draws weights to zero, which is nowhere near the published ones.
    optimizer.exclude_from_weight_decay(var_list=slower.trainable_variables)
    return optimizer


def _with_slower_layer(kind: type[keras.optimizers.Optimizer]) -> type[keras.optimizers.Optimizer]:
    """A subclass of a Keras optimizer that scales the rate of one layer's weights.

    The step of adaptive optimizers does not grow with the gradient, so it is the rate that must be scaled.
    """

    class SlowerLayer(kind):
        slower_layer: keras.Layer
        slower_ratio: float

        def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
            # Keras hands over the bare TensorFlow variable; its place in the optimizer is what identifies it.
            slower = {self._get_variable_index(weight) for weight in self.slower_layer.trainable_variables}
            if self._get_variable_index(variable) in slower:
                learning_rate = learning_rate * self.slower_ratio
            super().update_step(gradient, variable, learning_rate)

    SlowerLayer.__name__ = f"{kind.__name__}WithSlowerLayer"
    return SlowerLayer
