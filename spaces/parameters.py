"""One hyperparameter: the values it may take, and how they are declared to KerasTuner."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

Scalar = bool | int | float | str

_MOST_STEPS = 10_000


class SpaceError(ValueError):
    """An impossible search space: one line with the parameter, what was expected and what came."""


class HyperParameters(Protocol):
    """The part of `keras_tuner.HyperParameters` that a space is declared on."""

    def Fixed(self, name: str, value: Any) -> Any: ...  # noqa: D102

    def Choice(self, name: str, values: list[Any]) -> Any: ...  # noqa: D102

    def Boolean(self, name: str, default: bool = False) -> Any: ...  # noqa: D102

    def Int(self, name: str, min_value: int, max_value: int, step: int | None = None, sampling: str = "linear") -> Any:  # noqa: D102
        ...

    def Float(self, name: str, min_value: float, max_value: float, *, sampling: str = "linear") -> Any: ...  # noqa: D102

    def conditional_scope(self, parent_name: str, parent_values: list[Any]) -> AbstractContextManager[Any]: ...  # noqa: D102


class Parameter(ABC):
    """The possible values of one hyperparameter."""

    @property
    @abstractmethod
    def options(self) -> Sequence[Scalar] | None:
        """Every value it may take, in order; None where they are a continuum."""

    @property
    @abstractmethod
    def limits(self) -> tuple[Scalar, ...]:
        """The values to check against a domain: the ends of a range, or each choice."""

    @abstractmethod
    def _declare(self, hp: HyperParameters, name: str) -> Any: ...

    def declare(self, hp: HyperParameters, name: str) -> Any:
        """Declare it on KerasTuner's hyperparameters under a name.

        Returns:
            Its value in this trial; None where the scope it is declared in is not active.
        """
        if self.options is not None and len(self.options) == 1:  # nothing to search, but it stands in every record
            return hp.Fixed(name, self.options[0])
        return self._declare(hp, name)


@dataclass(frozen=True)
class Fixed(Parameter):
    """A single value, recorded with every trial."""

    value: Scalar

    def __post_init__(self) -> None:
        _check_scalar(self.value)

    @property
    def options(self) -> tuple[Scalar, ...]:  # noqa: D102
        return (self.value,)

    @property
    def limits(self) -> tuple[Scalar, ...]:  # noqa: D102
        return (self.value,)

    def _declare(self, hp: HyperParameters, name: str) -> Any:
        return hp.Fixed(name, self.value)


@dataclass(frozen=True)
class Choice(Parameter):
    """One of several values of one type; a mix of whole and real numbers is real."""

    values: Sequence[Scalar]

    def __post_init__(self) -> None:
        if isinstance(self.values, str) or not isinstance(self.values, Sequence):
            raise SpaceError(f"a choice is a list of values, got {self.values!r}")
        if not self.values:
            raise SpaceError("a choice needs at least one value, got an empty list")
        for value in self.values:
            _check_scalar(value)
        values = tuple(self.values)
        if {type(value) for value in values} == {int, float}:
            values = tuple(float(value) for value in values)
        if len({type(value) for value in values}) > 1:
            raise SpaceError(f"the values of a choice must be of one type, got {list(values)!r}")
        repeated = [value for position, value in enumerate(values) if value in values[:position]]
        if repeated:
            raise SpaceError(f"each value of a choice may appear only once, got {repeated[0]!r} more than once")
        object.__setattr__(self, "values", values)

    @property
    def options(self) -> Sequence[Scalar]:  # noqa: D102
        return self.values

    @property
    def limits(self) -> tuple[Scalar, ...]:  # noqa: D102
        return tuple(self.values)

    def _declare(self, hp: HyperParameters, name: str) -> Any:
        if isinstance(self.values[0], bool):  # hp.Choice would turn booleans into 0 and 1
            return hp.Boolean(name, default=self.values[0])
        return hp.Choice(name, list(self.values))


@dataclass(frozen=True)
class Int(Parameter):
    """A whole number from `min` to `max`, both inclusive.

    `step` is the difference between values; with `log` it is their ratio, and 1 means every whole number, drawn evenly
    over the orders of magnitude.
    """

    min: int
    max: int
    step: int = 1
    log: bool = False

    def __post_init__(self) -> None:
        for end in ("min", "max", "step"):
            if type(getattr(self, end)) is not int:
                raise SpaceError(f"{end} must be a whole number, got {getattr(self, end)!r}")
        _check_range(self.min, self.max, self.log)
        if self.step < 1:
            raise SpaceError(f"step must be at least 1, got {self.step}")

    @property
    def options(self) -> Sequence[int]:  # noqa: D102
        if self.log and self.step > 1:
            return [round(value) for value in _steps(self.min, self.max, lambda i: self.min * self.step**i)]
        return range(self.min, self.max + 1, self.step)

    @property
    def limits(self) -> tuple[Scalar, ...]:  # noqa: D102
        return (self.min, self.max)

    def _declare(self, hp: HyperParameters, name: str) -> Any:
        if self.log:
            return hp.Int(name, self.min, self.max, step=self.step if self.step > 1 else None, sampling="log")
        return hp.Int(name, self.min, self.max, step=self.step)


@dataclass(frozen=True)
class Float(Parameter):
    """A real number from `min` to `max`; `step` is the difference between values, with `log` their ratio."""

    min: float
    max: float
    step: float | None = None
    log: bool = False

    def __post_init__(self) -> None:
        for end in ("min", "max", "step"):
            value = getattr(self, end)
            if end == "step" and value is None:
                continue
            if type(value) not in (int, float) or not math.isfinite(value):
                raise SpaceError(f"{end} must be a number, got {value!r}")
            object.__setattr__(self, end, float(value))
        _check_range(self.min, self.max, self.log)
        if self.step is not None and self.step <= (1 if self.log else 0):
            raise SpaceError(f"step must be above {'1, since it multiplies' if self.log else '0'}, got {self.step:g}")
        if self.step is not None and self._intervals(self.step) > _MOST_STEPS:
            raise SpaceError(f"step {self.step:g} gives more than {_MOST_STEPS} values; leave it out for a continuum")

    @property
    def options(self) -> Sequence[float] | None:  # noqa: D102
        if self.min == self.max:
            return (self.min,)
        if self.step is None:
            return None
        step = self.step
        if self.log:
            return _steps(self.min, self.max, lambda i: self.min * step**i)
        return _steps(self.min, self.max, lambda i: self.min + step * i)

    @property
    def limits(self) -> tuple[Scalar, ...]:  # noqa: D102
        return (self.min, self.max)

    def _intervals(self, step: float) -> float:
        return math.log(self.max / self.min) / math.log(step) if self.log else (self.max - self.min) / step

    def _declare(self, hp: HyperParameters, name: str) -> Any:
        if self.options is not None:
            # hp.Float loses the last value of a stepped range to rounding: 0.5 // 0.1 is 4.
            return hp.Choice(name, list(self.options))
        return hp.Float(name, self.min, self.max, sampling="log" if self.log else "linear")


def _check_scalar(value: object) -> None:
    if type(value) not in (bool, int, float, str):
        raise SpaceError(f"a value must be a number, a string or true or false, got {value!r}")
    if isinstance(value, float) and not math.isfinite(value):
        raise SpaceError(f"a number must be finite, got {value}")


def _check_range(low: float, high: float, log: object) -> None:
    if not isinstance(log, bool):
        raise SpaceError(f"log must be true or false, got {log!r}")
    if low > high:
        raise SpaceError(f"min must not be above max, got min {low:g} and max {high:g}")
    if log and low <= 0:
        raise SpaceError(f"min must be above 0 on a log scale, got {low:g}")


def _steps(low: float, high: float, at: Callable[[int], float]) -> list[float]:
    """The values at(0) = low, at(1), … up to high, without accumulated rounding."""
    values: list[float] = []
    while (value := float(f"{at(len(values)):.12g}")) <= high + 1e-9 * abs(high):
        values.append(value)
    return values
