"""The dependence of a TensorFlow function's results on a variable, read off its graph."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import IntEnum
from functools import cache
from graphlib import CycleError, TopologicalSorter
from typing import Any

import tensorflow as tf

# These look at the shape of their input alone.
_OF_SHAPES = ("Shape", "ShapeN", "Size", "Rank", "VariableShape", "ZerosLike", "OnesLike")
_CALLS = ("PartitionedCall", "StatefulPartitionedCall")


class _Carries(IntEnum):
    """The part of a variable that reaches a tensor."""

    NOTHING = 0
    HANDLE = 1
    VALUES = 2


_Outputs = tuple[_Carries, ...]


def depends_on_values(function: Any, results: Sequence[tf.Tensor], variable: tf.Variable) -> bool:
    """Whether results of a function can be others where the values of a variable are others.

    A gradient that does not is that of a function which is affine in the variable, whatever the variable's values.

    Args:
        function: A concrete function that captures the variable.
        results: Tensors in its graph.
        variable: The variable.

    Returns:
        False where no path of operations leads from the values to a result. Loops and branches are taken to use all
        that goes into them.
    """
    graph = function.graph.as_graph_def()
    library = {one.signature.name: one for one in graph.library.function}
    handles = {inner.op.name: _Carries.HANDLE for outer, inner in function.graph.captures if outer is variable.handle}

    @cache
    def called(name: str, arguments: _Outputs) -> _Outputs:
        """The parts that the outputs of a library function carry, given those of its arguments."""
        definition = library[name]
        given = dict(zip((one.name for one in definition.signature.input_arg), arguments, strict=True))
        tensors = _Tensors(definition.node_def, given, called)
        return tuple(tensors[definition.ret[one.name]] for one in definition.signature.output_arg)

    try:
        tensors = _Tensors(graph.node, handles, called)
    except CycleError:  # a loop of TensorFlow 1
        return True
    return any(tensors[result.name] == _Carries.VALUES for result in results)


class _Tensors:
    """The part of the variable that every tensor of a graph carries.

    Args:
        nodes: Its operations.
        given: What its arguments carry, by name.
        called: Says what the outputs of a called function carry.
    """

    def __init__(
        self,
        nodes: Iterable[Any],
        given: Mapping[str, _Carries],
        called: Callable[[str, _Outputs], _Outputs],
    ) -> None:
        # Of each operation one for all outputs, or of a call one for each.
        self._outputs: dict[str, _Outputs] = {name: (carries,) for name, carries in given.items()}
        by_name = {node.name: node for node in nodes}
        inputs = {name: [one for one in node.input if one[0] != "^"] for name, node in by_name.items()}
        order = TopologicalSorter({name: [one.split(":")[0] for one in some] for name, some in inputs.items()})
        for name in order.static_order():
            if name not in self._outputs:
                self._outputs[name] = _outputs(by_name[name], tuple(self[one] for one in inputs[name]), called)

    def __getitem__(self, tensor: str) -> _Carries:
        name, *place = tensor.split(":")
        found = self._outputs[name]
        return found[int(place[-1])] if place and len(found) > 1 else found[0]


def _outputs(node: Any, inputs: _Outputs, called: Callable[[str, _Outputs], _Outputs]) -> _Outputs:
    """The parts that the outputs of an operation carry, given those of its inputs."""
    carried = max(inputs, default=_Carries.NOTHING)
    if node.op in _CALLS:
        return called(node.attr["f"].func.name, inputs) or (_Carries.NOTHING,)
    if node.op in _OF_SHAPES or carried == _Carries.NOTHING:
        return (_Carries.NOTHING,)
    # Whatever takes the handle may read what is behind it.
    return (carried,) if node.op == "Identity" else (_Carries.VALUES,)
