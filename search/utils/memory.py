"""Keeps the memory of a search flat."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tensorflow.python.framework import ops


@contextmanager
def released_graphs() -> Iterator[None]:
    """Releases the graphs that are traced in the block, once nothing else refers to them.

    TensorFlow keeps the gradient of every `tf.custom_gradient` function that is traced in a registry of its own, for
    good, and through it the whole graph. Keras's optimizers add up the gradients of all replicas in such a function:
    without this a trial leaves 6 MB behind. What a SavedModel registers when it is loaded stays.
    """
    registry = ops.gradient_registry._registry
    before = set(registry)
    try:
        yield
    finally:
        for name in set(registry) - before:
            if registry[name]["type"].__qualname__.startswith("_graph_mode_decorator."):
                del registry[name]
