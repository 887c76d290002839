"""The training of a Keras model by Keras's own `fit`."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np

from search.models.weights import assign, model_weights, trained_layers
from search.training.base import OnEpochEnd
from search.training.scores import Metrics
from search.utils.checkpoint import Arrays


class KerasTraining:
    """Trains a Keras model by its `fit` or that of its HyperModel; see `search.training.base.Training`.

    A frozen module is never among its weights: a checkpoint of a frozen trial holds its head alone.

    Args:
        model: A compiled model. It need not be built: a `Sequential` without an `Input`, or a subclass, is built by its
            first batch.
        fit: Trains it, given `callbacks`, `initial_epoch` and `epochs` by name.
        callbacks: Keras callbacks besides.

    Attributes:
        is_built_late: Whether the model has no weights yet, or had none when it was made.
    """

    head_epochs = None

    def __init__(
        self, model: keras.Model, fit: Callable[..., Any], callbacks: Sequence[keras.callbacks.Callback] = ()
    ) -> None:
        self.model = model
        self.is_built_late = not model.built
        self._fit = fit
        self._callbacks = callbacks

    @property
    def parameters(self) -> int:
        """Weights of the layers that train."""
        return sum(int(np.prod(variable.shape)) for variable in model_weights(self.model))

    def weights(self) -> Arrays:
        """The weights and moving statistics of the layers that train."""
        return [_array(variable) for variable in model_weights(self.model)]

    def state(self) -> Arrays:
        """The weights, the states of random generators, the optimizer's step and slots."""
        return [_array(variable) for variable in self._state_variables()]

    def set_state(self, state: Arrays) -> None:
        """Goes on from a state; also from that of a model whose batches were not cut into parts.

        Raises:
            ValueError: It is the state of another model.
        """
        optimizer = self.model.optimizer
        optimizer.build(self.model.trainable_variables)
        variables = self._state_variables()
        parts = optimizer.gradient_accumulation_steps
        whole_batches = parts is not None and len(state) == len(variables) - len(_accumulators(optimizer))
        assign(variables[: len(state)] if whole_batches else variables, state)
        if whole_batches:
            # Keras counts the parts of a step where there are any.
            optimizer._iterations.assign(optimizer._iterations * parts)

    def set_head(self, arrays: Arrays) -> None:
        """Sets the kernels and biases of the last layers."""
        assign(model_weights(self.model)[-len(arrays) :], arrays)

    def run(self, epochs: range, on_epoch_end: OnEpochEnd) -> None:
        """Trains, as `Training.run` says."""
        if not epochs:  # Keras would make all ready
            return
        model = self.model

        class Follower(keras.callbacks.Callback):
            def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
                metrics = {name: float(value) for name, value in (logs or {}).items()}
                # Keras's logs hold numbers alone: what scored the model leaves the rest with it.
                scored = getattr(model, "scored", None)
                if on_epoch_end(epoch + 1, Metrics(metrics, scored)):
                    model.stop_training = True

        self._fit(initial_epoch=epochs.start, epochs=epochs.stop, callbacks=[*self._callbacks, Follower()])

    def _state_variables(self) -> list[Any]:
        optimizer = self.model.optimizer
        accumulators = _accumulators(optimizer)
        known = {id(variable) for variable in accumulators}
        others = [variable for variable in optimizer.variables if id(variable) not in known]
        return [*model_weights(self.model), *_random_states(self.model), *others, *accumulators]


def build_from_shapes(model: keras.Model, shapes: Mapping[str, Any] | None) -> None:
    """Builds a model that has no weights yet, as its first batch would.

    Args:
        model: Any model; one that is built stays as it is.
        shapes: What `get_build_config` gave for one that was built, also if JSON made lists of its tuples.

    Raises:
        ValueError: That is not enough for Keras to build it.
    """
    if model.built or shapes is None:
        return
    with warnings.catch_warnings():  # of the same, in more words
        warnings.simplefilter("ignore")
        model.build_from_config({name: _as_shapes(shape) for name, shape in shapes.items()})
    if not model_weights(model):
        raise ValueError(
            f"A model of {type(model).__name__} that is built by its first batch cannot be built from the shapes "
            f"{dict(shapes)}: begin it with keras.Input, or give it build_from_config."
        )


def _as_shapes(value: Any) -> Any:
    """Makes tuples of the lists that JSON made of shapes, within whatever holds them."""
    if isinstance(value, Mapping):
        return {name: _as_shapes(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        is_shape = all(one is None or isinstance(one, int) for one in value)
        return tuple(value) if is_shape else [_as_shapes(one) for one in value]
    return value


def _random_states(model: keras.Model) -> list[keras.Variable]:
    return [generator.state for layer in trained_layers(model) for generator in layer._seed_generators]


def _accumulators(optimizer: keras.optimizers.Optimizer) -> list[keras.Variable]:
    return [one for one in getattr(optimizer, "_accumulated_gradients", ()) if one is not None]


def _array(variable: Any) -> np.ndarray:
    return np.asarray(keras.ops.convert_to_numpy(variable.value))
