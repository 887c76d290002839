"""Takes apart what a module of tokens gives."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable(package="search")
class TokenVectors(keras.layers.Layer):
    """Turns rows of a `TokenModule`, float32 [batch, tokens * width + 1], into vectors, float32 [batch, length, width].

    Args:
        width: Of the vector of a token.
        length: Tokens of a text that the layers above shall see, the first ones.
        masked: Whether it tells these layers which tokens are there.
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
        """Says which of them are of tokens, bool [batch, length]."""
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
