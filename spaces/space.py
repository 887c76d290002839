"""A search space: parameters in order, some of which exist only where another has a certain value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from math import prod
from typing import Any

from spaces.parameters import HyperParameters, Parameter, Scalar, SpaceError


@dataclass(frozen=True)
class When:
    """A condition: the parameter of this name exists in the trial and has one of these values."""

    parameter: str
    values: tuple[Scalar, ...]


class Space(Mapping[str, Parameter]):
    """Named parameters, in the order in which they are declared.

    Args:
        parameters: Name to parameter.
        conditions: Name to the condition on which that parameter exists; the others always do.

    Raises:
        SpaceError: A condition names a parameter that does not come before, or values that it never has.
    """

    def __init__(self, parameters: Mapping[str, Parameter], conditions: Mapping[str, When] | None = None) -> None:
        self._parameters = dict(parameters)
        self.conditions = dict(conditions or {})
        for name, when in self.conditions.items():
            self._check(name, when)

    def __getitem__(self, name: str) -> Parameter:
        return self._parameters[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._parameters)

    def __len__(self) -> int:
        return len(self._parameters)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._parameters!r}, {self.conditions!r})"

    def declare(self, hp: HyperParameters) -> dict[str, Any]:
        """Declare every parameter on KerasTuner's hyperparameters.

        Args:
            hp: A `keras_tuner.HyperParameters`, or anything with its methods.

        Returns:
            Name to value in this trial; a parameter whose condition is not met is absent.
        """
        values: dict[str, Any] = {}
        for name, parameter in self.items():
            with ExitStack() as scopes:
                # KerasTuner finds a parent only inside the scopes that it was itself declared in.
                for when in self._conditions_of(name):
                    scopes.enter_context(hp.conditional_scope(when.parameter, list(when.values)))
                value = parameter.declare(hp, name)
            if value is not None:
                values[name] = value
        return values

    def size(self) -> int | None:
        """The number of different combinations; None if infinite."""
        sizes = [self._size(name) for name in self if name not in self.conditions]
        return None if None in sizes else prod(size for size in sizes if size is not None)

    def _conditions_of(self, name: str) -> list[When]:
        """The conditions on which a parameter exists, from the first ancestor down to its own."""
        when = self.conditions.get(name)
        return [*self._conditions_of(when.parameter), when] if when else []

    def _size(self, name: str) -> int | None:
        """The number of combinations of a parameter and of all that depend on it."""
        options = self[name].options
        if options is None:
            return None
        children = {child: when.values for child, when in self.conditions.items() if when.parameter == name}
        if not children:
            return len(options)
        below = {child: self._size(child) for child in children}
        total = 0
        for option in options:
            sizes = [below[child] for child, values in children.items() if option in values]
            if None in sizes:
                return None
            total += prod(size for size in sizes if size is not None)
        return total

    def _check(self, name: str, when: When) -> None:
        names = list(self)
        if name not in names:
            raise SpaceError(f"a condition is given for {name!r}, which is no parameter of the space")
        if when.parameter not in names[: names.index(name)]:
            raise SpaceError(f"{name}: depends on {when.parameter!r}, which must come before it in the space")
        options = self[when.parameter].options
        if options is None:
            raise SpaceError(f"{name}: depends on {when.parameter!r}, whose values are a continuum")
        if not any(value in options for value in when.values):
            raise SpaceError(f"{name}: exists where {when.parameter} is in {list(when.values)!r}, which it never is")
