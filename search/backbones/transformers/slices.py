"""A batch of texts computed some at a time, those of like length together, whatever batch comes from outside."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from search.utils.ragged import TOKENS_AT_ONCE


def in_slices(ids: tf.RaggedTensor, dimension: int, embed: Callable[[tf.RaggedTensor], tf.Tensor]) -> tf.Tensor:
    """Embeds texts in slices, each of which is padded to its own longest text alone.

    Args:
        ids: Of the tokens, int32 [batch, (tokens)].
        dimension: Width of the vectors.
        embed: Maps ids of some texts to float32 [texts, dimension].

    Returns:
        The vectors of all texts in their order, float32 [batch, dimension].
    """
    order = tf.argsort(ids.row_lengths(), direction="DESCENDING", stable=True)
    ids = tf.gather(ids, order)
    lengths, count = tf.cast(ids.row_lengths(), tf.int32), tf.size(order)
    # There is always one, of no texts, since nothing can be made of none.
    done = tf.TensorArray(tf.float32, 1, dynamic_size=True, infer_shape=False, element_shape=[None, dimension])
    done = done.write(0, tf.zeros([0, dimension]))

    def step(begin: tf.Tensor, done: tf.TensorArray) -> tuple[tf.Tensor, tf.TensorArray]:
        end = tf.minimum(count, begin + tf.maximum(1, TOKENS_AT_ONCE // tf.maximum(1, lengths[begin])))
        return end, done.write(done.size(), embed(ids[begin:end]))

    _, done = tf.while_loop(lambda begin, done: begin < count, step, (0, done), parallel_iterations=2)
    return tf.ensure_shape(tf.gather(done.concat(), tf.argsort(order)), [None, dimension])
