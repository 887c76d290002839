"""A module with a part of every kind that training tells apart."""

import numpy as np
import tensorflow as tf

from search.datasets import Examples

ROWS, DIMENSION = 40, 4
TEXTS = tf.TensorSpec([None], tf.string)


class Mixed(tf.train.Checkpoint):
    """Two tables, one of them behind a dense layer with a penalty; a moving mean; weights that nothing depends on."""

    def __init__(self):
        super().__init__()
        random = np.random.default_rng(0)
        self.first = tf.Variable(random.normal(size=(ROWS, DIMENSION)), dtype=tf.float32, name="first")
        self.second = tf.Variable(random.normal(size=(ROWS, 3)), dtype=tf.float32, name="second")
        self.kernel = tf.Variable(random.normal(size=(3, DIMENSION)), dtype=tf.float32, name="kernel")
        self.unused = tf.Variable(tf.ones([5, 2]), name="unused")
        self.mean = tf.Variable(tf.zeros([DIMENSION]), trainable=False, name="mean")
        self.trainable_variables = [self.first, self.second, self.kernel, self.unused]
        self.variables = [*self.trainable_variables, self.mean]
        self.regularization_losses = [self.penalty]

    @tf.function(input_signature=[])
    def penalty(self):
        return 0.01 * tf.reduce_sum(self.kernel**2)

    @tf.function
    def __call__(self, texts, training=False):
        words = tf.strings.split(texts)
        rows = tf.ragged.map_flat_values(tf.strings.to_hash_bucket_fast, words, ROWS)
        table = tf.ragged.map_flat_values(lambda at: tf.gather(self.first, at), rows)
        other = tf.ragged.map_flat_values(lambda at: tf.gather(self.second, at) @ self.kernel, rows)
        vectors = tf.reduce_mean(table, axis=1) + tf.reduce_mean(other, axis=1)
        if training:
            self.mean.assign(0.9 * self.mean + 0.1 * tf.reduce_mean(vectors, axis=0))
        return tf.ensure_shape(vectors - self.mean, [None, DIMENSION])


def save_mixed(folder):
    module = Mixed()
    for training in (False, True):
        module.__call__.get_concrete_function(TEXTS, training=training)
    tf.saved_model.save(module, str(folder))
    return folder


def word_examples(rows, seed, words=12, classes=2):
    """Texts of a few words, some of them twice, of which the first tells the class."""
    random = np.random.default_rng(seed)
    numbers = random.integers(0, words, (rows, 5))
    texts = np.array([" ".join(f"word{number}" for number in some) for some in numbers], dtype=object)
    return Examples(texts, numbers[:, 0] % classes, np.arange(1, rows + 1))
