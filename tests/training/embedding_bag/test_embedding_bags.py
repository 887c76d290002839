"""Which modules are embedding bags, and what their sums are."""

import numpy as np
import pytest
import tensorflow as tf

from search.backbones.hub.load import read
from search.training.embedding_bag import Bags, Table

ROWS, DIMENSION = 30, 6
SEED = 3


def summed(table, rows):
    return tf.reduce_sum(tf.gather(table, rows), axis=1)


def weighted_by_place(table, rows):
    """A weight of its own for each token, negative ones among them."""
    weights = tf.ragged.map_flat_values(
        lambda place: tf.cos(tf.cast(place, tf.float32)), tf.ragged.range(rows.row_lengths())
    )
    return tf.reduce_sum(tf.gather(table, rows) * tf.expand_dims(weights, -1), axis=1)


def longest(table, rows):
    return tf.reduce_max(tf.gather(table, rows), axis=1)


def of_length_one(table, rows):
    return tf.math.l2_normalize(summed(table, rows), axis=1)


def of_short_rows(table, rows):
    """As published the rows are short, so only other weights show that long ones are cut."""
    short = tf.ragged.map_flat_values(lambda at: tf.clip_by_norm(tf.gather(table, at), 1.0, axes=[1]), rows)
    return tf.reduce_sum(short, axis=1)


def with_a_bias(table, rows):
    return summed(table, rows) + 1.0


BAGS = {"summed": summed, "weighted_by_place": weighted_by_place}
OTHERS = {one.__name__: one for one in (longest, of_length_one, of_short_rows, with_a_bias)}


class Gatherer(tf.train.Checkpoint):
    def __init__(self, function, drops=False):
        super().__init__()
        table = np.random.default_rng(SEED).normal(size=(ROWS, DIMENSION)) / 10
        self.table = tf.Variable(table, dtype=tf.float32)
        self.trainable_variables = [self.table]
        self.variables = [self.table]
        self.function, self.drops = function, drops

    @tf.function
    def __call__(self, texts, training=False):
        rows = tf.ragged.map_flat_values(tf.strings.to_hash_bucket_fast, tf.strings.split(texts), ROWS)
        vectors = self.function(self.table, rows)
        return tf.nn.dropout(vectors, 0.5, seed=1) if self.drops and training else vectors


@pytest.fixture
def bags_of(tmp_path):
    def make(function, drops=False):
        module = Gatherer(function, drops)
        for training in (False, True):
            module.__call__.get_concrete_function(tf.TensorSpec([None], tf.string), training=training)
        tf.saved_model.save(module, str(tmp_path / "module"))
        return Bags(read(tmp_path / "module", "module"))

    return make


def make_texts(count, seed=0, words=20):
    random = np.random.default_rng(seed)
    lengths = random.integers(0, 9, count)
    return np.array([" ".join(f"w{word}" for word in random.integers(0, words, length)) for length in lengths], object)


@pytest.mark.parametrize("function", BAGS.values(), ids=BAGS)
def test_the_sums_are_the_modules_vectors_whatever_its_rows(bags_of, function):
    bags = bags_of(function)
    texts = make_texts(50)
    weights = bags.weights(texts)
    table = np.random.default_rng(1).normal(size=(ROWS, DIMENSION)).astype(np.float32)
    bags.table.assign(table)
    expected = function(table, tf.ragged.map_flat_values(tf.strings.to_hash_bucket_fast, tf.strings.split(texts), ROWS))
    np.testing.assert_allclose(weights @ table, expected, atol=1e-5)


@pytest.mark.parametrize("function", OTHERS.values(), ids=OTHERS)
def test_a_module_that_does_more_than_add_is_no_embedding_bag(bags_of, function):
    bags = bags_of(function)
    assert bags.weights(make_texts(50)) is None
    assert bags.table is None


def test_neither_is_one_that_drops_something_in_training(bags_of):
    assert bags_of(summed, drops=True).weights(make_texts(50)) is None


def test_the_module_is_left_as_published(bags_of):
    bags = bags_of(summed)
    before = bags.table.numpy()
    bags.weights(make_texts(50))
    np.testing.assert_array_equal(bags.table.numpy(), before)


def test_texts_that_are_known_are_not_looked_at_again(bags_of, monkeypatch):
    bags = bags_of(summed)
    texts = make_texts(60)
    together = bags.weights(texts).toarray()
    monkeypatch.setattr(bags, "_probe", None)
    np.testing.assert_array_equal(bags.weights(texts[10:20]).toarray(), together[10:20])


def test_rows_that_training_texts_lack_add_a_constant_to_the_others(bags_of):
    bags = bags_of(summed)
    train, valid = make_texts(40, words=5), make_texts(40, seed=1)
    weights = [bags.weights(texts) for texts in (train, valid)]
    table = Table.of(bags.table, *weights)
    full = bags.table.numpy()
    np.testing.assert_allclose(table.train @ table.published, weights[0] @ full, atol=1e-6)
    np.testing.assert_allclose(table.valid @ table.published + table.fixed, weights[1] @ full, atol=1e-6)
    assert 0 < len(table.rows) <= 5
