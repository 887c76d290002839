"""The values of a request, each as an input of the model takes it, and the error where it is none."""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from search.config.dataset import DatasetConfig
from search.datasets.content import CONTENTS
from search.errors import InputError

SHOWN = 60
"""Characters of a value in a message."""
_T = TypeVar("_T")
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


def is_named(value: Any) -> bool:
    """Whether a value is an object with a key for each input, and no bytes."""
    return isinstance(value, dict) and not _is_base64(value)


def _is_base64(value: dict[str, Any]) -> bool:
    return len(value) == 1 and isinstance(value.get("b64"), str)


def element(read: Callable[[Any], _T], value: Any, position: int, key: str = "") -> _T:
    """Reads a value of a list.

    Args:
        read: Reads it; raises ValueError where it cannot be read.
        value: The value.
        position: Its place in the list.
        key: The input that it is for, where there are several.

    Raises:
        Refused: It cannot be read.
    """
    try:
        return read(value)
    except ValueError as error:
        raise Refused(400, f"Failed to process element: {position}{key and f' key: {key}'}. Error: {error}") from error


def text(value: Any) -> str:
    """Reads a string, which may come as bytes in base 64."""
    if isinstance(value, dict) and _is_base64(value):
        try:
            return base64.b64decode(value["b64"], validate=True).decode()
        except (binascii.Error, ValueError) as error:
            raise ValueError("Unable to base64 decode to UTF-8") from error
    if not isinstance(value, str):
        raise ValueError(f"JSON Value: {shown(value)} is not of expected type: string")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise ValueError("The surrogate pair in string is invalid") from error
    return value


def reader(settings: DatasetConfig) -> Callable[[Any], Any]:
    """A function that reads the value of a row, of a model with these settings of its data.

    Returns:
        `text`; or, where rows are encoded files, a function of bytes in base 64, which raises ValueError where they are
        no such file.
    """
    given = CONTENTS[settings.content].given
    return text if given is None else partial(_file, given, settings)


def _file(
    given: Callable[[Any, DatasetConfig], tuple[list[str], list[bytes | None]]], settings: DatasetConfig, value: Any
) -> bytes:
    if not isinstance(value, dict) or not _is_base64(value):
        raise ValueError(f"JSON Value: {shown(value)} is not of expected type: bytes, {{'b64': …}}")
    try:
        found = given([base64.b64decode(value["b64"], validate=True)], settings)[1][0]
    except (binascii.Error, InputError) as error:
        raise ValueError(f"Unable to decode: {error}") from error
    assert found is not None
    return found


def word(value: Any) -> str:
    """A category, without the white space around that training does not see either."""
    return text(value).strip()


def number(value: Any) -> float:
    """Reads a number, NaN where it is missing."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"JSON Value: {shown(value)} is not of expected type: double")
    try:
        found = float(value)
    except OverflowError as error:
        raise ValueError("The number is too large for a double") from error
    return found if math.isfinite(found) else math.nan  # as of a table


def shown(value: Any) -> str:
    """A value for a message: that of a list or object may be large, or nested deeply."""
    if isinstance(value, list | dict):
        return f"({_JSON_TYPES[type(value)]} of {len(value):,})"
    written = json.dumps(value)
    return written if len(written) <= SHOWN else f"{written[:SHOWN]}…"
