"""Pooling: one vector for a text from the vectors of its tokens."""

from __future__ import annotations

import tensorflow as tf


def pool(tokens: tf.Tensor | tf.RaggedTensor, mask: tf.Tensor | None, pooling: str) -> tf.Tensor:
    """Pools the vectors of the tokens of each text.

    Args:
        tokens: float [batch, tokens, dim]; a ragged tensor says itself which tokens there are.
        mask: Nonzero where there is a token, [batch, tokens]; not needed by `first`.
        pooling: mean or max over the tokens, or first: the token that BERT puts before the text, [CLS].

    Returns:
        float32 [batch, dim]; zeros for a text without tokens, as far as that is known.
    """
    if isinstance(tokens, tf.RaggedTensor):
        dense = tokens.to_tensor()
        mask = tf.sequence_mask(tokens.row_lengths(), tf.shape(dense)[1])
        tokens = dense
    tokens = tf.cast(tokens, tf.float32)
    if pooling == "first":
        if mask is not None:
            tokens = tf.where(tf.cast(mask, tf.bool)[:, :, tf.newaxis], tokens, 0.0)
        # Padded, since a batch of empty texts may have no tokens at all.
        return tf.pad(tokens[:, :1], [[0, 0], [0, 1], [0, 0]])[:, 0]
    there = tf.cast(mask, tf.bool)[:, :, tf.newaxis]
    if pooling == "max":
        highest = tf.reduce_max(tf.where(there, tokens, tokens.dtype.min), axis=1)
        return tf.where(tf.reduce_any(there, axis=1), highest, 0.0)
    count = tf.reduce_sum(tf.cast(there, tf.float32), axis=1)
    return tf.reduce_sum(tf.where(there, tokens, 0.0), axis=1) / tf.maximum(count, 1.0)
