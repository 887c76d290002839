"""The names of classes by the labels of a file: whole numbers, other numbers, booleans, strings."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from decimal import Decimal
from typing import Any

_WHOLE = re.compile(r"-?(0|[1-9][0-9]*)(\.0*)?")  # 007 is a name, not the number 7
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]*)?")
_BOOLEANS = {"true": "True", "false": "False"}


def notation(values: Collection[Any]) -> Callable[[Any], str]:
    """The function that turns labels into names of classes, which depends on all labels."""
    written = [str(value).strip() for value in values]
    if all(text.lower() in _BOOLEANS for text in written):
        return _boolean
    if all(_WHOLE.fullmatch(text) for text in written):
        return whole
    return _decimal if all(_DECIMAL.fullmatch(text) for text in written) else as_string


def as_string(value: Any) -> str:
    """Writes a label as it is, but for white space around it."""
    return str(value).strip()


def _boolean(value: Any) -> str:
    return _BOOLEANS.get(as_string(value).lower(), as_string(value))


def whole(value: Any) -> str:
    """Writes a whole number in one way; what is none stays as it is."""
    text = as_string(value)
    return str(int(text.split(".")[0])) if _WHOLE.fullmatch(text) else text


def _decimal(value: Any) -> str:
    text = as_string(value)
    return f"{Decimal(text).normalize():f}" if _DECIMAL.fullmatch(text) else text


def as_number(value: Any) -> float | None:
    """Reads a label as a number; None if it is none."""
    if not isinstance(value, str | int | float | Decimal) or isinstance(value, bool):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None
