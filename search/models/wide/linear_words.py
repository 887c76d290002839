"""The linear layer above the TF-IDF of texts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from search.models.wide.terms import counted, linear, term_table

WIDE = "wide"
"""Name of the layer in a model."""
_VOCABULARY = "terms.txt"
_WIDTHS = (1, 2)


@keras.saving.register_keras_serializable(package="search")
class LinearWords(keras.layers.Layer):
    """Logits of texts by their words and word pairs: strings [batch] to float32 [batch, classes].

    Its weights are no optimizer's: they are fitted before training (`search.training.wide`), and they are among what a
    checkpoint holds. A `.keras` file carries the terms with it.

    Args:
        terms: How many terms there are.
        classes: Number of classes.
        name: Name of the layer.

    Attributes:
        idf: Inverse document frequency of each term [terms].
        kernel: [terms, classes].
        bias: [classes].
    """

    def __init__(self, terms: int, classes: int, name: str = WIDE) -> None:
        super().__init__(dtype="float32", autocast=False, name=name)
        self.supports_jit = False
        self._sizes = (terms, classes)
        self._terms: Sequence[str] | None = None
        self._table: Any = None

    @classmethod
    def over(cls, terms: Sequence[str], idf: NDArray[np.float32], classes: int) -> Self:
        """A layer of these terms, its other weights zero."""
        layer = cls(len(terms), classes)
        layer._adopt(terms)
        layer.build((None,))
        layer.idf.assign(idf)
        return layer

    def named(self, name: str) -> LinearWords:
        """The same layer under another name, with weights of its own."""
        assert self._terms is not None
        other = type(self)(*self._sizes, name=name)
        other._adopt(self._terms)
        other.build((None,))
        for weight, value in zip(other.weights, self.weights, strict=True):
            weight.assign(value)
        return other

    def build(self, input_shape: Any) -> None:
        """Makes the weights, once."""
        if self.weights:
            return
        shapes = {"idf": self._sizes[:1], "kernel": self._sizes, "bias": self._sizes[1:]}
        self.idf, self.kernel, self.bias = (
            self.add_weight(name=name, shape=shape, initializer="zeros", trainable=False, autocast=False)
            for name, shape in shapes.items()
        )

    def call(self, texts: tf.Tensor) -> tf.Tensor:
        """Scores texts."""
        if self._table is None:
            raise ValueError(f"Layer {self.name} has no terms: it was made without them.")
        found = counted(texts, self._table, self._sizes[0], _WIDTHS, sublinear=True)
        products = linear(found, self.idf.value, self.kernel.value, tf.shape(texts, tf.int64)[0])
        return tf.cast(products + tf.cast(self.bias.value, tf.float64), tf.float32)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, int]:
        """Gives the shape of the logits, so that a model is built without a call."""
        return input_shape[0], self._sizes[1]

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return {"terms": self._sizes[0], "classes": self._sizes[1], "name": self.name}

    def save_assets(self, folder: str) -> None:
        """Puts the terms into a `.keras` file."""
        # No term holds white space but the space between two words.
        Path(folder, _VOCABULARY).write_text("\n".join(self._terms or ()), encoding="utf-8")

    def load_assets(self, folder: str) -> None:
        """Takes them out of it."""
        self._adopt(Path(folder, _VOCABULARY).read_text(encoding="utf-8").split("\n"))

    def _adopt(self, terms: Sequence[str]) -> None:
        # In a tuple, which Keras does not look into.
        self._terms = tuple(terms)
        self._table = term_table(terms)
