"""Which weights of a module the training texts can touch.

The gradient of a table of word vectors is `tf.IndexedSlices`: the rows of the words in the batch, and no others. A row
that no training text touches has a gradient of zero at every step, so no optimizer of the search space moves it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from search.backbones.hub.load import Module

# Texts looked at in one call.
_AT_ONCE = 1024
# How the names of the operations begin that change a variable.
_WRITES = ("Assign", "ResourceApply", "ResourceScatter", "ResourceStridedSliceAssign")

Gradient: TypeAlias = tf.Tensor | tf.IndexedSlices | None


@dataclass(frozen=True, eq=False)
class Touched:
    """The rows of one variable that training on some texts can change.

    Attributes:
        variable: One of the module's variables.
        rows: Numbers of the rows, ascending, int64 [touched]; None: the whole variable.
        published: What stands there as published, [touched, …], or the whole variable.
        positions: For each row of the variable its place among `rows`, -1 where it has none, int32 [rows of the
            variable]; None where `rows` is.
    """

    variable: tf.Variable
    rows: NDArray[np.int64] | None
    published: NDArray[Any]
    positions: tf.Tensor | None


def find_touched(module: Module, texts: NDArray[np.object_]) -> list[Touched]:
    """Finds what training on texts can change of a module, in one pass over them at most.

    The pass asks for the row numbers in the gradients and for nothing else, so TensorFlow leaves out what only the
    embeddings themselves need. A module without such a table is not run at all.

    Args:
        module: A module with its published weights.
        texts: All texts that will be trained on, strings [n].

    Returns:
        One for each of the module's variables, in their order. Of those that no optimizer changes, no row, unless the
        module itself may write to one in training, as batch normalisation does.
    """
    kinds: list[type] = []

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def row_numbers(texts: tf.Tensor) -> list[tf.Tensor]:
        gradients = _gradients(module, texts)
        kinds[:] = [type(gradient) for gradient in gradients]
        slices = [gradient for gradient in gradients if isinstance(gradient, tf.IndexedSlices)]
        return [tf.unique(tf.cast(one.indices, tf.int64))[0] for one in slices]

    self_changing = writes(row_numbers.get_concrete_function().graph)
    state = [np.array(variable.numpy()) for variable in module.other_variables] if self_changing else []
    batches: list[list[tf.Tensor]] = []
    try:
        if tf.IndexedSlices in kinds:
            for start in range(0, len(texts), _AT_ONCE):
                batches.append(row_numbers(tf.constant(texts[start : start + _AT_ONCE].tolist())))
    finally:
        for variable, value in zip(module.other_variables, state, strict=False):
            variable.assign(value)
    found = iter([np.unique(np.concatenate([one.numpy() for one in some])) for some in zip(*batches, strict=True)])
    none = np.zeros(0, np.int64)
    rows: list[NDArray[np.int64] | None] = [
        next(found) if kind is tf.IndexedSlices else none if kind is type(None) else None for kind in kinds
    ]
    rows += [None if self_changing else none] * len(module.other_variables)
    return [_touched(*pair) for pair in zip(module.variables, rows, strict=True)]


def untouched(one: Touched) -> Touched:
    """The same variable where training changes nothing of it."""
    return _touched(one.variable, np.zeros(0, np.int64))


def regularization(module: Module) -> list[tf.Tensor]:
    """The terms that a module adds to the loss in training, scalars."""
    return [loss() for loss in getattr(module.saved, "regularization_losses", None) or ()]


def _touched(variable: tf.Variable, rows: NDArray[np.int64] | None) -> Touched:
    if rows is None or variable.shape.rank == 0:
        return Touched(variable, None, np.array(variable.numpy()), None)
    positions = np.full(variable.shape[0], -1, np.int32)
    positions[rows] = np.arange(len(rows), dtype=np.int32)
    return Touched(variable, rows, tf.gather(variable, rows).numpy(), tf.constant(positions))


def _gradients(module: Module, texts: tf.Tensor) -> list[Gradient]:
    """The gradients of the sum of embeddings and regularization in each trainable variable."""
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(module.trainable_variables)
        targets = [tf.reduce_sum(module(texts, training=True)), *regularization(module)]
    gradients: list[Gradient] = tape.gradient(targets, module.trainable_variables)
    return gradients


def writes(graph: tf.Graph) -> bool:
    """Whether anything in a graph, or in the functions it calls, changes a variable."""
    definition = graph.as_graph_def()
    nodes = [*definition.node, *(node for function in definition.library.function for node in function.node_def)]
    return any(node.op.startswith(_WRITES) for node in nodes)
