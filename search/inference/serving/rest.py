"""Requests and responses of TensorFlow Serving's REST API, as it reads and writes them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search.datasets.beside import CATEGORY, TEXTS, Column, fields_of
from search.inference.labels import Predictions
from search.inference.serving.elements import SHOWN, Refused, element, is_named, number, shown, text, word
from search.utils.plain_paths import plain_path

DEFAULT_SIGNATURE = "serving_default"
VERSION = "1"
"""The one version of a run's model."""
_LONGEST = 180  # characters of a message that names inputs


@dataclass(frozen=True)
class Request:
    """A request to predict.

    Attributes:
        texts: The texts [n], or encoded files.
        beside: The columns beside them, structured [n]; None: the model takes none.
        by_row: Whether the response has an object for each text, or a list for each output.
    """

    texts: list[Any]
    beside: NDArray[Any] | None
    by_row: bool


def read_request(
    body: bytes | bytearray,
    signatures: Mapping[str, Any],
    columns: Sequence[Column],
    most: int,
    read: Callable[[Any], Any] = text,
) -> Request:
    """Reads the body of a request to predict.

    Args:
        body: JSON: `instances` or `inputs`, and perhaps `signature_name`.
        signatures: The signatures of the model, by their names.
        columns: The columns that it takes beside the texts, each an input of its own.
        most: The number of texts that are allowed.
        read: Reads a text: see `elements.reader`.

    Raises:
        Refused: It is no such request.
    """
    try:
        content = json.loads(body)
    except RecursionError as error:
        raise Refused(400, "JSON Parse error: nested too deeply") from error
    except ValueError as error:  # of JSON, of UTF-8, or of a number with too many digits
        raise Refused(400, f"JSON Parse error: {error}") from error
    if not isinstance(content, dict):
        raise Refused(400, f"JSON Value: {shown(content)} Is not object")
    _check_signature(content.get("signature_name", ""), signatures)
    keys = [key for key in ("instances", "inputs") if key in content]
    if len(keys) != 1:
        raise Refused(
            400, "Expecting only one of 'inputs' or 'instances'" if keys else "Missing 'inputs' or 'instances' key"
        )
    by_row, names = keys == ["instances"], (TEXTS, *(one.input for one in columns))
    inputs = {"instances": content["instances"]} if by_row else _inputs(content["inputs"], names)
    _check_sizes(inputs, keys[0], most)
    values = _of_rows(content["instances"], names) if by_row else inputs
    texts = [element(read, value, position) for position, value in enumerate(values[TEXTS])]
    return Request(texts, _beside(values, columns, len(texts)), by_row)


def write_response(predictions: Predictions, classes: Sequence[str], by_row: bool) -> bytes:
    """Writes the response to a request to predict: the class of each text, or 0 and 1 for each of several labels.

    Args:
        predictions: The predictions for its texts.
        classes: The names of the classes.
        by_row: See `Request`.
    """
    quoted = {name: json.dumps(name, ensure_ascii=False) for name in classes}
    # The shortest digits that give the same float32, as TensorFlow Serving writes them.
    rows = [f"[{', '.join(map(str, row))}]" for row in predictions.probabilities.astype(np.float32)]
    if predictions.several is None:
        names = [quoted[name] for name in predictions.predicted]
    else:
        names = [str(row) for row in predictions.several.tolist()]
    if by_row:
        pairs = zip(rows, names, strict=True)
        objects = ", ".join(f'{{"probabilities": {row}, "predicted": {name}}}' for row, name in pairs)
        return f'{{"predictions": [{objects}]}}'.encode()
    return f'{{"outputs": {{"probabilities": [{", ".join(rows)}], "predicted": [{", ".join(names)}]}}}}'.encode()


def read_signatures(saved_model: Path) -> dict[str, Any]:
    """Reads the signatures of a SavedModel, as TensorFlow Serving's metadata shows them.

    Args:
        saved_model: Its folder.
    """
    from google.protobuf.json_format import MessageToDict
    from tensorflow.python.saved_model.loader_impl import parse_saved_model

    found = parse_saved_model(str(plain_path(saved_model))).meta_graphs[0].signature_def
    return {
        name: MessageToDict(one, preserving_proto_field_name=True, always_print_fields_with_no_presence=True)
        for name, one in sorted(found.items())
    }


