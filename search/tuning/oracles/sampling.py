"""Draws new configurations, each a function of the seed and of its number alone."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping, Sequence
from typing import Any

from keras_tuner.engine import hyperparameters as hp_types

Configuration = tuple[tuple[str, Any], ...]
"""Names and values of the parameters that exist in it, in the order of the space; two trials never share one."""

# Draws that may be taken already before the rest of the space is searched for one that is not.
_DRAWS = 20


def active_values(space: Sequence[Any], value_of: Callable[[Any], Any]) -> dict[str, Any]:
    """Assigns a value to each parameter whose conditions hold under the values before it.

    Args:
        space: KerasTuner's hyperparameters, `HyperParameters.space`.
        value_of: Maps a hyperparameter to its value.

    Returns:
        Name to value.
    """
    values: dict[str, Any] = {}
    for parameter in space:
        if _exists(parameter, values):
            values[parameter.name] = value_of(parameter)
    return values


def configuration(space: Sequence[Any], values: Mapping[str, Any]) -> Configuration:
    """The configuration of a trial's values; a parameter that was added later has its default."""
    return tuple(active_values(space, lambda parameter: values.get(parameter.name, parameter.default)).items())


class Tried:
    """The configurations of trials that become more and more, each worked out once."""

    def __init__(self) -> None:
        self._configurations: set[Configuration] = set()
        self._trials = self._parameters = 0

    def among(self, names: Sequence[str], trials: Mapping[str, Any], space: Sequence[Any]) -> set[Configuration]:
        """Adds what has come since the last call.

        Args:
            names: The trials so far; those of the last call come first.
            trials: Name to KerasTuner's trial.
            space: KerasTuner's hyperparameters, to which others may have been added.

        Returns:
            The configurations of all the trials named; not to be changed.
        """
        if len(space) != self._parameters:
            self._configurations, self._trials, self._parameters = set(), 0, len(space)
        for name in names[self._trials :]:
            self._configurations.add(configuration(space, trials[name].hyperparameters.values))
        self._trials = len(names)
        return self._configurations


def sample(space: Sequence[Any], seed: int, number: int, *tried: Container[Configuration]) -> dict[str, Any] | None:
    """Draws a configuration that is not among those tried.

    The value of a parameter follows from (seed, number, its name): a parameter that is added later leaves the others as
    they are. If the configurations tried are those numbered below `number`, so does the whole configuration.

    Args:
        space: KerasTuner's hyperparameters, `HyperParameters.space`.
        seed: The seed of the search.
        number: Number of configurations drawn before.
        *tried: The configurations not to draw again.

    Returns:
        Name to value; None where every configuration of the space has been tried.
    """
    for draw in range(_DRAWS):
        values = _draw(space, seed, number, draw)
        if not is_in(values, tried):
            return values
    # Each configuration comes up once here: at most as many are passed over as were tried, however large the space.
    rest = _walk(space, {}, random.Random(seed_of(seed, number)))
    return next((values for values in rest if not is_in(values, tried)), None)


def drawn_ahead(
    space: Sequence[Any], seed: int, numbers: Iterable[int], tried: Collection[Configuration]
) -> set[Configuration]:
    """The configurations tried, and those that further numbers will draw, each distinct from all before."""
    found = set(tried)
    for number in numbers:
        values = sample(space, seed, number, found)
        if values is not None:
            found.add(configuration(space, values))
    return found


def is_in(values: Mapping[str, Any], tried: Iterable[Container[Configuration]]) -> bool:
    """Whether a configuration, with the parameters that exist in it, is in one of several collections."""
    return any(tuple(values.items()) in some for some in tried)


def _draw(space: Sequence[Any], seed: int, number: int, draw: int) -> dict[str, Any]:
    return active_values(space, lambda parameter: parameter.random_sample(seed_of(seed, number, draw, parameter.name)))


def _walk(space: Sequence[Any], values: dict[str, Any], draw: random.Random) -> Iterator[dict[str, Any]]:
    """Every configuration of a space that extends some values; a continuum counts as one value."""
    if not space:
        yield values
        return
    parameter, rest = space[0], space[1:]
    if not _exists(parameter, values):
        yield from _walk(rest, values, draw)
        return
    options = options_of(parameter)
    if options is None:
        options = [parameter.random_sample(draw.getrandbits(64))]
    start = draw.randrange(len(options))
    for i in range(len(options)):
        yield from _walk(rest, {**values, parameter.name: options[(start + i) % len(options)]}, draw)


def options_of(parameter: Any) -> Sequence[Any] | None:
    """Every value that a parameter may take, each once; None for a continuum."""
    if isinstance(parameter, hp_types.Float) and parameter.step is None:
        return None
    if isinstance(parameter, hp_types.Int):
        if parameter.step is None or parameter.sampling == "linear":
            return range(parameter.min_value, parameter.max_value + 1, parameter.step or 1)
        # KerasTuner lists the values of a multiplied step as real numbers and samples them as whole ones.
        return list(dict.fromkeys(int(value) for value in parameter.values))
    return list(dict.fromkeys(parameter.values))


def _exists(parameter: Any, values: Mapping[str, Any]) -> bool:
    return all(condition.is_active(values) for condition in parameter.conditions)


def seed_of(*identity: int | str) -> int:
    """A seed of 64 bits that follows from numbers and names."""
    return int.from_bytes(hashlib.blake2b(json.dumps(identity).encode(), digest_size=8).digest())
