"""Converts SavedModels from texts to probabilities into the formats of other runtimes."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from search.backbones.hub.contract import reason
from search.errors import InputError
from search.inference.labels import Labels
from search.utils.device import muted
from search.utils.plain_paths import plain_path

_EDGES = r"^\s+|\s+$"
_OPSET = 18
# Of glibc; ONNX Runtime's own default, en_US, is on few servers.
_LOCALE = "C.UTF-8"
_WHITE_SPACE = r"\s+"


def to_tflite(saved_model: Path, labels: Labels) -> bytes:
    """Converts a SavedModel to LiteRT (TFLite), with its own operations alone.

    Those of TensorFlow ("Select TF ops") are left out: the interpreter in TensorFlow's own package does not run them.

    Args:
        saved_model: The SavedModel's folder.
        labels: Say what the model takes.

    Returns:
        The file's content; its signature takes `texts`, or `images`: see `Classifier.save`.

    Raises:
        InputError: Operations of the module stand in the way.
    """
    signature = _signature(saved_model, labels.content.signatures[1], "TFLite")
    converter = tf.lite.TFLiteConverter.from_saved_model(str(plain_path(saved_model)), signature_keys=[signature])
    try:
        # It writes the whole model to stderr where it fails.
        with muted():
            content = converter.convert()
    except Exception as error:  # of the converter's own types, which are not public
        found = re.findall(r"(?:TF Select|Custom) ops: (.+)", str(error))
        operations = {name.strip() for line in found for name in line.split(",")}
        raise _refused("TFLite", operations, reason(error)) from error
    assert isinstance(content, bytes)
    return content


def to_onnx(saved_model: Path, labels: Labels) -> bytes:
    """Converts a SavedModel to ONNX, with the operations on strings of onnxruntime-extensions.

    Args:
        saved_model: The SavedModel's folder.
        labels: Say what the model takes, and the classes to put into the file's metadata, as `labels`.

    Returns:
        The file's content; its inputs and outputs are those of the signature `serving_default`, or `images`.

    Raises:
        InputError: Operations of the module stand in the way, or the converter is not installed.
    """
    try:
        import onnx
        import tf2onnx
        from tf2onnx import constants, optimizer, tf_loader, tfonnx, utils
    except ImportError as error:
        raise InputError(f"format=onnx needs the package {error.name}: pip install 'search[onnx]'") from error
    # What it has to say is for those who write operations.
    tf2onnx.logging.set_level(logging.CRITICAL)
    signature = _signature(saved_model, labels.content.signatures[0], "ONNX")
    domains = ((constants.CONTRIB_OPS_DOMAIN, 1), (constants.AI_ONNX_ML_DOMAIN, 2))
    foreign: set[str] = set()
    try:
        frozen, inputs, outputs, tables, names = tf_loader.from_saved_model(
            str(plain_path(saved_model)),
            None,
            None,
            tag="serve",
            signatures=[signature],
            return_initialized_tables=True,
            return_tensors_to_rename=True,
        )
        handlers = _handlers(_sentencepiece_models(saved_model))
        foreign = {name for name in _operations(frozen) if name not in handlers and not hasattr(tf.raw_ops, name)}
        with tf.Graph().as_default() as graph:
            tf.import_graph_def(frozen, name="")
        with tf_loader.tf_session(graph=graph):
            converted = tfonnx.process_tf_graph(
                graph,
                input_names=inputs,
                output_names=outputs,
                opset=_OPSET,
                extra_opset=[utils.make_opsetid(*domain) for domain in domains],
                custom_op_handlers=handlers,
                initialized_tables=tables,
                tensors_to_rename=names,
            )
        model = optimizer.optimize_graph(converted).make_model("text classifier")
    except Exception as error:  # the converter raises whatever its many parts do
        raise _refused("ONNX", foreign, reason(error)) from error
    known = {name for name, _ in domains}
    if unknown := {
        node.op_type
        for node in _nodes(model.graph)
        if node.domain not in known and not onnx.defs.has(node.op_type, node.domain)
    }:
        raise _refused("ONNX", unknown)
    onnx.helper.set_model_props(model, {"labels": json.dumps(labels.classes, ensure_ascii=False)})
    content = model.SerializeToString()
    assert isinstance(content, bytes)
    return content


def _refused(target: str, operations: Iterable[str], cause: str = "") -> InputError:
    names = ", ".join(sorted(operations))
    why = f"{target} does not have its operations {names}" if names else cause
    return InputError(f"The model cannot be converted to {target}: {why}. TensorFlow Serving takes it as it is.")


def _signature(saved_model: Path, name: str, target: str) -> str:
    """The name of a signature, once it is there."""
    if name not in _graph(saved_model).signature_def:
        raise InputError(
            f"The model cannot be converted to {target}: it decodes files itself, and has no signature {name} of "
            "decoded ones, as those over a single module have. TensorFlow Serving takes it as it is."
        )
    return name


def _graph(saved_model: Path) -> Any:
    """The graph of a SavedModel, with its functions and signatures."""
    from tensorflow.core.protobuf import saved_model_pb2

    content = saved_model_pb2.SavedModel()
    content.ParseFromString((saved_model / "saved_model.pb").read_bytes())
    return content.meta_graphs[0]


def _operations(graph: Any) -> set[str]:
    """The operations of a TensorFlow graph and of the functions that it calls."""
    return {node.op for part in (graph.node, *(one.node_def for one in graph.library.function)) for node in part}


def _nodes(graph: Any) -> Iterator[Any]:
    """All nodes of an ONNX graph and of the graphs in it."""
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            if attribute.HasField("g"):
                yield from _nodes(attribute.g)


def _sentencepiece_models(saved_model: Path) -> set[bytes]:
    """The models of SentencePiece in a SavedModel, which creates them on loading and has none in its graph."""
    functions = _graph(saved_model).graph_def.library.function
    nodes = (node for function in functions for node in function.node_def)
    return {node.attr["model"].s for node in nodes if node.op == "SentencepieceOp"}


def _handlers(sentencepiece: set[bytes]) -> dict[str, Any]:
    """Conversions of operations on strings that tf2onnx lacks, or converts to something else."""
    from onnx import TensorProto
    from tf2onnx import constants, utils
    from tf2onnx.graph_builder import GraphBuilder

    domain = constants.CONTRIB_OPS_DOMAIN

    def become(node: Any, kind: str, domain: str, **attributes: Any) -> None:
        for name in list(node.attr):
            del node.attr[name]
        node.type, node.domain = kind, domain
        for name, value in attributes.items():
            node.set_attr(name, value)

    def constant(graph: Any, value: Any, kind: type) -> str:
        name: str = graph.make_const(utils.make_name("string"), np.array([value], kind)).output[0]
        return name

    def lower(graph: Any, node: Any, name: str, args: Any) -> None:
        # That of onnxruntime-extensions knows ASCII alone.
        become(node, "StringNormalizer", "", case_change_action="LOWER", is_case_sensitive=1, locale=_LOCALE)

    def strip(graph: Any, node: Any, name: str, args: Any) -> None:
        become(node, "StringRegexReplace", domain)
        graph.replace_inputs(node, [node.input[0], constant(graph, _EDGES, object), constant(graph, "", object)])

    def split(graph: Any, node: Any, name: str, args: Any) -> None:
        if node.inputs[1].get_tensor_value() not in ("", b""):
            raise ValueError(
                "StringSplitV2 can be converted for white space alone, and words beside a head (wide=tfidf) need more: "
                "space.wide=none searches without them"
            )
        space = constant(graph, " ", object)
        single = graph.make_node(
            "StringRegexReplace",
            [node.input[0], constant(graph, _WHITE_SPACE, object), space],
            domain=domain,
            shapes=[graph.get_shape(node.input[0])],
            dtypes=[TensorProto.STRING],
        )
        become(node, "StringSplit", domain)
        graph.replace_inputs(node, [single.output[0], space, constant(graph, True, bool)])

    def tokenize(graph: Any, node: Any, name: str, args: Any) -> None:
        if len(sentencepiece) != 1:
            raise ValueError(f"SentencepieceTokenizeOp: expected one model, not {len(sentencepiece)}")
        (model,) = sentencepiece
        _, texts, best, *rest = node.input[:7]
        best = graph.make_node("Cast", [best], attr={"to": TensorProto.INT64}).output[0]
        builder = GraphBuilder(graph)
        options = [builder.make_unsqueeze({"data": option, "axes": [0]}) for option in (best, *rest)]
        become(node, "SentencepieceTokenizer", domain, model=model)
        graph.replace_inputs(node, [texts, *options])

    return {
        "StringLower": (lower, []),
        "StringStrip": (strip, []),
        "StringSplitV2": (split, []),
        "SentencepieceTokenizeOp": (tokenize, []),
    }