def metadata(name: str, signatures: Mapping[str, Any]) -> dict[str, Any]:
    """The response to GET /v1/models/NAME/metadata."""
    return {
        "model_spec": {"name": name, "signature_name": "", "version": VERSION},
        "metadata": {"signature_def": {"signature_def": dict(signatures)}},
    }


def model_status() -> dict[str, Any]:
    """The response to GET /v1/models/NAME."""
    fine = {"error_code": "OK", "error_message": ""}
    return {"model_version_status": [{"version": VERSION, "state": "AVAILABLE", "status": fine}]}


def _check_signature(name: Any, signatures: Mapping[str, Any]) -> None:
    """Refuses a signature other than the default one, or one with the same inputs and outputs under another name."""
    if not isinstance(name, str):
        raise Refused(400, f"JSON Value: {shown(name)} not formatted correctly. 'signature_name' must be a string")
    name = name or DEFAULT_SIGNATURE
    default = signatures.get(DEFAULT_SIGNATURE, {})
    same = [one for one, found in signatures.items() if _interface(found) == _interface(default)]
    if name not in {DEFAULT_SIGNATURE, *same}:
        raise Refused(400, f'Serving signature name: "{name[:SHOWN]}" not found in signature def')


def _interface(signature: Mapping[str, Any]) -> tuple[set[str], set[str]]:
    return set(signature.get("inputs", ())), set(signature.get("outputs", ()))


def _inputs(given: Any, names: Sequence[str]) -> dict[str, Any]:
    """The values of each input; the only one need not be named."""
    if not is_named(given):
        if len(names) > 1:
            raise Refused(400, f"'inputs' is a plain value/list, but expecting an object with {', '.join(names)}")
        return {names[0]: given}
    for name in names:
        if name not in given:
            raise Refused(400, f"Missing named input: {name} in 'inputs' object.")
    return {name: given[name] for name in names}


def _check_sizes(lists: Mapping[str, Any], key: str, most: int) -> None:
    """Refuses lists that are none, hold nothing or too much, or differ in their lengths."""
    for given in lists.values():
        if not isinstance(given, list):
            raise Refused(400, f"Expecting '{key}' to be a list, not {shown(given)}")
        if not given:
            raise Refused(400, f"No values in '{key}' array")
        if len(given) > most:
            raise Refused(413, f"{len(given):,} texts in one request: expected {most:,} at most")
    if len({len(given) for given in lists.values()}) > 1:
        sizes = ", ".join(f"{name}: {len(given):,}" for name, given in lists.items())
        raise Refused(400, f"The inputs are lists of different lengths: {sizes}"[:_LONGEST])


def _of_rows(rows: list[Any], names: Sequence[str]) -> dict[str, list[Any]]:
    """The values of each input from an object for each row, or, of the only one, from its value."""
    named = is_named(rows[0])
    if not named and len(names) > 1:
        told = "'instances' is a plain list, but expecting list of objects as multiple input tensors required"
        raise Refused(400, told)
    for position, row in enumerate(rows):
        element(partial(_check_row, named=named, names=set(names)), row, position)
    return {name: [row[name] for row in rows] if named else rows for name in names}


def _check_row(row: Any, named: bool, names: set[str]) -> None:
    if is_named(row) != named:
        raise ValueError("objects and values are mixed")
    if named and set(row) != names:
        raise ValueError(f"keys must be equal to: {', '.join(sorted(names))}"[:_LONGEST])


def _beside(values: Mapping[str, list[Any]], columns: Sequence[Column], rows: int) -> NDArray[Any] | None:
    if not columns:
        return None
    made = np.empty(rows, fields_of(columns))
    for column in columns:
        read: Callable[[Any], Any] = word if column.kind == CATEGORY else number
        given, name = values[column.input], column.input
        made[name] = [element(read, value, position, name) for position, value in enumerate(given)]
    return made
