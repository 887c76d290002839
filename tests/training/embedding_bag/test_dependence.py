"""What depends on the values of a variable is told apart from what depends on its shape, or on other variables."""

import pytest
import tensorflow as tf

from search.training.embedding_bag.dependence import depends_on_values

ROWS = tf.TensorSpec([None], tf.int64)


@pytest.fixture(scope="module")
def table():
    return tf.Variable(tf.ones([5, 3]))


@pytest.fixture(scope="module")
def other():
    return tf.Variable(tf.ones([5, 3]))


@tf.function
def nested(function, *arguments):
    return function(*arguments)


def looped(rows, table):
    total = tf.zeros([3])
    for row in rows:
        total += tf.gather(table, row)
    return total


DEPENDENT = {
    "the whole": lambda rows, table, other: table + 1.0,
    "some rows": lambda rows, table, other: tf.gather(table, rows),
    "in a function": lambda rows, table, other: nested(tf.gather, table, rows),
    "twice as deep": lambda rows, table, other: nested(nested, tf.gather, table, rows),
    "in a loop": lambda rows, table, other: looped(rows, table),
    "in a branch": lambda rows, table, other: tf.cond(rows[0] > 0, lambda: table + 1.0, lambda: other + 1.0),
}
INDEPENDENT = {
    "nothing": lambda rows, table, other: rows + 1,
    "another": lambda rows, table, other: tf.gather(other, rows),
    "the shape": lambda rows, table, other: tf.shape(tf.gather(table, rows))[0],
    "zeros": lambda rows, table, other: tf.zeros_like(nested(tf.gather, table, rows)),
    "another one in a function": lambda rows, table, other: nested(lambda a, b: (a + 1.0, b + 1.0), table, other)[1],
}


def traced(function, table, other):
    concrete = tf.function(
        lambda rows: (function(rows, table, other), tf.reduce_sum(table)), input_signature=[ROWS]
    ).get_concrete_function()
    # The second result makes sure that the variable is captured.
    return concrete, concrete.outputs[:1]


@pytest.mark.parametrize("function", DEPENDENT.values(), ids=DEPENDENT)
def test_values_are_followed(table, other, function):
    assert depends_on_values(*traced(function, table, other), table)


@pytest.mark.parametrize("function", INDEPENDENT.values(), ids=INDEPENDENT)
def test_what_is_no_value_is_not(table, other, function):
    assert not depends_on_values(*traced(function, table, other), table)
