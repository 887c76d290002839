"""A search space: parameters in order, some of which exist only where another has a certain value."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from spaces.parameters import HyperParameters, Parameter, Scalar, SpaceError


@dataclass(frozen=True)
class When:
    """A condition: the parameter of this name exists in the trial and has one of these values.

    Attributes:
        also: Another condition, which must hold too.
    """

    parameter: str
    values: tuple[Scalar, ...]
    also: When | None = None


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
                for when in self._conditions_of(name):
                    scopes.enter_context(_scope(hp, when))
                value = parameter.declare(hp, name)
            if value is not None:
                values[name] = value
        return values

    def size(self) -> int | None:
        """The number of different combinations; None if infinite."""
        if any(parameter.options is None for parameter in self.values()):
            return None
        parents = {when.parameter for name in self.conditions for when in self._conditions_of(name)}
        return self._size(list(self), parents, {})

    def _conditions_of(self, name: str) -> list[When]:
        """The conditions on which a parameter exists, from the first ancestor down to its own."""
        when = self.conditions.get(name)
        if when is None:
            return []
        both = [when] if when.also is None else [when, when.also]
        return [*self._conditions_of(when.parameter), *both]

    def _size(self, names: Sequence[str], parents: Collection[str], values: Mapping[str, Scalar]) -> int:
        """Combinations of the parameters of these names, where the parents among those before have these values."""
        size = 1
        for place, name in enumerate(names):
            if any(values.get(when.parameter) not in when.values for when in self._conditions_of(name)):
                continue
            options = self[name].options or ()
            if name in parents:
                return size * sum(
                    self._size(names[place + 1 :], parents, {**values, name: option}) for option in options
                )
            size *= len(options)
        return size

    def _check(self, name: str, when: When) -> None:
        if when.also is not None:
            self._check(name, when.also)
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


@contextmanager
def _scope(hp: Any, when: When) -> Iterator[None]:
    """A scope in which a condition holds: KerasTuner's own, unless its parent stands beside the scopes around it.

    KerasTuner finds a parent only inside exactly the scopes that it was itself declared in, and so does not take two
    conditions on parameters that do not depend on each other; in everything else it does.
    """
    if not hp._conditions or hp._exists(when.parameter):
        with hp.conditional_scope(when.parameter, list(when.values)):
            yield
        return
    condition = type(hp._conditions[-1])  # KerasTuner's class is none of its public names
    hp._conditions.append(condition(when.parameter, list(when.values)))
    try:
        yield
    finally:
        hp._conditions.pop()
