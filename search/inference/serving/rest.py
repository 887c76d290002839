"""Requests and responses of TensorFlow Serving's REST API, as it reads and writes them."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from search.inference.predictor import Predictions
from search.utils.plain_paths import plain_path

DEFAULT_SIGNATURE = "serving_default"
VERSION = "1"
"""The one version of a run's model."""
TEXTS = "texts"
_SHOWN = 60  # characters of a value in a message
_JSON_TYPES = {type(None): "Null", bool: "Boolean", int: "Number", float: "Number", list: "Array", dict: "Object"}


class Refused(Exception):
    """A request that is answered with an error.

    Attributes:
        status: The HTTP status.
        message: The error, for the client.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


@dataclass(frozen=True)
class Request:
    """A request to predict.

    Attributes:
        texts: The texts.
        by_row: Whether the response has an object for each text, or a list for each output.
    """

    texts: list[str]
    by_row: bool


def read_request(body: bytes | bytearray, signatures: Mapping[str, Any], most: int) -> Request:
    """Reads the body of a request to predict.

    Args:
        body: JSON: `instances` or `inputs`, and perhaps `signature_name`.
        signatures: The signatures of the model, by their names.
        most: The number of texts that are allowed.

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
        raise Refused(400, f"JSON Value: {_shown(content)} Is not object")
    _check_signature(content.get("signature_name", ""), signatures)
    keys = [key for key in ("instances", "inputs") if key in content]
    if len(keys) != 1:
        raise Refused(
            400, "Expecting only one of 'inputs' or 'instances'" if keys else "Missing 'inputs' or 'instances' key"
        )
    by_row = keys == ["instances"]
    given = content["instances"] if by_row else _column(content["inputs"])
    if not isinstance(given, list):
        raise Refused(400, f"Expecting '{keys[0]}' to be a list, not {_shown(given)}")
    if not given:
        raise Refused(400, f"No values in '{keys[0]}' array")
    if len(given) > most:
        raise Refused(413, f"{len(given):,} texts in one request: expected {most:,} at most")
    named = by_row and _is_named(given[0])
    return Request([_element(value, position, named) for position, value in enumerate(given)], by_row)


def write_response(predictions: Predictions, classes: Sequence[str], by_row: bool) -> bytes:
    """Writes the response to a request to predict.

    Args:
        predictions: The predictions for its texts.
        classes: The names of the classes.
        by_row: See `Request`.
    """
    quoted = {name: json.dumps(name, ensure_ascii=False) for name in classes}
    # The shortest digits that give the same float32, as TensorFlow Serving writes them.
    rows = [f"[{', '.join(map(str, row))}]" for row in predictions.probabilities.astype(np.float32)]
    names = [quoted[name] for name in predictions.predicted]
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
        raise Refused(400, f"JSON Value: {_shown(name)} not formatted correctly. 'signature_name' must be a string")
    name = name or DEFAULT_SIGNATURE
    default = signatures.get(DEFAULT_SIGNATURE, {})
    same = [one for one, found in signatures.items() if _interface(found) == _interface(default)]
    if name not in {DEFAULT_SIGNATURE, *same}:
        raise Refused(400, f'Serving signature name: "{name[:_SHOWN]}" not found in signature def')


def _interface(signature: Mapping[str, Any]) -> tuple[set[str], set[str]]:
    return set(signature.get("inputs", ())), set(signature.get("outputs", ()))


def _column(inputs: Any) -> Any:
    """The values of the only input, which may be named."""
    if not _is_named(inputs):
        return inputs
    if TEXTS not in inputs:
        raise Refused(400, f"Missing named input: {TEXTS} in 'inputs' object.")
    return inputs[TEXTS]


def _is_named(value: Any) -> bool:
    return isinstance(value, dict) and not _is_base64(value)


def _is_base64(value: dict[str, Any]) -> bool:
    return len(value) == 1 and isinstance(value.get("b64"), str)


def _element(value: Any, position: int, named: bool) -> str:
    try:
        if _is_named(value) != named:
            raise ValueError("objects and values are mixed")
        if named and set(value) != {TEXTS}:
            raise ValueError(f"keys must be equal to: {TEXTS}")
        return _text(value[TEXTS] if named else value)
    except ValueError as error:
        raise Refused(400, f"Failed to process element: {position}. Error: {error}") from error


def _text(value: Any) -> str:
    if isinstance(value, dict) and _is_base64(value):
        try:
            return base64.b64decode(value["b64"], validate=True).decode()
        except (binascii.Error, ValueError) as error:
            raise ValueError("Unable to base64 decode to UTF-8") from error
    if not isinstance(value, str):
        raise ValueError(f"JSON Value: {_shown(value)} is not of expected type: string")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise ValueError("The surrogate pair in string is invalid") from error
    return value


def _shown(value: Any) -> str:
    """A value for a message: that of a list or object may be large, or nested deeply."""
    if isinstance(value, list | dict):
        return f"({_JSON_TYPES[type(value)]} of {len(value):,})"
    text = json.dumps(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
