"""Resources that the trainings of several configurations share, computed once for each module and split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search.backbones.base import SavedModule
from search.backbones.hub.answers import faults_of_modules
from search.datasets import Examples
from search.datasets.views import with_views
from search.models.wide.words import Words
from search.training.embedding_bag import Bags, Table
from search.training.sparse_fine_tuning import Touched, find_touched
from search.training.wide.word_regression import WordRegression
from search.utils.gpus import trial_devices

# Kept at once, each as large as the vocabulary.
_REGRESSIONS = 64


class SharedResources:
    """Finds out of what modules make the texts of a split, and keeps it.

    Args:
        gpus: GPUs of a trial: see `trial_devices`.
    """

    def __init__(self, gpus: float = 0) -> None:
        self._gpus = gpus
        self._bags: dict[SavedModule, Bags] = {}
        # By module and splits, which are kept so that no others can take their identities.
        self._touched: dict[tuple[SavedModule, int, bool], tuple[Examples, list[Touched]]] = {}
        self._regressions: dict[tuple[int, int, int, float], tuple[Words, Examples, WordRegression]] = {}
        self._tables: dict[tuple[SavedModule, int, int, bool], tuple[Examples, Examples | None, Table | None]] = {}
        self._views: dict[tuple[int, int, str], tuple[Examples, Examples]] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        # Another process finds it anew: it hangs on identities of this one, and is large.
        return SharedResources, (self._gpus,)

    @cached_property
    def devices(self) -> tuple[str, ...]:
        """The devices that compute parts of a batch at once: those of the process that asks, which has its own GPUs."""
        return trial_devices(self._gpus)

    def with_views(self, train: Examples, values: Mapping[str, Any]) -> Examples:
        """The rows that a configuration trains on: those of a split, and as many altered copies as it asks for.

        Args:
            train: The split.
            values: The hyperparameters.

        Returns:
            The split itself where there are no copies; else always the same object for the same ones.
        """
        if not values.get("views"):
            return train
        key = (id(train), values["views"], values["augment"])
        if key not in self._views:
            self._views[key] = (train, with_views(train, values["views"], values["augment"]))
        return self._views[key][1]

    def regression(
        self, words: Words, train: Examples, sample_weight: NDArray[np.float32], l2: float, classes: int
    ) -> WordRegression:
        """The logistic regression on the words of the rows of a split."""
        key = (id(words), id(train), hash(sample_weight.tobytes()), l2)
        if key not in self._regressions:
            if len(self._regressions) == _REGRESSIONS:  # the oldest can be fitted again
                self._regressions.pop(next(iter(self._regressions)))
            self._regressions[key] = (words, train, WordRegression(words, train, sample_weight, l2, classes))
        return self._regressions[key][2]

    def faults(self, modules: Sequence[SavedModule], *splits: Examples | None) -> AbstractContextManager[None]:
        """Tells, where training on the texts of splits fails, whether a module is at fault: see `faults_of_modules`."""
        texts = [split.texts for split in splits if split is not None]
        return faults_of_modules({module.name: module.load() for module in modules}, *texts)

    def touched(self, module: SavedModule, train: Examples, decay: bool) -> list[Touched]:
        """The rows of each of a module's variables that training on a split, with weight decay or not, can change."""
        key = (module, id(train), decay)
        if key not in self._touched:
            with self.faults([module], train):
                self._touched[key] = (train, find_touched(module.load(), train.texts, decay))
        return self._touched[key][1]

    def table(self, module: SavedModule, train: Examples, valid: Examples | None, decay: bool) -> Table | None:
        """The rows of two splits as sums over the table of a module; None where it is no embedding bag.

        Args:
            module: The module.
            train: The rows to train on.
            valid: The rows to score by.
            decay: Whether weight decay moves the rows of the table that no text touches, too.
        """
        key = (module, id(train), id(valid), decay)
        if key not in self._tables:
            with self.faults([module], train, valid):
                self._tables[key] = (train, valid, self._found_table(module, train, valid, decay))
        return self._tables[key][2]

    def _found_table(self, module: SavedModule, train: Examples, valid: Examples | None, decay: bool) -> Table | None:
        if module not in self._bags:
            self._bags[module] = Bags(module.load())
        bags = self._bags[module]
        of_train = bags.weights(train.texts)
        of_valid = None if valid is None else bags.weights(valid.texts)
        return None if bags.table is None else Table.of(bags.table, of_train, of_valid, decay)
