"""The values that a setting of the space may have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

AUTO = "auto"


@dataclass(frozen=True)
class Domain:
    """A set of possible values.

    Attributes:
        expected: The values in words, for messages.
        holds: Whether a value is one of them.
        real: Whether they are real numbers, so that whole numbers are converted.
    """

    expected: str
    holds: Callable[[Any], bool]
    real: bool = False


def whole(lowest: int) -> Domain:
    """Whole numbers from the lowest one."""
    return Domain(f"whole numbers from {lowest}", lambda value: type(value) is int and value >= lowest)


def whole_or_auto(lowest: int) -> Domain:
    """Whole numbers from the lowest one, or the word that leaves the choice to the search."""
    numbers = whole(lowest)
    return Domain(f"{numbers.expected}, or {AUTO}", lambda value: value == AUTO or numbers.holds(value))


def real(expected: str, holds: Callable[[float], bool]) -> Domain:
    """Real numbers that fulfil a condition."""
    return Domain(expected, lambda value: type(value) in (int, float) and holds(value), real=True)


def one_of(names: tuple[str, ...]) -> Domain:
    """One of several words."""
    return Domain(f"one of {', '.join(names)}", lambda value: value in names)


def named(expected: str) -> Domain:
    """Names or folders, which are checked only where they are looked up."""
    return Domain(expected, lambda value: isinstance(value, str) and bool(value.strip()))


TRUTH = Domain("true or false", lambda value: isinstance(value, bool))
NOT_NEGATIVE = real("numbers from 0", lambda value: value >= 0)
POSITIVE = real("numbers above 0", lambda value: value > 0)
SHARE = real("numbers from 0 to below 1", lambda value: 0 <= value < 1)
