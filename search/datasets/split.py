"""Cuts examples into train, valid and test: each class in its share, no text on two sides, by the seed alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search.config import DatasetConfig
from search.datasets.clean import Cleaning, text_ids
from search.datasets.table import Examples
from search.errors import InputError

_Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Splits:
    """A data set ready to be searched on.

    Attributes:
        classes: Their names; labels are indices into them. Of two, the positive class is the second.
        train: What trials train on.
        valid: What trials are ranked by.
        test: What the refitted best is measured on, once. No text in it stands in the other two.
        cleaning: What became of the rows that are in none of them.
    """

    classes: tuple[str, ...]
    train: Examples
    valid: Examples
    test: Examples
    cleaning: Cleaning

    def sizes(self) -> dict[str, dict[str, int]]:
        """Gives the number of rows of each class in each split."""
        return {
            name: dict(zip(self.classes, _per_class(split.labels, len(self.classes)).tolist(), strict=True))
            for name, split in (("train", self.train), ("valid", self.valid), ("test", self.test))
        }


def split(
    examples: Examples, test: Examples | None, classes: tuple[str, ...], config: DatasetConfig, seed: int
) -> Splits:
    """Cuts examples into the three splits.

    Each split has its share of each class to within a row, and one row at least. Rows of the same text, which are of
    one class here, stay together; sizes count distinct texts, which are the rows unless duplicates were kept. The test
    split depends on `test_size`, `limit` and the seed: another `train_size` or `valid_size` leaves it as it is.
    (scikit-learn splits by class or keeps groups together, but not both at sizes one can choose; hence this page.)

    Args:
        examples: Rows without conflicting labels.
        test: The rows of a test file of its own, with no text of `examples`; None: it is cut from `examples`.
        classes: Names of the classes.
        config: Its `limit`, which goes for each file, and sizes: fractions of the texts within the limit, or counts.
        seed: Not negative.

    Returns:
        The splits, each in the order of the file, with the counts of what was left out here.

    Raises:
        InputError: The sizes do not fit the data, or a class has too few texts to be in every split.
    """
    random = np.random.default_rng(seed)
    read = len(examples)
    own_test = test is not None
    if test is not None:
        read += len(test)
        test = _limit(test, classes, config, ("test",), random)
    pool = _limit(examples, classes, config, ("train", "valid") if own_test else ("train", "valid", "test"), random)
    over_limit = read - len(pool) - (len(test) if test is not None else 0)
    train, valid, cut_test = _cut(pool, classes, config, own_test, random)
    unused = len(pool) - len(train) - len(valid) - len(cut_test)
    cleaning = Cleaning(over_limit=over_limit, unused=unused)
    return Splits(classes, train, valid, cut_test if test is None else test, cleaning)


def _limit(
    examples: Examples,
    classes: tuple[str, ...],
    config: DatasetConfig,
    names: Sequence[str],
    random: np.random.Generator,
) -> Examples:
    """Checks that each class can be in each of the splits to come, and draws a stratified sample within the limit."""
    ids, labels = _distinct_texts(examples)
    counts = _per_class(labels, len(classes))
    rarest = int(counts.argmin())
    if counts[rarest] < len(names):
        raise InputError(
            f"Class {classes[rarest]!r} is too rare: after cleaning it has {counts[rarest]} distinct text(s), and "
            f"{', '.join(names)} need one each; add rows, or leave it out by listing the others in dataset.classes"
        )
    if config.limit is None or config.limit >= len(labels):
        return examples
    if config.limit < len(names) * len(classes):
        raise InputError(
            f"dataset.limit={config.limit} is too few for {len(classes)} classes in {', '.join(names)}: "
            f"expected {len(names) * len(classes)} or more"
        )
    share = _apportion(counts, config.limit, np.full_like(counts, len(names)), counts)
    shuffled = _shuffled(labels, counts, random)
    taken = np.zeros(len(labels), dtype=bool)
    for of_class, count in zip(shuffled, share, strict=True):
        taken[of_class[:count]] = True
    return examples.take(taken[ids])


def _cut(
    examples: Examples, classes: tuple[str, ...], config: DatasetConfig, own_test: bool, random: np.random.Generator
) -> tuple[Examples, Examples, Examples]:
    """Gives train, valid and test; the last is empty where the test split has a file of its own."""
    ids, labels = _distinct_texts(examples)
    left = _per_class(labels, len(classes))
    shuffled = _shuffled(labels, left, random)
    begin = np.zeros_like(left)
    side = np.full(len(labels), -1)
    wanted = [("test", config.test_size, 2), ("valid", config.valid_size, 1), ("train", config.train_size, 0)]
    for name, size, later in wanted[1:] if own_test else wanted:
        # As many texts of each class stay behind as there are splits to come.
        share = left if size is None else _share(left, size, len(labels), later, name, classes)
        for of_class, start, count in zip(shuffled, begin, share, strict=True):
            side[of_class[start : start + count]] = later
        begin, left = begin + share, left - share
    train, valid, test = (examples.take(side[ids] == place) for place in range(3))
    return train, valid, test


def _share(left: _Counts, size: int | float, texts: int, later: int, name: str, classes: tuple[str, ...]) -> _Counts:
    """Gives the number of texts of each class that go into a split."""
    key = f"dataset.{name}_size={size}"
    count = size if isinstance(size, int) else round(size * texts)
    most = left - later
    # Three fractions that add up to one can be rounded to one text too many.
    if name == "train" and isinstance(size, float) and count == most.sum() + 1:
        count = int(most.sum())
    rarest = int(left.argmin())
    if count < len(classes):
        raise InputError(
            f"{key} makes a split of {count:,} of {texts:,} texts, too small to hold each of the {len(classes)} "
            f"classes (the rarest is {classes[rarest]!r} with {left[rarest]:,}): make it larger"
        )
    if count > most.sum():
        raise InputError(
            f"{key} asks for {count:,} texts, but of {texts:,} only {most.sum():,} can be given: "
            "make dataset.train_size, valid_size or test_size smaller"
        )
    return _apportion(left, count, np.ones_like(left), most)


def _apportion(counts: _Counts, size: int, low: _Counts, high: _Counts) -> _Counts:
    """Shares out `size` over classes in proportion to their counts, within bounds, by the largest remainder.

    Args:
        counts: [classes] int64.
        size: Not below the sum of `low` or above that of `high`.
        low: [classes] int64.
        high: [classes] int64, not below `low`.

    Returns:
        [classes] int64 with the sum `size`.
    """
    exact = counts * (size / counts.sum())
    share: _Counts = np.clip(np.floor(exact).astype(np.int64), low, high)
    while share.sum() < size:
        share[np.where(share < high, exact - share, -np.inf).argmax()] += 1
    while share.sum() > size:
        share[np.where(share > low, exact - share, np.inf).argmin()] -= 1
    return share


def _distinct_texts(examples: Examples) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Gives the number of each row's text, and the class of each text."""
    ids = text_ids(examples.texts)
    return ids, examples.labels[np.unique(ids, return_index=True)[1]]


def _shuffled(labels: NDArray[np.int64], counts: _Counts, random: np.random.Generator) -> list[NDArray[np.int64]]:
    """Gives the positions of each class, shuffled."""
    order = random.permutation(len(labels))
    by_class = order[np.argsort(labels[order], kind="stable")]
    return np.split(by_class, np.cumsum(counts)[:-1])


def _per_class(labels: NDArray[np.int64], classes: int) -> _Counts:
    counts: _Counts = np.bincount(labels, minlength=classes)
    return counts
