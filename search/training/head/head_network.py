"""A head of dense layers: probabilities and gradients by hand-written matrix products."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search.features.splits import Inputs
from search.training.head.activations import ACTIVATIONS
from search.training.head.outputs import Output, Softmax

Floats = NDArray[np.floating]

# Rows whose probabilities are computed at once.
_SCORED_AT_ONCE = 8192
# Numbers to compare with the dropout rate have 16 bits: four are drawn at the cost of one.
_DRAWS = 1 << 16


class Head:
    """Hidden layers with one activation and dropout behind each, and a softmax or another output.

    What flows through it lies in memory as [width, batch], so that every pass over it is over one contiguous block, and
    ends in a row of ones: a layer's bias is the last column of its matrix [width, inputs + 1], one product gives both.
    All matrices are views of one flat vector.

    Args:
        inputs: Width of the features.
        widths: Widths of the hidden layers.
        classes: Number of classes.
        activation: A key of `ACTIVATIONS`.
        dropout: Part of the hidden values that each step of training drops.
        dtype: Of weights and arithmetic.
        output: Makes losses and probabilities of logits; None: a softmax.

    Attributes:
        activation: As given.
        dropout: As given.
        weights: float [parameters], zeros until `initialize` or `set_arrays`.
        gradient: float [parameters], of the last call of `learn`.
    """

    def __init__(
        self,
        inputs: int,
        widths: Sequence[int],
        classes: int,
        activation: str = "relu",
        dropout: float = 0.0,
        dtype: Any = np.float32,
        output: Output | None = None,
    ) -> None:
        sizes = [inputs, *widths, classes]
        self._shapes = [(out, into + 1) for into, out in pairwise(sizes)]
        parameters = sum(out * into for out, into in self._shapes)
        self.weights: Floats = np.zeros(parameters, dtype)
        self.gradient: Floats = np.zeros(parameters, dtype)
        self._matrices = self._views(self.weights)
        self._gradients = self._views(self.gradient)
        self.activation = activation
        self.dropout = dropout
        self._activate = ACTIVATIONS[activation]
        self._output = Softmax() if output is None else output
        self._buffers: dict[int, _Buffers] = {}
        # What the last call of `learn` found at the first layer's sums, [width, batch].
        self._error: Floats = np.zeros((self._shapes[0][0], 0), dtype)

    def initialize(self, generator: np.random.Generator, first: Floats | None = None) -> None:
        """Draws weights as Keras's dense layers do: Glorot and Bengio 2010, uniform; biases are zero.

        Args:
            generator: Draws them.
            first: Biases of the last layer, [classes]; None: zero.
        """
        for matrix in self._matrices:
            out, into = matrix.shape[0], matrix.shape[1] - 1
            limit = np.sqrt(6 / (into + out))
            matrix[:, :-1] = generator.uniform(-limit, limit, (out, into))
            matrix[:, -1] = 0
        if first is not None:
            self._matrices[-1][:, -1] = first

    @property
    def kernels(self) -> NDArray[np.bool_]:
        """Which of `weights` are those of kernels, bool [parameters]; the others are biases."""
        found = np.ones(len(self.weights), bool)
        for matrix in self._views(found):
            matrix[:, -1] = False
        return found

    def arrays(self) -> list[Floats]:
        """The weights as Keras's dense layers have them: kernel [inputs, width] and bias [width] of each, in order."""
        return [part for matrix in self._matrices for part in (matrix[:, :-1].T.copy(), matrix[:, -1].copy())]

    def set_arrays(self, arrays: Sequence[Floats]) -> None:
        """Sets the weights to what `arrays` gave.

        Raises:
            ValueError: They are the weights of another head.
        """
        expected = [array.shape for array in self.arrays()]
        if [array.shape for array in arrays] != expected:
            raise ValueError(f"Expected arrays of shapes {expected}. Received: {[array.shape for array in arrays]}")
        for matrix, kernel, bias in zip(self._matrices, arrays[::2], arrays[1::2], strict=True):
            matrix[:, :-1] = kernel.T
            matrix[:, -1] = bias

    def learn(
        self,
        features: Floats,
        labels: NDArray[np.integer],
        sample_weight: Floats,
        generator: np.random.Generator | None,
        offset: Floats | None = None,
    ) -> Floats:
        """Computes the gradient of the batch's mean loss into `gradient`.

        Args:
            features: float [batch, inputs].
            labels: Class indices [batch], or what else the output takes.
            sample_weight: Weight of each row in the loss, float [batch].
            generator: Draws what is dropped; None: nothing is.
            offset: Is added to the logits, float [batch, classes].

        Returns:
            The loss of each row, cross-entropy in nats times its weight, float [batch].
        """
        rows = len(labels)
        buffers = self._buffers.get(rows)
        if buffers is None:
            buffers = self._buffers[rows] = _Buffers(self._shapes, rows, self.weights.dtype)
        buffers.inputs[:, :-1] = features
        entering = buffers.inputs.T
        for matrix, layer in zip(self._matrices[:-1], buffers.layers, strict=True):
            np.matmul(matrix, entering, out=layer.values)
            self._activate(layer.values, layer.slope)
            if self.dropout and generator is not None:
                self._drop(layer, generator)
            entering = layer.with_ones
        logits = np.matmul(self._matrices[-1], entering, out=buffers.logits)
        if offset is not None:
            logits += offset.T
        losses = self._output.learn(logits, labels, sample_weight)
        error = logits
        for depth in range(len(self._matrices) - 1, -1, -1):
            came = buffers.layers[depth - 1].with_ones.T if depth else buffers.inputs
            np.matmul(error, came, out=self._gradients[depth])
            if depth:
                layer = buffers.layers[depth - 1]
                error = np.matmul(self._matrices[depth][:, :-1].T, error, out=layer.error)
                error *= layer.slope
        self._error = error
        return losses

    def feature_gradient(self) -> Floats:
        """The gradient of the batch's mean loss in the features of the last call of `learn`, float [batch, inputs]."""
        gradient: Floats = self._error.T @ self._matrices[0][:, :-1]
        return gradient

    def probabilities(
        self, features: Inputs, rows: NDArray[np.int64], offset: Floats | None = None
    ) -> NDArray[np.float64]:
        """Scores rows, without dropout.

        Args:
            features: Where the rows are.
            rows: Which ones, int64 [n].
            offset: Is added to the logits of all rows, float [rows, classes].

        Returns:
            Probabilities, float64 [n, classes].
        """
        parts = [rows[start : start + _SCORED_AT_ONCE] for start in range(0, len(rows), _SCORED_AT_ONCE)]
        return np.concatenate(
            [self._scored(features.take(part), None if offset is None else offset[part]) for part in parts]
        )

    def _scored(self, features: Floats, offset: Floats | None) -> NDArray[np.float64]:
        values: Floats = features.T
        for i, matrix in enumerate(self._matrices):
            values = matrix[:, :-1] @ values
            values += matrix[:, -1:]
            if i < len(self._matrices) - 1:
                self._activate(values, np.empty_like(values))
        logits = values.T.astype(np.float64)
        if offset is not None:
            logits += offset
        return np.asarray(self._output.probabilities(logits), np.float64)

    def _drop(self, layer: _Layer, generator: np.random.Generator) -> None:
        dropped = round(self.dropout * _DRAWS)
        size = layer.values.size
        drawn = generator.bit_generator.random_raw(-(-size // 4)).view(np.uint16)[:size].reshape(layer.values.shape)
        np.multiply(drawn >= dropped, self.weights.dtype.type(_DRAWS / (_DRAWS - dropped)), out=layer.kept)
        layer.values *= layer.kept
        layer.slope *= layer.kept

    def _views(self, flat: NDArray[Any]) -> list[NDArray[Any]]:
        ends = np.cumsum([out * into for out, into in self._shapes])
        return [part.reshape(shape) for part, shape in zip(np.split(flat, ends[:-1]), self._shapes, strict=True)]


class _Layer:
    """The values of a hidden layer for a batch, each [width, batch]."""

    def __init__(self, width: int, rows: int, dtype: Any) -> None:
        self.with_ones = np.ones((width + 1, rows), dtype)
        self.values = self.with_ones[:-1]
        self.slope = np.empty((width, rows), dtype)
        self.error = np.empty((width, rows), dtype)
        self.kept = np.empty((width, rows), dtype)


class _Buffers:
    """Memory for batches of one size, used again in each step."""

    def __init__(self, shapes: Sequence[tuple[int, int]], rows: int, dtype: Any) -> None:
        self.inputs = np.ones((rows, shapes[0][1]), dtype)
        self.layers = [_Layer(width, rows, dtype) for width, _ in shapes[:-1]]
        self.logits = np.empty((shapes[-1][0], rows), dtype)
