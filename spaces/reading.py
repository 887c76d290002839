"""Reads hyperparameters as YAML files write them, and writes them so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from difflib import get_close_matches
from typing import Any

from spaces.parameters import Choice, Fixed, Float, Int, Parameter, SpaceError


def parameter_from(value: object, name: str = "", *, real: bool = False) -> Parameter:
    """Read a parameter as a YAML file writes it.

    Args:
        value: A scalar for a fixed value, a list or {values: […]} for a choice, {min, max, step?, log?} for a range: of
            whole numbers where both ends are whole, else of real ones. A `Parameter` is returned as it is.
        name: Its name in messages.
        real: Whether whole numbers are read as real ones.

    Raises:
        SpaceError: The value describes no parameter.
    """
    try:
        return _read(value, real)
    except SpaceError as error:
        raise SpaceError(f"{name}: {error}" if name else str(error)) from None


def as_yaml(value: Any) -> Any:
    """Write a parameter, or what stands for one, as a YAML file would: the inverse of `parameter_from`."""
    if isinstance(value, Fixed):
        return value.value
    if isinstance(value, Choice):
        return list(value.values)
    if isinstance(value, Parameter):
        # What is left at its default need not be written.
        return {one.name: held for one in fields(value) if (held := getattr(value, one.name)) != one.default}  # type: ignore[arg-type]
    return value


def nearest(name: str, names: Sequence[str]) -> str:
    """The end of a message about an unknown name: the nearest known one, and all of them."""
    close = get_close_matches(name, names, n=1, cutoff=0.5)
    return f"did you mean {close[0]!r}? There are: {', '.join(names)}" if close else f"there are: {', '.join(names)}"


def _read(value: object, real: bool) -> Parameter:
    if isinstance(value, Parameter):
        return value
    if isinstance(value, Mapping):
        return _read_mapping(value, real)
    if isinstance(value, list | tuple):
        return Choice([_real(item) for item in value] if real else value)
    return Fixed(_real(value) if real else value)  # type: ignore[arg-type]  # Fixed itself checks the type


def _read_mapping(value: Mapping[Any, Any], real: bool) -> Parameter:
    keys = ("min", "max", "step", "log", "values")
    for key in value:
        if key not in keys:
            raise SpaceError(f"unknown key {key!r}, {nearest(str(key), keys)}")
    if "values" in value:
        if len(value) > 1:
            raise SpaceError(
                f"values cannot be combined with {', '.join(k for k in value if k != 'values')}; write a list"
            )
        return _read(Choice(value["values"]).values, real)
    if "min" not in value or "max" not in value:
        raise SpaceError(f"a range needs min and max, got {dict(value)!r}")
    whole = not real and type(value["min"]) is int and type(value["max"]) is int
    return Int(**value) if whole else Float(**value)


def _real(value: Any) -> Any:
    return float(value) if type(value) is int else value
