"""The values that a setting can have: declared with its field in the schema, and checked for all of them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field, fields, is_dataclass
from typing import Any, get_type_hints

from omegaconf import MISSING

from search.errors import InputError, nearest

LABELS = {"labels": True}
"""Metadata of a setting that holds names of classes, which may be any numbers."""
NAMES = {**LABELS, "plain": True}
"""Metadata of a setting that holds a name, taken as it is typed, or a list of names in brackets."""


def number(default: Any, *, least: float | None = None, above: float | None = None, most: float | None = None) -> Any:
    """Declares a number with limits. No number of the settings can be NaN or infinite.

    Args:
        default: Its default.
        least: The smallest it can be.
        above: The bound that it must exceed.
        most: The largest it can be.
    """
    return field(default=default, metadata={"least": least, "above": above, "most": most})


def choice(default: Any, names: Sequence[str]) -> Any:
    """Declares a setting that is one of several names."""
    return field(default=default, metadata={"names": names})


def check(settings: Mapping[Any, Any], schema: type, prefix: str = "") -> None:
    """Checks settings against the domains of their fields.

    Args:
        settings: Names and values, groups being mappings.
        schema: Their dataclass.
        prefix: Of their keys, for messages.

    Raises:
        InputError: A setting is unknown, or its value impossible.
    """
    known = {one.name: one for one in fields(schema)}
    hints = get_type_hints(schema)
    for name, value in settings.items():
        key = f"{prefix}{name}"
        if name not in known:
            raise InputError(f"There is no setting '{key}'. {nearest(key, [f'{prefix}{one}' for one in known])}")
        if is_dataclass(hints[name]) and isinstance(value, Mapping):
            check(value, hints[name], f"{key}.")
        elif value not in (None, MISSING):
            _check_value(key, value, known[name].metadata)


def without_unknown(settings: Mapping[Any, Any], schema: type) -> dict[str, Any]:
    """The settings that the schema knows.

    Runs of earlier versions may hold other settings.
    """
    hints = get_type_hints(schema)
    return {
        name: without_unknown(value, hints[name]) if is_dataclass(hints[name]) and isinstance(value, Mapping) else value
        for name, value in settings.items()
        if name in hints
    }


def _check_value(key: str, value: Any, domain: Mapping[str, Any]) -> None:
    if not domain.get("labels"):
        for where, found in _numbers(value, key):
            if not math.isfinite(found):
                raise InputError(f"{where}={found} is impossible: expected a number that is finite.")
    if "names" in domain and value not in domain["names"]:
        raise InputError(f"{key}={value} is unknown. {nearest(str(value), domain['names'])}")
    least, above, most = (domain.get(limit) for limit in ("least", "above", "most"))
    if least is not None and most is not None and not least <= value <= most:
        raise InputError(f"{key}={value} is impossible: it must be from {least:g} to {most:g}.")
    if least is not None and value < least:
        raise InputError(f"{key}={value} is impossible: it must be at least {least:g}.")
    if above is not None and value <= above:
        raise InputError(f"{key}={value} is impossible: it must be above {above:g}.")


def _numbers(value: Any, key: str) -> Iterator[tuple[str, float]]:
    """Key and value of each number in a value."""
    if isinstance(value, float):
        yield key, value
    elif isinstance(value, Mapping):
        for name, one in value.items():
            yield from _numbers(one, f"{key}.{name}")
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _numbers(one, key)
