"""Which weights of a module the training texts can touch.

The gradient of a table of word vectors is `tf.IndexedSlices`: the rows of the words in the batch, and no others. A row
that no training text touches has a gradient of zero at every step, so no optimizer of the search space moves it. Weight
decay alone does: with it, each row of a table is touched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from search.backbones.hub.layers import ModuleLayers
from search.backbones.hub.load import Module
from search.utils.ragged import RaggedRows

# Texts, and tokens, looked at in one call.
_AT_ONCE = 1024
_TOKENS_AT_ONCE = 2**16
_NONE = np.zeros(0, np.int64)
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


def find_touched(module: Module, texts: NDArray[np.object_], decay: bool = False) -> list[Touched]:
    """Finds what training on texts can change of a module, in one pass over them at most.

    Args:
        module: A module with its published weights.
        texts: All texts that will be trained on, strings [n].
        decay: Whether there is weight decay.

    Returns:
        One for each of the module's variables, in their order. Of those that no optimizer changes, no row, unless the
        module itself may write to one in training, as batch normalisation does.
    """

    def targets(texts: tf.Tensor) -> list[tf.Tensor]:
        return [tf.reduce_sum(module(texts, training=True)), *regularization(module)]

    batches = (tf.constant(texts[start : start + _AT_ONCE].tolist()) for start in range(0, len(texts), _AT_ONCE))
    state = [np.array(variable.numpy()) for variable in module.other_variables]
    try:
        rows, self_changing = _touched_rows(
            module.trainable_variables, targets, tf.TensorSpec([None], tf.string), batches, decay
        )
    finally:
        for variable, value in zip(module.other_variables, state, strict=True):
            variable.assign(value)
    others = [None if self_changing else _NONE] * len(module.other_variables)
    return [_touched(*pair) for pair in zip(module.variables, [*rows, *others], strict=True)]


def find_touched_of_layers(layers: ModuleLayers, tokens: RaggedRows, decay: bool = False) -> list[Touched]:
    """Finds what training on texts can change of a module of which some layers learn.

    Args:
        layers: The module with its published weights.
        tokens: Numbers of the tokens of all texts that will be trained on.
        decay: Whether there is weight decay.

    Returns:
        One for each of the module's variables, in their order.
    """
    variables = layers.module.trainable_variables
    rows: list[NDArray[np.int64] | None] = [_NONE] * len(variables)
    for group in layers.learning:
        for place in group:
            rows[place] = None
    if layers.constant is None:
        # Tables are among the embeddings alone, which end the list.
        places = layers.learning[-1]

        def targets(ids: tf.Tensor) -> list[tf.Tensor]:
            lengths = tf.fill([tf.shape(ids)[0]], tf.shape(ids)[1])
            return [tf.reduce_sum(layers.embedded(ids, lengths))]

        slices = tokens.slices(np.arange(len(tokens)), _TOKENS_AT_ONCE)
        batches = (tf.constant(tokens.take(some)[0]) for some in slices)
        learning = [variables[place] for place in places]
        found, _ = _touched_rows(learning, targets, layers.token, batches, decay)
        for place, one in zip(places, found, strict=True):
            rows[place] = one
    # Dropout counts its random numbers.
    others = [None] * len(layers.module.other_variables)
    return [_touched(*pair) for pair in zip(layers.module.variables, [*rows, *others], strict=True)]


def regularization(module: Module) -> list[tf.Tensor]:
    """The terms that a module adds to the loss in training, scalars."""
    return [loss() for loss in getattr(module.saved, "regularization_losses", None) or ()]


def _touched(variable: tf.Variable, rows: NDArray[np.int64] | None) -> Touched:
    if rows is None or variable.shape.rank == 0:
        return Touched(variable, None, np.array(variable.numpy()), None)
    positions = np.full(variable.shape[0], -1, np.int32)
    positions[rows] = np.arange(len(rows), dtype=np.int32)
    return Touched(variable, rows, tf.gather(variable, rows).numpy(), tf.constant(positions))


def _touched_rows(
    variables: Sequence[tf.Variable],
    targets: Callable[[tf.Tensor], list[tf.Tensor]],
    signature: tf.TensorSpec,
    batches: Iterable[tf.Tensor],
    decay: bool,
) -> tuple[list[NDArray[np.int64] | None], bool]:
    """The rows of variables that a gradient has, and whether what is computed changes variables by itself.

    It asks for the row numbers in the gradients and for nothing else, so TensorFlow leaves out what only the targets
    themselves need. Without a table among the variables, or where all rows of tables decay, nothing is run at all.
    """
    kinds: list[type] = []

    @tf.function(input_signature=[signature])
    def row_numbers(inputs: tf.Tensor) -> list[tf.Tensor]:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(variables)
            of_inputs = targets(inputs)
        gradients: list[Gradient] = tape.gradient(of_inputs, variables)
        kinds[:] = [type(gradient) for gradient in gradients]
        slices = [gradient for gradient in gradients if isinstance(gradient, tf.IndexedSlices)]
        return [tf.unique(tf.cast(one.indices, tf.int64))[0] for one in slices]

    self_changing = writes(row_numbers.get_concrete_function().graph)
    sparse = None if decay else tf.IndexedSlices
    given = [row_numbers(batch) for batch in batches] if sparse in kinds else []
    found = iter([np.unique(np.concatenate([one.numpy() for one in some])) for some in zip(*given, strict=True)])
    rows = [next(found) if kind is sparse else _NONE if kind is type(None) else None for kind in kinds]
    return rows, self_changing


def writes(graph: tf.Graph) -> bool:
    """Whether anything in a graph, or in the functions it calls, changes a variable."""
    definition = graph.as_graph_def()
    nodes = [*definition.node, *(node for function in definition.library.function for node in function.node_def)]
    return any(node.op.startswith(_WRITES) for node in nodes)
