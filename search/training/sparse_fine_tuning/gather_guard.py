"""Keeps TensorFlow from reading whole tables of which a module needs a few rows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import tensorflow as tf


@contextmanager
def tables_gathered_from() -> Iterator[None]:
    """Keeps TensorFlow from reading a whole table where a module gathers rows from it, in functions first run there.

    One of its optimizations turns the gathering of rows that are then averaged into a sum over the table itself. Under
    a gradient that copies the table, and so does every read of a variable of which single rows have been written.
    """
    option = "arithmetic_optimization"
    before = tf.config.optimizer.get_experimental_options().get(option, True)
    tf.config.optimizer.set_experimental_options({option: False})
    try:
        yield
    finally:
        tf.config.optimizer.set_experimental_options({option: before})
