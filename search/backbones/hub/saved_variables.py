"""The variables of a SavedModel, read from its file in milliseconds, without TensorFlow and the weights."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# Numbers of fields in TensorFlow's messages: saved_model.proto, meta_graph.proto, saved_object_graph.proto,
# trackable_object_graph.proto, tensor_shape.proto.
_META_GRAPHS, _OBJECT_GRAPH, _NODES = 2, 7, 1
_CHILDREN, _NODE_ID, _LOCAL_NAME = 1, 1, 2
_VARIABLE, _SHAPE, _TRAINABLE, _DIM, _SIZE = 7, 2, 3, 2, 1


@dataclass(frozen=True)
class VariableCounts:
    """Sizes of a module.

    Attributes:
        parameters: Numbers in all of its variables.
        trainable: Numbers in the variables that fine-tuning changes.
    """

    parameters: int
    trainable: int


def variable_counts(folder: Path) -> VariableCounts | None:
    """Counts the parameters of a SavedModel.

    Args:
        folder: The SavedModel.

    Returns:
        The counts; trainable are the variables that TF Hub's API lists, or without such a list those marked so. None
        where the file does not say.
    """
    try:
        nodes = _nodes((folder / "saved_model.pb").read_bytes())
    except (OSError, ValueError, IndexError):
        return None
    if not nodes:
        return None
    listed = nodes[0].children.get("trainable_variables")
    # TensorFlow counts in a variable of its own how often an object was saved.
    counter = nodes[0].children.get("save_counter")
    variables = {number: node for number, node in enumerate(nodes) if node.size is not None and number != counter}
    if listed is not None:
        trained = {child for child in nodes[listed].children.values() if child in variables}
    elif "__call__" in nodes[0].children:
        trained = set()
    else:
        trained = {number for number, node in variables.items() if node.is_trainable}
    return VariableCounts(
        sum(node.size or 0 for node in variables.values()), sum(variables[number].size or 0 for number in trained)
    )


@dataclass(frozen=True)
class _Node:
    """An object of the saved graph; only a variable has a size."""

    children: dict[str, int]
    size: int | None
    is_trainable: bool


def _nodes(content: bytes) -> list[_Node]:
    graphs = list(_all(memoryview(content), _META_GRAPHS))[:1]
    return [_node(node) for graph in graphs for objects in _all(graph, _OBJECT_GRAPH) for node in _all(objects, _NODES)]


def _node(message: memoryview) -> _Node:
    children = {}
    for child in _all(message, _CHILDREN):
        fields = dict(_fields(child))
        # The first object has number 0, and a 0 is not written.
        number, name = fields.get(_NODE_ID, 0), fields[_LOCAL_NAME]
        assert isinstance(number, int) and isinstance(name, memoryview)
        children[bytes(name).decode()] = number
    variable = next(_all(message, _VARIABLE), None)
    if variable is None:
        return _Node(children, None, False)
    sizes = [
        int(dict(_fields(dimension)).get(_SIZE, 0))
        for shape in _all(variable, _SHAPE)
        for dimension in _all(shape, _DIM)
    ]
    return _Node(children, math.prod(sizes), bool(dict(_fields(variable)).get(_TRAINABLE, False)))


def _all(message: memoryview, number: int) -> Iterator[memoryview]:
    """The messages in a repeated field."""
    for field, value in _fields(message):
        if field == number and isinstance(value, memoryview):
            yield value


def _fields(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """The fields of a message by number: https://protobuf.dev/programming-guides/encoding/."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        number, wire_type = key >> 3, key & 7
        if wire_type == 0:
            value, at = _varint(message, at)
            yield number, value
            continue
        if wire_type == 2:
            size, at = _varint(message, at)
        elif wire_type in (1, 5):
            size = 8 if wire_type == 1 else 4
        else:
            raise ValueError(f"wire type {wire_type}")
        if at + size > len(message):
            raise ValueError("cut off")
        yield number, message[at : at + size]
        at += size


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at
