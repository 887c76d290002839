"""A module whose layers are known one by one: some learn, above others that stay as published."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from search.backbones.hub.layer_groups import Encoder
from search.backbones.hub.load import Module
from search.utils.ragged import RaggedRows

_EMBEDDINGS = "embeddings"
# Texts cut into tokens in one call.
_AT_ONCE = 4096


@dataclass(frozen=True, eq=False)
class ModuleLayers:
    """A module, of which the last layers learn.

    Dropout is on in the layers that learn alone: what the others give for a text is a constant.

    Attributes:
        module: The module in memory.
        encoder: What its folder says of its layers.
        unfreeze: How many layers learn, counted from the output; None: all, and the embeddings.
    """

    module: Module
    encoder: Encoder
    unfreeze: int | None

    @cached_property
    def learning(self) -> list[tuple[int, ...]]:
        """Places of what learns among the module's trainable variables, by layer, from the output down.

        What is between the last layer and the output belongs to the last layer.
        """
        groups: list[tuple[int, ...]] = []
        above: tuple[int, ...] = ()
        for group in self.encoder.groups:
            if group.name.startswith("dense"):
                above += group.variables
            elif self.unfreeze is None or (group.name != _EMBEDDINGS and len(groups) < self.unfreeze):
                groups.append(above + group.variables)
                above = ()
        return groups

    @property
    def count(self) -> int:
        """Layers of the module."""
        return sum(not group.name.startswith((_EMBEDDINGS, "dense")) for group in self.encoder.groups)

    @property
    def constant(self) -> int | None:
        """Layers below those that learn; None: the embeddings learn too."""
        return None if self.unfreeze is None else max(0, self.count - self.unfreeze)

    @property
    def width(self) -> int:
        """Width of the vectors of tokens between two layers."""
        (function,) = self._stage("finish").concrete_functions
        return int(function.inputs[0].shape[-1])

    def tokens(self, texts: NDArray[np.object_]) -> RaggedRows:
        """Cuts texts, strings [n], into numbers of tokens: int32, as many for each text as it has tokens."""
        values, lengths = [np.zeros(0, np.int32)], [np.zeros(0, np.int64)]
        for start in range(0, len(texts), _AT_ONCE):
            ids = self._stage("cut")(tf.constant(texts[start : start + _AT_ONCE].tolist()))
            values.append(ids.values.numpy())
            lengths.append(ids.row_lengths().numpy().astype(np.int64))
        return RaggedRows.of_lengths(np.concatenate(values), np.concatenate(lengths), self.encoder.padding)

    def embedded(self, ids: tf.Tensor, lengths: tf.Tensor) -> tf.Tensor:
        """The embeddings of tokens, as `below` takes them, float32 [batch, tokens, width]."""
        return self._stage("begin")(ids, lengths, False)

    def below(self, ids: tf.Tensor, lengths: tf.Tensor) -> tf.Tensor:
        """Takes tokens through the layers that stay as published.

        Args:
            ids: Numbers of tokens, int32 [batch, tokens].
            lengths: Tokens of each text, int32 [batch]; what is behind them is of no influence.

        Returns:
            float32 [batch, tokens, width]; the numbers of tokens where the embeddings learn.
        """
        if self.constant is None:
            return ids
        return self._through(self.embedded(ids, lengths), lengths, range(self.constant), training=False)

    def above(self, values: tf.Tensor, lengths: tf.Tensor, training: bool) -> tf.Tensor:
        """The vectors of texts, float32 [batch, dim], of what `below` gives."""
        if self.constant is None:
            values = self._stage("begin")(values, lengths, training)
        values = self._through(values, lengths, range(self.constant or 0, self.count), training)
        return self._stage("finish")(values, lengths)

    def __call__(self, texts: tf.Tensor) -> tf.Tensor:
        """The vectors of texts, strings [batch], in a step of training."""
        rows = self._stage("cut")(texts)
        ids, lengths = rows.to_tensor(self.encoder.padding), tf.cast(rows.row_lengths(), tf.int32)
        return self.above(self.below(ids, lengths), lengths, training=True)

    def _through(self, values: tf.Tensor, lengths: tf.Tensor, layers: range, training: bool) -> tf.Tensor:
        for number in layers:
            values = self._stage(f"layer_{number}")(values, lengths, training)
        return values

    def _stage(self, name: str) -> Any:
        return getattr(self.module.saved, name)
