"""A data set that has been split, and what a search asks about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from search.datasets.beside import Column
from search.datasets.clean import Cleaning
from search.datasets.content import Content, content_of
from search.datasets.folds import Fold, cross_folds
from search.datasets.table import Examples, class_counts, every
from search.evaluation.metric_list import Target


@dataclass(frozen=True)
class Splits:
    """A data set ready to be searched on.

    Attributes:
        classes: Names of the classes; labels are indices into them. Of two, the positive class is the second.
        train: The rows that trials train on.
        valid: The rows that rank trials. In cross-validation train itself, each row scored without its fold.
        test: The rows that the refitted best trial is measured on, once. No text of it is in the other two, unless such
            splits came with the data and are kept: `cleaning` counts them.
        cleaning: The counts of rows that are in no split.
        refit_on: The splits that the best trial is refitted on; under `train_fraction` not valid, which may be larger.
        fold: The fold of each row of train, int64 [n]; None: there is no cross-validation.
        few: Whether there are folds because rows are few, not because they were asked for.
        unseen: Names of classes that only test holds, of labels from the number of classes on; no model knows them.
        rare: Name of each class that was too rare to its texts in train.
        columns: The columns beside the texts.
        ordered: Whether the classes are in an order that means something.
        text_columns: Number of columns that the texts are made of, a line for each.
        faults: Why rows have no picture and are in no split.
    """

    classes: tuple[str, ...]
    train: Examples
    valid: Examples
    test: Examples
    cleaning: Cleaning
    refit_on: tuple[str, ...] = ("train", "valid")
    fold: NDArray[np.int64] | None = None
    few: bool = False
    unseen: tuple[str, ...] = ()
    rare: Mapping[str, int] = field(default_factory=dict)
    columns: tuple[Column, ...] = ()
    ordered: bool = False
    text_columns: int = 1
    faults: tuple[str, ...] = ()

    @property
    def target(self) -> Target:
        """The target of the prediction."""
        return Target(len(self.classes), self.ordered, several=self.train.labels.ndim == 2)

    @property
    def content(self) -> Content:
        """What the rows hold."""
        return content_of(self.train.texts)

    @property
    def names(self) -> tuple[str, ...]:
        """The name of each label."""
        return (*self.classes, *self.unseen)

    @cached_property
    def refit(self) -> Examples:
        """The rows of `refit_on`; always the same object, which what is computed for these rows is kept by."""
        return self.train + self.valid if "valid" in self.refit_on else self.train

    @cached_property
    def folds(self) -> list[Fold]:
        """The folds, each to train and to validate on; without cross-validation one of train and valid."""
        if self.fold is None:
            return [Fold(self.train, self.valid, np.arange(len(self.valid)))]
        return cross_folds(self.train, self.fold)

    @property
    def parts(self) -> dict[str, Examples]:
        """The splits by name, each row in one of them: without valid in cross-validation."""
        named = {"train": self.train, "valid": self.valid, "test": self.test}
        return {name: split for name, split in named.items() if name != "valid" or self.fold is None}

    @property
    def labelled(self) -> Examples:
        """The rows of `refit` and, but for those of unseen classes, of test, for the final model."""
        return self.refit + self.test.take(every(self.test.labels < len(self.classes)))

    def sizes(self) -> dict[str, dict[str, int]]:
        """The number of rows of each class in each split."""
        return {
            name: dict(zip(self.names, class_counts(split.labels, len(self.names)).tolist(), strict=True))
            for name, split in self.parts.items()
        }
