"""Cross-validation: every text is held out once, and scored by a model trained on the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search.config.dataset import DatasetConfig
from search.datasets.clean import distinct_texts
from search.datasets.stratification import dealt_by_labels
from search.datasets.table import Examples, class_counts
from search.errors import InputError
from spaces import AUTO

FEW = 2000
"""Texts to learn from below which `auto` cross-validates: a tenth of them ranks trials by chance."""
FEW_OF_A_CLASS = 300
"""Texts of a class below which it does so too, up to twice as many texts: its score would hang on 30 of them."""
_MOST, _LEAST = 5, 3


@dataclass(frozen=True)
class Subset(Examples):
    """Some rows of a split, which share what is known of the whole split, such as features.

    Attributes:
        whole: The split.
        at: Positions of the rows in it, int64 [n].
    """

    whole: Examples = field(kw_only=True)
    at: NDArray[np.int64] = field(kw_only=True)

    @classmethod
    def of(cls, whole: Examples, at: NDArray[np.int64]) -> Subset:
        """The rows at some positions of a split."""
        some = whole.take(at)
        return cls(some.texts, some.labels, some.rows, some.beside, some.names, whole=whole, at=at)


@dataclass(frozen=True)
class Fold:
    """Rows to train on, and others to validate on.

    Attributes:
        train: The rows to train on.
        valid: The held-out rows, which are in no other fold's `valid`.
        at: Positions of the held-out rows among those of all folds, int64 [rows of `valid`].
    """

    train: Examples
    valid: Examples
    at: NDArray[np.int64]


def cross_folds(train: Examples, fold: NDArray[np.int64]) -> list[Fold]:
    """The folds of cross-validation, from the fold of each row of the training split [n]."""
    found = []
    for number in range(int(fold.max()) + 1):
        held = np.flatnonzero(fold == number)
        found.append(Fold(Subset.of(train, np.flatnonzero(fold != number)), Subset.of(train, held), held))
    return found


def number_of_folds(parts: Mapping[str, Examples], classes: int, config: DatasetConfig) -> int | None:
    """How many folds to validate on; None: one validation split.

    For `dataset.folds=auto` it follows from the texts that the test split leaves, in all and of a class. A class that
    has very few of them makes for fewer folds. There are none where the data come with a validation split or its size
    is given, where train is to be smaller than it could be, without `stratify`, and, with `dataset.limit`, where there
    were enough texts without.

    Args:
        parts: Train, and valid and test where they came with the data.
        classes: Number of classes.
        config: How to split.
    """
    if config.folds != AUTO:
        return None if config.folds is None else int(config.folds)
    sized = config.valid_size is not None or config.train_size is not None or config.train_fraction < 1
    if "valid" in parts or sized or not config.stratify:
        return None
    labels = distinct_texts(parts["train"])[1]
    counts, texts = class_counts(labels, classes), len(labels)
    size = 0 if "test" in parts else config.test_size
    left = texts - (size if isinstance(size, int) else round(size * texts))
    if left >= FEW and (left >= 2 * FEW or counts.min() * left / texts >= FEW_OF_A_CLASS):
        return None
    within = texts if config.limit is None else min(texts, config.limit)
    # Of a class one more text may be tested, by how shares are rounded.
    rarest = int(counts.min() * left * within / texts**2) - 1
    return min(_MOST, rarest) if rarest >= _LEAST else None


def number_folds(
    train: Examples, folds: int, classes: tuple[str, ...], stratify: bool, random: np.random.Generator
) -> NDArray[np.int64]:
    """Assigns texts to folds; rows of the same text, whatever their labels, stay together.

    Args:
        train: The training split.
        folds: Number of folds.
        classes: Names of the classes.
        stratify: Whether each fold gets its share of each class, to within a text; else folds are random.
        random: The random generator of the split.

    Returns:
        The fold of each row, int64 [n].

    Raises:
        InputError: A class would be missing from a fold.
    """
    ids, labels = distinct_texts(train)
    fold = assign_folds(labels if stratify else np.zeros(len(labels), np.int64), folds, random)[ids]
    for number in range(folds):
        counts = class_counts(train.labels[fold == number], len(classes))
        if not counts.all():
            rarest = int(counts.argmin())
            there = int(class_counts(labels, len(classes))[rarest])
            raise InputError(
                f"dataset.folds={folds}: class {classes[rarest]!r} is missing from a fold, as {there:,} of the "
                f"{len(labels):,} texts to learn from are of it: take fewer folds"
                f"{'' if stratify else ', dataset.stratify=true'} or leave the class out by dataset.classes"
            )
    return fold


def assign_folds(labels: NDArray[Any], folds: int, random: np.random.Generator) -> NDArray[np.int64]:
    """Assigns rows to folds, those of each class in turn and in random order; returns each row's fold, int64 [n].

    With several labels [n, labels] each fold gets its share of each of them.
    """
    if labels.ndim == 2:
        return dealt_by_labels(labels, folds, random)
    order = np.lexsort((random.random(len(labels)), labels))
    dealt = np.empty(len(labels), np.int64)
    dealt[order] = np.arange(len(labels)) % folds
    return dealt
