"""Takes apart the rows of a token-level module."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable(package="search")
class TokenVectors(keras.layers.Layer):
    """Turns rows of a `TokenModule`, float32 [batch, tokens * width + 1], into vectors, float32 [batch, length, width].

    Args:
        width: Width of a token's vector.
        length: Number of tokens of a text, from the first on, that the layers above get.
        masked: Whether these layers get a mask of the tokens that are there.
        name: Name of the layer.
    """

    def __init__(self, width: int, length: int, masked: bool = True, name: str | None = None) -> None:
        super().__init__(trainable=False, dtype="float32", autocast=False, name=name)
        self.supports_masking = masked
        self._width, self._length = width, length

    def call(self, rows: tf.Tensor) -> tf.Tensor:
        """Gives the vectors."""
        return keras.ops.reshape(rows[:, : self._length * self._width], (-1, self._length, self._width))

    def compute_mask(self, rows: tf.Tensor, previous_mask: Any = None) -> tf.Tensor | None:
        """Marks the vectors of tokens that are there, bool [batch, length]."""
        if not self.supports_masking:
            return None
        return keras.ops.less(keras.ops.arange(self._length, dtype="float32"), rows[:, -1:])

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Gives the shape of the vectors."""
        return input_shape[0], self._length, self._width

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        settings = {"width": self._width, "length": self._length, "masked": self.supports_masking}
        return {**settings, "name": self.name}
