"""The order of classes that are steps of a scale, such as ratings."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from search.config.dataset import DatasetConfig
from search.datasets.hints import listing, require_known
from search.datasets.notation import as_number
from search.errors import InputError


def in_order(names: set[str], there: set[str], as_class: Callable[[Any], str], config: DatasetConfig) -> list[str]:
    """Puts classes into the order that `dataset.ordered` asks for.

    Args:
        names: The classes.
        there: The classes of all training rows, of which some may be left out.
        as_class: Turns a label into the name of its class.
        config: Its `ordered` is true, or a list of classes.

    Raises:
        InputError: The classes are no numbers, or the list lacks one, names one twice or one that there is not.
    """
    if config.ordered is True:
        return _by_number(names)
    order = [as_class(label) for label in config.ordered]
    for name in order:
        require_known(name, sorted(there), "dataset.ordered")
    if twice := sorted({name for name in order if order.count(name) > 1}):
        raise InputError(f"dataset.ordered={config.ordered} names {listing(twice)} twice: name each class once")
    if missing := sorted(names - {*order}):
        raise InputError(
            f"dataset.ordered={config.ordered} lacks {listing(missing)}: name all classes from the lowest to the "
            "highest, or leave some out by dataset.classes=[…]"
        )
    return [name for name in order if name in names]


def _by_number(names: set[str]) -> list[str]:
    numbers = {name: number for name in names if (number := as_number(name)) is not None and math.isfinite(number)}
    if words := sorted(names - {*numbers}):
        raise InputError(
            f"dataset.ordered=true is for classes that are numbers, and there are {listing(words)}: name all classes "
            "from the lowest to the highest, such as dataset.ordered=[poor,fair,good]"
        )
    if len({*numbers.values()}) < len(names):
        raise InputError(
            f"dataset.ordered=true: of {listing(sorted(names))} some are the same number: write it in one way"
        )
    return sorted(names, key=lambda name: numbers[name])
