"""Relative positions of MPNet: a bias of attention by the distance of two tokens, in buckets (Shaw 2018, Raffel 2020).

https://arxiv.org/abs/2004.09297, https://arxiv.org/abs/1910.10683.
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from search.backbones.transformers.checkpoint_weights import encoder_tensors
from search.backbones.transformers.layout import Layout
from search.errors import InputError

_WEIGHT = "encoder.relative_attention_bias.weight"
_FARTHEST = 128


class Distances:
    """A number for each distance and each head, the same in all layers.

    They stay as published: a layer that learns above frozen ones shares them with these.

    Args:
        bias: The numbers by bucket, [buckets, heads].
        max_tokens: Longest text.
    """

    def __init__(self, bias: NDArray[np.floating], max_tokens: int) -> None:
        self._farthest = max_tokens
        self._by_distance = np.asarray(bias, np.float32)[_buckets(max_tokens, len(bias))].T

    def __call__(self, tokens: tf.Tensor) -> tf.Tensor:
        """The bias for texts of so many tokens, float32 [1, heads, tokens, tokens], the attending token first."""
        place = tf.range(tokens)
        apart = place[tf.newaxis] - place[:, tf.newaxis]
        return tf.gather(self._by_distance, apart + self._farthest, axis=1)[tf.newaxis]


def read_distances(layout: Layout) -> Distances | None:
    """Reads the numbers of an encoder that has them; None: its architecture has none.

    Raises:
        InputError: They are missing.
    """
    if layout.architecture != "mpnet":
        return None
    bias = encoder_tensors(layout.folder).get(_WEIGHT)
    if bias is None or bias.ndim != 2 or len(bias) % 4:
        raise InputError(f"module {layout.name}: its weights cannot be read (no {_WEIGHT}).")
    return Distances(bias, layout.max_tokens)


def _buckets(farthest: int, count: int) -> NDArray[np.int32]:
    """The bucket of each distance from -farthest to farthest: near ones of their own, others by their logarithm."""
    apart = np.arange(-farthest, farthest + 1)
    far, half, exact = np.abs(apart), count // 2, count // 4
    steps = np.log(np.maximum(far, 1).astype(np.float32) / exact) / np.float32(np.log(_FARTHEST / exact))
    by_logarithm = np.minimum(exact + (steps * (half - exact)).astype(np.int64), half - 1)
    buckets = np.where(far < exact, far, by_logarithm) + half * (apart > 0)
    return np.asarray(buckets, np.int32)
