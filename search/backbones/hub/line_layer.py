"""Frozen modules on each line of a text as a Keras 3 layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import keras
import tensorflow as tf

from search.backbones.hub.joined_layer import JoinedEmbedding
from search.backbones.hub.layer import TextEmbedding
from search.datasets.text_columns import EMPTY, LINE


@keras.saving.register_keras_serializable(package="search")
class LineEmbedding(JoinedEmbedding):
    """Embeds the lines of texts, strings [batch], each by itself: their vectors one behind the other, [batch, dim].

    Args:
        parts: The layer of each module, frozen; of several the vectors of a line stand side by side.
        lines: Number of lines of a text, of which some may be missing at its end.
        name: Name of the layer.
    """

    def __init__(self, parts: Sequence[TextEmbedding], lines: int, name: str | None = None) -> None:
        super().__init__(parts, name)
        self.lines = lines

    @property
    def dimension(self) -> int:
        """Width of the vectors of all lines together."""
        return self.lines * super().dimension

    def call(self, texts: tf.Tensor) -> tf.Tensor:
        """Embeds texts."""
        table = tf.strings.split(texts, LINE, maxsplit=self.lines - 1).to_tensor("", shape=[None, self.lines])
        columns = tf.unstack(tf.where(table == EMPTY, "", table), axis=1)
        return tf.concat([part(column) for column in columns for part in self.parts], axis=1)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor, each part with what is known of its module."""
        return {**super().get_config(), "lines": self.lines}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Makes the layer of its `get_config`."""
        parts = [keras.saving.deserialize_keras_object(part) for part in config["parts"]]
        return cls(parts, config["lines"], config["name"])
