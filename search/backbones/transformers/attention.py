"""A layer of an encoder, computed in the matrix products that it consists of.

KerasHub's own call gives the same numbers. It multiplies tensors of four axes, which takes a processor up to half as
long again as one matrix for queries, keys and values.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

_LOWEST = -1e30


def through_layer(
    layer: Any, hidden: tf.Tensor, mask: tf.Tensor, training: bool, bias: tf.Tensor | None = None
) -> tf.Tensor:
    """Takes the vectors of tokens through a layer.

    Args:
        layer: A `keras_hub.layers.TransformerEncoder` that normalizes last.
        hidden: float32 [batch, tokens, width].
        mask: 1 where there is a token, 0 behind, int32 [batch, tokens].
        training: Whether dropout is on.
        bias: What is added to the attention of a token to another, float32 [1, heads, tokens, tokens]; None: nothing.

    Returns:
        float32 [batch, tokens, width].
    """
    shape = tf.shape(hidden)
    values = tf.reshape(hidden, [-1, hidden.shape[-1]])
    unseen = _LOWEST * (1 - tf.cast(mask, tf.float32))[:, tf.newaxis, tf.newaxis]
    added = unseen if bias is None else unseen + bias
    attended = _attended(layer._self_attention_layer, values, added, shape, training)
    attended = layer._self_attention_dropout(attended, training=training)
    values = _normalized(layer._self_attention_layer_norm, values + attended)
    inner = _product(layer._feedforward_intermediate_dense, values)
    inner = _product(layer._feedforward_output_dense, layer._feedforward_intermediate_dense.activation(inner))
    inner = layer._feedforward_dropout(inner, training=training)
    return tf.reshape(_normalized(layer._feedforward_layer_norm, values + inner), shape)


def _attended(attention: Any, values: tf.Tensor, added: tf.Tensor, shape: tf.Tensor, training: bool) -> tf.Tensor:
    width, heads = int(values.shape[-1]), attention.num_heads
    inputs = attention._query_dense, attention._key_dense, attention._value_dense
    kernel = tf.concat([tf.reshape(one.kernel.value, [width, width]) for one in inputs], axis=1)
    bias = tf.concat([tf.reshape(one.bias.value, [width]) for one in inputs], axis=0)
    # [3, batch, heads, tokens, width of a head]
    parts = tf.reshape(tf.matmul(values, kernel) + bias, [shape[0], shape[1], 3, heads, width // heads])
    query, key, value = tf.unstack(tf.transpose(parts, [2, 0, 3, 1, 4]), num=3)
    weights = tf.matmul(query * (width // heads) ** -0.5, key, transpose_b=True)
    weights = tf.nn.softmax(weights + added)
    weights = attention._dropout_layer(weights, training=training) if attention.dropout else weights
    together = tf.reshape(tf.transpose(tf.matmul(weights, value), [0, 2, 1, 3]), [-1, width])
    output = attention._output_dense
    return tf.matmul(together, tf.reshape(output.kernel.value, [width, width])) + output.bias.value


def _product(dense: Any, values: tf.Tensor) -> tf.Tensor:
    return tf.matmul(values, dense.kernel.value) + dense.bias.value


def _normalized(norm: Any, values: tf.Tensor) -> tf.Tensor:
    """Ba et al. 2016."""
    centred = values - tf.reduce_mean(values, axis=-1, keepdims=True)
    variance = tf.reduce_mean(tf.square(centred), axis=-1, keepdims=True)
    return centred * (tf.math.rsqrt(variance + norm.epsilon) * norm.gamma.value) + norm.beta.value
