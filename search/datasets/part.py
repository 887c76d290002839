"""A part of the training split, for learning on less data; smaller parts of a seed lie within larger ones."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from search.config.dataset import DatasetConfig
from search.datasets.clean import distinct_texts
from search.datasets.stratification import dealt_by_labels
from search.datasets.table import Examples
from search.errors import InputError

_DEALT = 20
"""Parts that texts with several labels are dealt to, each with its share of every label; some in a row are taken."""


def part_of(
    train: Examples, pool: Examples, classes: tuple[str, ...], config: DatasetConfig, random: np.random.Generator
) -> Examples:
    """Takes as much of train as `train_size` or `train_fraction` asks for.

    `train_size` is the size of the split, like the other sizes; `train_fraction` the part of the split to learn from.
    Both take the beginning of one order of the texts, so that a smaller part lies within a larger one. Each class has
    its share to within a text or so, and at least one text. Largest remainders would not do: with a larger size they
    can give a class fewer texts (the Alabama paradox). Rows of one text stay together, and sizes count texts.

    Args:
        train: All rows that valid and test leave.
        pool: The rows it was cut from, of which `train_size` may be a fraction.
        classes: Names of the classes.
        config: At most one of its `train_size` and `train_fraction` asks for less than all.
        random: The random generator of the split.

    Raises:
        InputError: The size is larger than train, or too small to hold every class.
    """
    if config.train_size is None and config.train_fraction == 1:
        return train
    ids, labels = distinct_texts(train)
    there = len(labels)
    if config.train_size is None:
        key, of, count = f"dataset.train_fraction={config.train_fraction}", there, round(config.train_fraction * there)
    else:
        size, of = config.train_size, len(set(pool.texts))
        key, count = f"dataset.train_size={size}", size if isinstance(size, int) else round(size * of)
        # Three fractions that add up to one can be rounded to one text too many.
        count -= isinstance(size, float) and count == there + 1
    if count < len(classes):
        raise InputError(
            f"{key} makes a split of {count:,} of {of:,} texts, too small to hold each of the {len(classes)} classes: "
            "make it larger"
        )
    if count > there:
        raise InputError(
            f"{key} asks for {count:,} texts, but of {of:,} only {there:,} are available: "
            "make dataset.train_size, valid_size or test_size smaller"
        )
    order = random.permutation(there)
    if config.stratify and labels.ndim == 2:
        order = order[np.argsort(dealt_by_labels(labels[order], min(_DEALT, there), random), kind="stable")]
    elif config.stratify:
        order = order[np.argsort(_places(labels[order]), kind="stable")]
    taken = np.zeros(there, dtype=bool)
    taken[order[:count]] = True
    if config.stratify and labels.ndim == 2:
        # The first row with each label that is rarer than the part is small: a larger part has it, too.
        for label in np.flatnonzero(labels[taken].sum(axis=0) == 0):
            taken[order[labels[order, label] == 1][:1]] = True
    return train.take(taken[ids])


def _places(labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """The place of each text in the order: one of each class first, then each class spread evenly over the rest."""
    places = np.empty(len(labels))
    for label in np.unique(labels):
        of_class = labels == label
        spread = (np.arange(of_class.sum()) + 0.5) / of_class.sum()
        spread[0] = 0
        places[of_class] = spread
    return places
