"""A module whose layers are known one by one: some learn, above others that stay as published."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from search.backbones.hub.layer_groups import Encoder, ImageEncoder
from search.backbones.hub.load import Module
from search.utils.machine_memory import available_memory
from search.utils.ragged import RaggedRows

_EMBEDDINGS = "embeddings"
# Texts cut into tokens in one call.
_AT_ONCE = 4096
# Decoded images are held in memory up to this size, and up to a quarter of what is free.
_MOST_MEMORY = 2 * 2**30


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
    encoder: Encoder | ImageEncoder
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
        """Width of the vectors of tokens between the layers that stay as published and those that learn."""
        above = self.constant or 0
        return int(_taken(self._stage(f"layer_{above}" if above < self.count else "finish")).shape[-1])

    @property
    def token(self) -> tf.TensorSpec:
        """Tokens as the embeddings take them, [batch, tokens]; an image is one token, of three axes."""
        given = _taken(self._stage("begin"))
        return tf.TensorSpec([None, None, *given.shape[2:]], given.dtype)

    def tokens(self, texts: NDArray[np.object_]) -> RaggedRows:
        """Cuts texts, strings [n], into tokens, of the type and shape of `token`."""
        kind = self.token
        row, count = tf.TensorShape(kind.shape[2:]).num_elements() * kind.dtype.size, len(texts)
        if kind.shape.rank > 2 and row * count > min(_MOST_MEMORY, available_memory() // 4):
            ones = np.ones(count, np.int64)
            return RaggedRows.of_lengths(_CutWhenAsked(self._stage("cut"), texts, kind), ones)  # type: ignore[arg-type]
        values = [np.zeros((0, *kind.shape[2:]), kind.dtype.as_numpy_dtype)]
        lengths = [np.zeros(0, np.int64)]
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
            ids: Numbers of tokens, int32 [batch, tokens], or images: see `token`.
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


class _CutWhenAsked:
    """Images as an array [n, height, width, 3], each decoded when it is asked for: together they are too many.

    Args:
        cut: Decodes them, strings [k].
        images: Encoded images [n].
        kind: The tokens that they are.
    """

    def __init__(self, cut: Any, images: NDArray[np.object_], kind: tf.TensorSpec) -> None:
        self.dtype, self.shape = kind.dtype.as_numpy_dtype, (len(images), *kind.shape[2:])
        self._cut, self._images = cut, images

    def __getitem__(self, places: slice) -> NDArray[Any]:
        images: NDArray[Any] = self._cut(tf.constant(self._images[places].tolist())).values.numpy()
        return images


def _taken(stage: Any) -> tf.Tensor:
    """The first argument of a stage."""
    return stage.concrete_functions[0].inputs[0]
