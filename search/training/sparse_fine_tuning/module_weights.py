"""A trial's own version of a module's weights: in the module while the trial trains, apart from it otherwise."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from search.training.sparse_fine_tuning.touched_rows import Gradient, Touched
from search.utils.checkpoint import Arrays


class ModuleWeights:
    """A trial's own weights of a module that all trials share.

    Args:
        touched: What training can change of each of the module's variables.
    """

    def __init__(self, touched: Sequence[Touched]) -> None:
        self._parts: list[_Part] = [_Whole(one) if one.rows is None else _Rows(one) for one in touched]

    @contextmanager
    def in_module(self) -> Iterator[None]:
        """The module has this trial's weights in the block, and the published ones, bit for bit, behind it."""
        try:
            for part in self._parts:
                part.enter()
            yield
        finally:
            for part in self._parts:
                part.leave()

    def targets(self, trainable: int) -> list[tf.Variable]:
        """The variables that the optimizer moves of the first `trainable` ones: for a table, a copy of sparse rows."""
        return [part.target for part in self._parts[:trainable]]

    def dense(self, gradients: Sequence[Gradient]) -> list[tf.Tensor]:
        """Brings the gradients of the first variables into the shapes of their targets."""
        return [part.dense(gradient) for part, gradient in zip(self._parts, gradients, strict=False)]

    def write(self) -> None:
        """Puts what the optimizer has moved into the module, in the block of `in_module`."""
        for part in self._parts:
            part.write()

    def values(self) -> Arrays:
        """The weights that training can change: for each variable its touched rows, or the whole."""
        return [part.value() for part in self._parts]

    def set_values(self, values: Arrays) -> None:
        """Sets the weights to what `values` gave, outside the block of `in_module`."""
        for part, value in zip(self._parts, values, strict=True):
            part.set(value)

    def changes(self) -> Arrays:
        """The `values`, with the numbers of sparse rows, int64, before them: see `search.models.weights.assign`."""
        return [array for part in self._parts for array in part.changes()]


class _Part(Protocol):
    """A trial's own part of one variable of the module."""

    target: tf.Variable

    def enter(self) -> None: ...

    def leave(self) -> None: ...

    def write(self) -> None: ...

    def dense(self, gradient: Gradient) -> tf.Tensor: ...

    def value(self) -> NDArray[Any]: ...

    def set(self, value: NDArray[Any]) -> None: ...

    def changes(self) -> Arrays: ...


class _Whole:
    """A variable that is trained where it is."""

    def __init__(self, touched: Touched) -> None:
        self.target = touched.variable
        self._published = touched.published
        # None while it is in the module.
        self._own: NDArray[Any] | None = touched.published

    def enter(self) -> None:
        self.target.assign(self._own)
        self._own = None

    def leave(self) -> None:
        self._own = self.value()
        self.target.assign(self._published)

    def write(self) -> None:
        pass

    def dense(self, gradient: Gradient) -> tf.Tensor:
        return tf.zeros_like(self.target) if gradient is None else tf.convert_to_tensor(gradient)

    def value(self) -> NDArray[Any]:
        return np.array(self.target.numpy()) if self._own is None else self._own

    def set(self, value: NDArray[Any]) -> None:
        self._own = value

    def changes(self) -> Arrays:
        return [self.value()]


class _Rows:
    """Some rows of a table."""

    def __init__(self, touched: Touched) -> None:
        assert touched.rows is not None
        self.target = tf.Variable(touched.published)
        self._touched = touched
        self._numbers = tf.constant(touched.rows)

    def enter(self) -> None:
        self.write()

    def leave(self) -> None:
        self._touched.variable.scatter_update(tf.IndexedSlices(self._touched.published, self._numbers))

    def write(self) -> None:
        self._touched.variable.scatter_update(tf.IndexedSlices(self.target, self._numbers))

    def dense(self, gradient: Gradient) -> tf.Tensor:
        if gradient is None:
            return tf.zeros_like(self.target)
        at = tf.gather(self._touched.positions, gradient.indices)
        known = tf.debugging.assert_non_negative(at, "The module touched a row that it does not touch outside training")
        with tf.control_dependencies([known] if known is not None else []):
            # Adds up what comes twice, in less time than unsorted_segment_sum takes.
            return tf.scatter_nd(at[:, tf.newaxis], gradient.values, self._touched.published.shape)

    def value(self) -> NDArray[Any]:
        return np.array(self.target.numpy())

    def set(self, value: NDArray[Any]) -> None:
        self.target.assign(value)

    def changes(self) -> Arrays:
        assert self._touched.rows is not None
        return [self._touched.rows, self.value()]
