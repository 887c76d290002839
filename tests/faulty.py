"""Modules that are not fit for every text, each with a table that fine-tuning would move."""

import tensorflow as tf

TEXTS = tf.TensorSpec([None], tf.string)
BUCKETS, DIMENSION = 16, 4


def words(texts):
    """The words of each text, of letters alone."""
    return tf.strings.split(tf.strings.regex_replace(tf.strings.lower(texts), "[^a-z ]", ""))


def vectors(table, texts):
    """Vectors of the words [words, dim], the text of each, and the number of texts."""
    tokens = words(texts)
    rows = tf.gather(table, tf.strings.to_hash_bucket_fast(tokens.flat_values, BUCKETS))
    return rows, tf.cast(tokens.value_rowids(), tf.int32), tf.shape(texts)[0]


def fewer_rows(table, texts):
    """A mean for each text up to the last one that has words."""
    rows, text, _ = vectors(table, texts)
    return tf.math.segment_mean(rows, text)


def not_a_number(table, texts):
    """0 / 0 for a text without words."""
    rows, text, count = vectors(table, texts)
    sums = tf.math.unsorted_segment_sum(rows, text, count)
    return sums / tf.math.unsorted_segment_sum(tf.ones_like(rows), text, count)


def sound(table, texts):
    rows, text, count = vectors(table, texts)
    return tf.math.unsorted_segment_mean(rows, text, count)


def padded(table, texts):
    """The mean over the longest text's words, rounded up to eight as accelerators like it."""
    longest = tf.maximum(tf.reduce_max(words(texts).row_lengths()), 1) + 7
    rows, text, count = vectors(table, texts)
    return tf.math.unsorted_segment_sum(rows, text, count) / tf.cast(longest // 8 * 8, tf.float32)


def centred(table, texts):
    """Normalised over the batch, where that is large enough."""
    given = sound(table, texts)
    return given - tf.where(tf.shape(texts)[0] > 64, tf.reduce_mean(given, axis=0), 0.0)


def numbered(table, texts):
    """Moved by its place in the batch."""
    given = sound(table, texts)
    return given + tf.cast(tf.range(tf.shape(given)[0]), tf.float32)[:, tf.newaxis]


def random(table, texts):
    return sound(table, texts) + tf.random.uniform([])


def save(function, folder):
    """Writes a module of one function."""
    module = tf.train.Checkpoint()
    module.table = tf.Variable(tf.random.stateless_normal([BUCKETS, DIMENSION], [1, 2]))
    module.variables = module.trainable_variables = [module.table]
    module.__call__ = tf.function(lambda texts: function(module.table, texts), input_signature=[TEXTS])
    tf.saved_model.save(module, str(folder))
    return folder
