"""Small modules of the shapes that the room must tell apart."""

import numpy as np
import pytest
import tensorflow as tf

from search.backbones.builders.vectors import write_module

WORDS = ("good", "bad", "film", "book", "the", "n't", "!")
DIMENSION = 4


class Encoder(tf.train.Checkpoint):
    """Has all that a module may have: `training`, a moving statistic that training changes, a regularization loss."""

    def __init__(self):
        super().__init__()
        self.table = tf.Variable(tf.random.stateless_uniform([8, DIMENSION], [1, 2]), name="encoder/table")
        self.steps = tf.Variable(0.0, trainable=False, name="steps")
        self.variables = [self.table, self.steps]
        self.trainable_variables = [self.table]
        self.regularization_losses = [self.penalty]

    @tf.function(input_signature=[])
    def penalty(self):
        return 0.5 * tf.reduce_sum(self.table**2)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string), tf.TensorSpec([], tf.bool)])
    def embed(self, texts, training):
        self.steps.assign_add(tf.cast(training, tf.float32))
        buckets = tf.strings.to_hash_bucket_fast(texts, 8)
        return tf.gather(self.table, buckets) + tf.cast(training, tf.float32)

    @tf.function
    def __call__(self, texts, training=False):
        return self.embed(texts, training)


class Callable(tf.train.Checkpoint):
    """A module that is one function."""

    def __init__(self, function, *spec):
        super().__init__()
        self.scale = tf.Variable(2.0)
        self.called = tf.function(lambda *inputs: function(self.scale, *inputs), input_signature=spec)
        self.__call__ = self.called


TEXTS = tf.TensorSpec([None], tf.string)


def lengths(scale, texts):
    return scale * tf.cast(tf.strings.length(texts), tf.float32)[:, tf.newaxis]


@pytest.fixture(scope="session")
def word_vectors():
    """Vectors [words, dim] of the word-vector module."""
    return np.random.default_rng(0).normal(size=(len(WORDS), DIMENSION)).astype(np.float32)


@pytest.fixture
def words_module(word_vectors, tmp_path):
    """A module of seven words, with its vocabulary as an asset; each test has one of its own."""
    folder = tmp_path / "words"
    write_module(WORDS, word_vectors, folder)
    return folder


@pytest.fixture
def encoder_module(tmp_path):
    folder = tmp_path / "encoder"
    encoder = Encoder()
    for training in (False, True):
        encoder.__call__.get_concrete_function(TEXTS, training=training)
    tf.saved_model.save(encoder, str(folder))
    return folder


@pytest.fixture
def save(tmp_path):
    """Saves a function as a module."""

    def saved(name, function=lengths, *spec):
        folder = tmp_path / name
        tf.saved_model.save(Callable(function, *(spec or (TEXTS,))), str(folder))
        return folder

    return saved
