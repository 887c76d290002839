"""Cuts examples into train, valid and test: each class in its share, no text on two sides, by the seed alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from search.config.dataset import DatasetConfig
from search.datasets.apportion import Counts, apportion
from search.datasets.clean import Cleaning, distinct_texts
from search.datasets.folds import number_folds, number_of_folds
from search.datasets.part import part_of
from search.datasets.splits import Splits
from search.datasets.stratification import drawn, sides
from search.datasets.table import SPLITS, Examples, class_counts
from search.errors import InputError
from spaces import AUTO

_VALID_SIZE = 0.1


def split(parts: Mapping[str, Examples], classes: tuple[str, ...], config: DatasetConfig, seed: int) -> Splits:
    """Cuts the splits that did not come with the data out of train.

    Each split has its share of each class to within a row, and one row at least. Rows of the same text stay together;
    sizes count distinct texts, which are the rows unless duplicates were kept, and a text that was kept with several
    labels counts as of its first. Without `stratify` the shares are what a shuffle gives. The test split depends on
    `test_size`, `limit` and the seed: another `train_size` or `valid_size` leaves it as it is.

    Args:
        parts: Train, and valid and test where they came with the data: they stay as they are. For cross-validation
            there is no valid, and none is cut.
        classes: Names of the classes.
        config: Its `limit`, which applies to each of the parts, and sizes: fractions of the texts of train within the
            limit, or counts.
        seed: Seed, not negative.

    Returns:
        The splits, each in the order of the file, with the counts of rows left out.

    Raises:
        InputError: The sizes do not fit the data.
    """
    random = np.random.default_rng(seed)
    folds = number_of_folds(parts, len(classes), config)
    if folds is not None and "valid" in parts:
        raise InputError(
            f"dataset.folds={folds} validates on parts of train in turn, but the data come with a validation split: "
            "leave out dataset.folds, or the split"
        )
    wanted = [name for name in SPLITS if name == "train" or name not in parts]
    if folds is not None:
        wanted.remove("valid")
    within = {
        name: _limit(parts[name], classes, config, wanted if name == "train" else [name], random)
        for name in ("test", "valid", "train")
        if name in parts
    }
    over_limit = sum(map(len, parts.values())) - sum(map(len, within.values()))
    cut = {**within, **_cut(within["train"], wanted[1:], classes, config, random)}
    train = part_of(cut["train"], within["train"], classes, config, random)
    if not config.stratify or train.labels.ndim == 2:
        _require_every_class({**{name: cut[name] for name in wanted}, "train": train}, classes, config.stratify)
    cleaning = Cleaning(over_limit=over_limit, unused=len(cut["train"]) - len(train))
    if folds is not None:
        fold = number_folds(train, folds, classes, config.stratify, random)
        return Splits(classes, train, train, cut["test"], cleaning, ("train",), fold, config.folds == AUTO)
    refit_on = ("train", "valid") if config.train_fraction == 1 else ("train",)
    return Splits(classes, train, cut["valid"], cut["test"], cleaning, refit_on)


def _limit(
    examples: Examples,
    classes: tuple[str, ...],
    config: DatasetConfig,
    names: Sequence[str],
    random: np.random.Generator,
) -> Examples:
    """Draws a stratified sample within the limit, of rows that the named splits are cut out of."""
    ids, labels = distinct_texts(examples)
    counts = class_counts(labels, len(classes))
    if config.limit is None or config.limit >= len(labels):
        return examples
    if config.limit < len(names) * len(counts):
        raise InputError(
            f"dataset.limit={config.limit} is too few for {len(counts)} classes in {', '.join(names)}: "
            f"expected {len(names) * len(counts)} or more"
        )
    if labels.ndim == 2:
        return examples.take(drawn(labels, config.limit, random, len(names))[ids])
    share = apportion(counts, config.limit, np.minimum(counts, len(names)), counts)
    taken = np.zeros(len(labels), dtype=bool)
    for of_class, count in zip(_shuffled(labels, counts, random), share, strict=True):
        taken[of_class[:count]] = True
    return examples.take(taken[ids])


def _cut(
    examples: Examples,
    names: Sequence[str],
    classes: tuple[str, ...],
    config: DatasetConfig,
    random: np.random.Generator,
) -> dict[str, Examples]:
    """Cuts the requested splits, valid or test; train is the rest."""
    ids, labels = distinct_texts(examples)
    if not config.stratify:
        labels = np.zeros(len(labels), np.int64)
    sizes = {"test": config.test_size, "valid": _VALID_SIZE if config.valid_size is None else config.valid_size}
    if labels.ndim == 2:
        side = sides(labels, {name: sizes[name] for name in reversed(names)}, random)
        return {name: examples.take(side[ids] == name) for name in ("train", *names)}
    left = class_counts(labels, len(classes) if config.stratify else 1)
    shuffled = _shuffled(labels, left, random)
    begin = np.zeros_like(left)
    side = np.full(len(labels), "train", dtype="<U5")
    for name in reversed(names):
        # As many texts of each class stay behind as there are splits to come.
        later = 1 + names.index(name)
        share = _share(left, sizes[name], len(labels), later, name, classes)
        for of_class, start, count in zip(shuffled, begin, share, strict=True):
            side[of_class[start : start + count]] = name
        begin, left = begin + share, left - share
    return {name: examples.take(side[ids] == name) for name in ("train", *names)}


def _share(left: Counts, size: int | float, texts: int, later: int, name: str, classes: tuple[str, ...]) -> Counts:
    """The number of texts of each class (without `stratify`, of all classes together) that go into a split."""
    key = f"dataset.{name}_size={size}"
    count = size if isinstance(size, int) else round(size * texts)
    least = 1 if len(left) == len(classes) else len(classes)
    most = left - later * least
    rarest = int(left.argmin())
    if count < len(classes):
        rare = f" (the rarest is {classes[rarest]!r} with {left[rarest]:,})" if len(left) == len(classes) else ""
        raise InputError(
            f"{key} makes a split of {count:,} of {texts:,} texts, too small to hold each of the {len(classes)} "
            f"classes{rare}: make it larger"
        )
    if count > most.sum():
        raise InputError(
            f"{key} asks for {count:,} texts, but of {texts:,} only {most.sum():,} are available: "
            "make dataset.train_size, valid_size or test_size smaller"
        )
    return apportion(left, count, np.full_like(left, least), most)


def _require_every_class(splits: Mapping[str, Examples], classes: tuple[str, ...], stratify: bool) -> None:
    """Refuses a split that lacks a class, which a plain shuffle and several labels can bring about."""
    for name, examples in splits.items():
        counts = class_counts(examples.labels, len(classes))
        if counts.all():
            continue
        lacks = f"put no text of class {classes[int(counts.argmin())]!r} into {name}"
        other = f"take another seed, a larger dataset.{name}_size, or"
        if stratify:
            raise InputError(
                f"Stratification by several labels {lacks}: {other} leave it out (dataset.labels, dataset.classes)"
            )
        raise InputError(f"The plain shuffle (dataset.stratify=false) {lacks}: {other} dataset.stratify=true")


def _shuffled(labels: NDArray[np.int64], counts: Counts, random: np.random.Generator) -> list[NDArray[np.int64]]:
    """The positions of each class, shuffled."""
    order = random.permutation(len(labels))
    by_class = order[np.argsort(labels[order], kind="stable")]
    return np.split(by_class, np.cumsum(counts)[:-1])
