"""Parts of texts with several labels, each with its share of every label."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search.errors import InputError


def dealt_by_labels(labels: NDArray[Any], parts: int, random: np.random.Generator) -> NDArray[np.int64]:
    """Deals rows to parts of the same size, each with its share of every label, by iterative stratification.

    After Sechidis, Tsoumakas and Vlahavas, 2011, On the Stratification of Multi-Label Data.

    Args:
        labels: int8 [n, labels].
        parts: Number of parts.
        random: The random generator of the split.

    Returns:
        The part of each row, int64 [n].
    """
    from iterstrat.ml_stratifiers import MultilabelStratifiedKFold  # it brings scikit-learn

    part = np.zeros(len(labels), np.int64)
    splitter = MultilabelStratifiedKFold(n_splits=parts, shuffle=True, random_state=int(random.integers(2**31)))
    for number, (_, held) in enumerate(splitter.split(labels, labels)):
        part[held] = number
    return part


def drawn(labels: NDArray[Any], count: int, random: np.random.Generator, least: int = 1) -> NDArray[np.bool_]:
    """Draws rows so that these and the others have their shares of every label.

    Args:
        labels: int8 [n, labels].
        count: About how many: a few more where they would hold less than the least.
        random: The random generator of the split.
        least: Rows with each label that are drawn at least, where there are so many.

    Returns:
        Which are drawn, bool [n].
    """
    from iterstrat.ml_stratifiers import MultilabelStratifiedShuffleSplit

    taken = np.zeros(len(labels), bool)
    state = int(random.integers(2**31))
    splitter = MultilabelStratifiedShuffleSplit(n_splits=1, test_size=count, random_state=state)
    taken[next(splitter.split(labels, labels))[1]] = True
    for label in range(labels.shape[1]):
        lacking = least - int(labels[taken, label].sum())
        if lacking > 0:  # its share is less than that
            taken[random.permutation(np.flatnonzero((labels[:, label] == 1) & ~taken))[:lacking]] = True
    return taken


def sides(labels: NDArray[Any], sizes: Mapping[str, int | float], random: np.random.Generator) -> NDArray[np.str_]:
    """The split of each text, so that each split has its share of every label.

    Args:
        labels: int8 [n, labels].
        sizes: The size of each split but train, which is the rest: a fraction of the texts, or a count. They are drawn
            in this order.
        random: The random generator of the split.

    Returns:
        The name of each text's split [n].

    Raises:
        InputError: The sizes do not fit the number of texts.
    """
    side = np.full(len(labels), "train", dtype="<U5")
    for name, size in sizes.items():
        left = np.flatnonzero(side == "train")
        count = size if isinstance(size, int) else round(size * len(labels))
        if not 0 < count < len(left):
            raise InputError(
                f"dataset.{name}_size={size} asks for {count:,} of {len(labels):,} texts, of which {len(left):,} are "
                "available: give another size"
            )
        side[left[drawn(labels[left], count, random)]] = name
    return side
