"""Several frozen modules side by side as a Keras 3 layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import keras
import tensorflow as tf

from search.backbones.hub.layer import TextEmbedding


@keras.saving.register_keras_serializable(package="search")
class JoinedEmbedding(keras.layers.Layer):
    """Embeds texts, strings [batch], as the vectors of several modules one behind the other, float32 [batch, dim].

    Args:
        parts: The layer of each module, frozen.
        name: Name of the layer.

    Attributes:
        parts: As given.
    """

    def __init__(self, parts: Sequence[TextEmbedding], name: str | None = None) -> None:
        super().__init__(trainable=False, dtype="float32", autocast=False, name=name)
        self.supports_jit = False
        self.parts = list(parts)

    @property
    def dimension(self) -> int:
        """Width of all vectors together."""
        return sum(part.dimension for part in self.parts)

    def build(self, input_shape: Any) -> None:
        """Loads the modules that were not read from a file."""
        for part in self.parts:
            if not part.built:
                part.build(input_shape)

    def call(self, texts: tf.Tensor) -> tf.Tensor:
        """Embeds texts."""
        return tf.concat([part(texts) for part in self.parts], axis=1)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, int]:
        """The shape of the output, so that a functional model is built without calling the modules."""
        return self.parts[0].compute_output_shape(input_shape)[0], self.dimension

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor, each part with what is known of its module."""
        return {"parts": [keras.saving.serialize_keras_object(part) for part in self.parts], "name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Makes the layer of its `get_config`."""
        parts = [keras.saving.deserialize_keras_object(part) for part in config["parts"]]
        return cls(parts, config["name"])


def frozen_parts(model: Any) -> Sequence[TextEmbedding]:
    """The layers that pass the texts of a model to modules which training did not change, side by side.

    Two such layers with the same `folder` compute the same: one can replace the other.
    """
    layers = model.layers[1:2] if isinstance(model, keras.Model) else []
    first = layers[0] if layers else None
    if type(first) is JoinedEmbedding:  # not on each line of a text
        return first.parts
    return [first] if isinstance(first, TextEmbedding) and not first.get_config()["trainable"] else []
