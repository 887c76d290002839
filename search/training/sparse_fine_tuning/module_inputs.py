"""The inputs of a module at each step: texts, or the tokens that its first layers made of them once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from search.backbones.hub.layers import ModuleLayers
from search.backbones.hub.load import Module
from search.utils.batched import SCORING_BATCH, Several
from search.utils.ragged import RaggedRows

Rows = NDArray[np.int64]


class ModuleInputs(Protocol):
    """The way from the rows of a split to their vectors.

    Attributes:
        signature: What a batch of inputs is, a structure of tf.TensorSpec whose first axis is that of the rows.
    """

    signature: Any

    @property
    def rates(self) -> Sequence[float]:
        """For each of the module's trainable variables, what its rate is multiplied by; 0 where it stays."""

    def take(self, inputs: Any, rows: Rows) -> Any:
        """The inputs of some rows of a split, int64 [k], as a step takes them."""

    def batches(self, inputs: Any, rows: Rows) -> Iterator[tuple[Rows, Any]]:
        """The inputs of rows in batches to be scored, each with the places of its rows among `rows`."""

    def vectors(self, batch: Any, training: bool) -> tf.Tensor:
        """The vectors of a batch, float32 [k, dim]."""


class TextInputs:
    """The texts: the module is all of one piece.

    Args:
        module: The module.
    """

    signature = tf.TensorSpec([None], tf.string)

    def __init__(self, module: Module) -> None:
        self._module = module
        self.rates = [1.0] * len(module.trainable_variables)

    def take(self, inputs: tf.Tensor, rows: Rows) -> tf.Tensor:
        """Strings [k]."""
        return tf.gather(inputs, rows)

    def batches(self, inputs: tf.Tensor, rows: Rows) -> Iterator[tuple[Rows, tf.Tensor]]:
        """Strings, in order."""
        for start in range(0, len(rows), SCORING_BATCH):
            some = rows[start : start + SCORING_BATCH]
            yield np.arange(start, start + len(some)), self.take(inputs, some)

    def vectors(self, batch: tf.Tensor, training: bool) -> tf.Tensor:
        """The module's vectors of strings."""
        return self._module(batch, training)


class InputsBeside:
    """The inputs of a module, and the vectors of columns, which stand beside its own: `Several` of both.

    Args:
        inputs: The inputs of the module.
        width: Of the columns' vectors.
    """

    def __init__(self, inputs: ModuleInputs, width: int) -> None:
        self._inputs = inputs
        self.signature = inputs.signature, tf.TensorSpec([None, width], tf.float32)

    @property
    def rates(self) -> Sequence[float]:
        """The learning rates of the module."""
        return self._inputs.rates

    def take(self, inputs: Several, rows: Rows) -> tuple[Any, tf.Tensor]:
        """The module's inputs of some rows, and the vectors of their columns."""
        of_module, columns = inputs.parts
        return self._inputs.take(of_module, rows), tf.constant(columns.take(rows))

    def batches(self, inputs: Several, rows: Rows) -> Iterator[tuple[Rows, Any]]:
        """Both, in the module's batches."""
        of_module, columns = inputs.parts
        for places, batch in self._inputs.batches(of_module, rows):
            yield places, (batch, tf.constant(columns.take(rows[places])))

    def vectors(self, batch: tuple[Any, tf.Tensor], training: bool) -> tf.Tensor:
        """The module's vectors and the columns', one behind the other."""
        of_module, columns = batch
        return tf.concat([self._inputs.vectors(of_module, training), columns], axis=1)


class LayerInputs:
    """The tokens of a text, after the layers below those that learn or as numbers.

    Args:
        layers: The module.
        kept: Whether the inputs are the tokens' vectors after the layers below, not their numbers.
        layer_decay: Factor from the rate of a layer to that of the layer below it.
    """

    def __init__(self, layers: ModuleLayers, kept: bool, layer_decay: float) -> None:
        self._layers, self._kept = layers, kept
        tokens = tf.TensorSpec([None, None, layers.width], tf.float32) if kept else layers.token
        self._dtype = tokens.dtype.as_numpy_dtype
        self.signature = tokens, tf.TensorSpec([None], tf.int32)
        self.rates = [0.0] * len(layers.module.trainable_variables)
        for depth, group in enumerate(layers.learning):
            for place in group:
                self.rates[place] = layer_decay**depth

    def take(self, inputs: RaggedRows, rows: Rows) -> tuple[tf.Tensor, tf.Tensor]:
        """Tokens, filled up to the longest text, and the lengths of all."""
        values, lengths = inputs.take(rows, self._dtype)
        return tf.constant(values), tf.constant(lengths)

    def batches(self, inputs: RaggedRows, rows: Rows) -> Iterator[tuple[Rows, Any]]:
        """Texts of like length."""
        for places in inputs.slices(rows, self._layers.encoder.at_once):
            yield places, self.take(inputs, rows[places])

    def vectors(self, batch: tuple[tf.Tensor, tf.Tensor], training: bool) -> tf.Tensor:
        """The vectors of texts, by the layers that learn above the others."""
        values, lengths = batch
        if not self._kept:
            values = self._layers.below(values, lengths)
        return self._layers.above(values, lengths, training)
