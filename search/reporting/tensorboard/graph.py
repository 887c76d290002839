"""The graph of the model: its layers, and the operations of TensorFlow in them."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import SummaryMetadata

from search.reporting.tensorboard.events import EventFile, summary_of

_LARGEST_ATTRIBUTE = 1024
_LARGEST_GRAPH = 4 << 20


def write_graph(folder: Path, model: keras.Model) -> None:
    """Writes the graph of a model, for the page Graphs: its operations, layer by layer, or if they are many its layers.

    Args:
        folder: The run.
        model: Maps strings [batch] to probabilities.
    """
    with EventFile(folder, "graph") as run:
        operations = _operations(model)
        if len(operations) <= _LARGEST_GRAPH:
            run.add_event(Event(graph_def=operations))
        else:
            run.add(0, [_layers(model)])


def _layers(model: keras.Model) -> Any:
    """The layers alone; TensorBoard calls it the conceptual graph."""
    config = json.loads(model.to_json())
    for layer in config["config"]["layers"]:
        # Its place and its name are what is shown; the rest may hold a vocabulary, or paths of this machine.
        layer["config"] = {"name": layer["config"]["name"]}
        layer.pop("build_config", None)
    plugin = SummaryMetadata.PluginData(plugin_name="graph_keras_model", content=b"1")
    return summary_of("keras", json.dumps(config), SummaryMetadata(plugin_data=plugin))


def _operations(model: keras.Model) -> bytes:
    """The operations, without the values of constants: a vocabulary is one."""

    @tf.function(input_signature=[tf.TensorSpec(one.shape, one.dtype, name=one.name) for one in model.inputs])
    def probabilities(*rows: tf.Tensor) -> tf.Tensor:
        return model(list(rows) if len(rows) > 1 else rows[0], training=False)

    traced = probabilities.get_concrete_function().graph
    graph = tf.compat.v1.graph_util.extract_sub_graph(traced.as_graph_def(), [_source(traced.outputs[0]).name])
    _name_by_layers(graph.node, model)
    for nodes in (graph.node, *(function.node_def for function in graph.library.function)):
        for node in nodes:
            for name in [name for name, value in node.attr.items() if value.ByteSize() > _LARGEST_ATTRIBUTE]:
                del node.attr[name]
    content: bytes = graph.SerializeToString()
    return content


def _source(output: tf.Tensor) -> tf.Operation:
    """The operation that computes an output of a function, behind the copies that hand it on."""
    operation = output.op
    while operation.type == "Identity":
        operation = operation.inputs[0].op
    return operation


def _name_by_layers(nodes: Sequence[Any], model: keras.Model) -> None:
    """Names operations by their layer alone: TensorFlow puts the model's name before it and numbers behind both.

    Else the page would open on a single box.
    """
    layers = {layer.name for layer in model.layers}

    def plain(name: str) -> str:
        *scopes, last = name.split("/")
        if scopes and _unnumbered(scopes[0], {model.name}) == model.name:
            del scopes[0]
        if scopes:
            scopes[0] = _unnumbered(scopes[0], layers)
        return "/".join([*scopes, last])

    if len({plain(node.name) for node in nodes}) < len(nodes):
        return
    for node in nodes:
        node.name = plain(node.name)
        node.input[:] = [f"^{plain(one[1:])}" if one.startswith("^") else plain(one) for one in node.input]


def _unnumbered(scope: str, names: Collection[str]) -> str:
    stem, _, number = scope.rpartition("_")
    return stem if number.isdecimal() and stem in names else scope
