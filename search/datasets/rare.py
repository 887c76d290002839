"""Classes with too few texts to be in every split: refused, left out, or merged into one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from search.config.dataset import DatasetConfig
from search.datasets.clean import Cleaning, distinct_texts
from search.datasets.folds import number_of_folds
from search.datasets.hints import listing
from search.datasets.table import SPLITS, Examples, class_counts
from search.errors import InputError
from spaces import AUTO

MERGED = "other"
"""The class that rare ones are merged into."""


@dataclass(frozen=True)
class Settled:
    """Splits that came with the data, without classes that are too rare.

    Attributes:
        parts: The rows of each split; labels are indices into `classes`, then into the names of unseen classes.
        classes: The classes that are left.
        rare: Name of each class that was dropped or merged to its texts in train.
        cleaning: The counts of rows that were dropped or merged.
    """

    parts: dict[str, Examples]
    classes: tuple[str, ...]
    rare: Mapping[str, int]
    cleaning: Cleaning


def settle_rare(parts: Mapping[str, Examples], classes: tuple[str, ...], config: DatasetConfig) -> Settled:
    """Handles the classes that are too rare, as `dataset.rare` says: in all splits, by the texts of train alone.

    Args:
        parts: Train, and valid and test where they came with the data; labels from the number of classes on are of
            classes that train lacks, and stay so.
        classes: Names of the classes.
        config: Its `rare`, and the sizes and folds that say how many texts a class needs.

    Raises:
        InputError: A class is too rare and `rare` is error, merged classes are still too rare, or one class is left.
    """
    counts, least = _counts(parts["train"], len(classes)), _Least.of(parts, len(classes), config)
    rare = [k for k in range(len(classes)) if not least.is_met(int(counts[k]))]
    if not rare:
        return Settled(dict(parts), classes, {}, Cleaning())
    named = {classes[k]: int(counts[k]) for k in rare}
    if config.rare == "error":
        rarest = min(named, key=lambda name: named[name])
        others = f"; {len(rare) - 1} more classes are too rare as well" if len(rare) > 1 else ""
        raise InputError(
            f"Class {rarest!r} is too rare: after cleaning it has {named[rarest]} distinct text(s), and {least.text}"
            f"{others}. Add rows, or set dataset.rare=drop (leave such classes out) or dataset.rare=merge (put them "
            f"into one class {MERGED!r})"
        )
    left = tuple(name for name in classes if name not in named)
    merge = config.rare == "merge"
    if merge and MERGED not in left:
        left += (MERGED,)
        if not least.is_met(sum(named.values())):
            raise InputError(
                f"dataset.rare=merge: {listing(list(named))} together have {sum(named.values())} distinct text(s), and "
                f"{least.text}: add rows, or set dataset.rare=drop"
            )
    if len(left) < 2:
        raise InputError(
            f"dataset.rare={config.rare} leaves one class only, {left[0]!r}: {least.text}"
            if left
            else f"dataset.rare={config.rare} leaves no class: {least.text}"
        )
    target = left.index(MERGED) if merge else -1
    new = np.array([target if name in named else left.index(name) for name in classes])
    found, cleaning = {}, Cleaning()
    for name, examples in parts.items():
        found[name], its = _recoded(examples, new, len(left) - len(classes), np.array(rare))
        cleaning += its
    return Settled(found, left, named, cleaning if merge else replace(cleaning, merged=0))


def _recoded(
    examples: Examples, new: NDArray[np.int64], shift: int, rare: NDArray[np.int64]
) -> tuple[Examples, Cleaning]:
    """The rows with their new codes, those without one left out; of several labels those that stay."""
    if examples.labels.ndim == 2:
        return replace(examples, labels=examples.labels[:, new >= 0]), Cleaning()
    known = examples.labels < len(new)
    codes = np.where(known, new[np.where(known, examples.labels, 0)], examples.labels + shift)
    kept = codes >= 0
    counts = Cleaning(rare=int((~kept).sum()), merged=int(np.isin(examples.labels, rare).sum()))
    return replace(examples, labels=codes).take(kept), counts


@dataclass(frozen=True)
class _Least:
    """The texts that a class needs, so that each split and fold holds one of it."""

    splits: list[str]
    folds: int | None
    tested: float
    """The share of the texts that the test split is cut out of."""
    within: float
    """The share of the texts that `dataset.limit` leaves."""

    @classmethod
    def of(cls, parts: Mapping[str, Examples], classes: int, config: DatasetConfig) -> _Least:
        # Where there are few rows of a class, auto takes fewer folds, or none.
        folds = None if config.folds == AUTO else number_of_folds(parts, classes, config)
        splits = [name for name in SPLITS if name == "train" or name not in parts]
        if folds is not None and "valid" in splits:
            splits.remove("valid")
        texts = len(set(parts["train"].texts))
        within = 1.0 if config.limit is None else min(1.0, config.limit / texts)
        size = 0.0 if "test" in parts else config.test_size
        return cls(splits, folds, size / texts if isinstance(size, int) else size, within)

    def is_met(self, count: int) -> bool:
        """Whether so many texts are enough."""
        if count < len(self.splits):
            return False
        if self.folds is None:
            return True
        there = max(len(self.splits), math.floor(count * self.within))
        return there - (max(1, math.ceil(there * self.tested)) if self.tested else 0) >= self.folds

    @property
    def text(self) -> str:
        """The rule in words."""
        places = [f"{self.folds} folds of train" if name == "train" and self.folds else name for name in self.splits]
        return f"{', '.join(places)} {'needs one' if places == ['train'] else 'need one each'}"


def _counts(train: Examples, classes: int) -> NDArray[np.int64]:
    return class_counts(distinct_texts(train)[1], classes)
