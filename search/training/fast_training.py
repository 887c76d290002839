"""Trains configurations without Keras's `fit`: heads on cached features, modules at the cost of what texts touch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from search.backbones.hub.answers import answers_in_batches, faults_of_module
from search.backbones.hub.load import Module, published
from search.datasets import Examples, Part
from search.features.cache import FeatureCache, Features, FeaturesOfSome, PassObserver
from search.optimizers.settings import OptimizerSettings
from search.training.embedding_bag import Bags, EmbeddingBagTraining, Table
from search.training.head import Head, HeadTraining, Rows, flat_optimizer
from search.training.lp_ft import HeadFirst
from search.training.sparse_fine_tuning import FineTuning, TextRows, Touched, find_touched


class FastTraining:
    """Makes the training of one configuration after another, and keeps what they share.

    Args:
        modules: Name of each module to the folder of its SavedModel.
        classes: Number of classes.
        cache: Where the features of frozen modules are kept; None: nowhere.
        on_pass: Is told of every pass of texts through a frozen module.
    """

    def __init__(
        self, modules: Mapping[str, Path], classes: int, cache: FeatureCache | None, on_pass: PassObserver | None
    ) -> None:
        self._modules = modules
        self._classes = classes
        self._cache = cache
        self._on_pass = on_pass
        # Module and split to its features; the split is kept so that no other can take its identity.
        self._features: dict[tuple[str, int], tuple[Examples, Features]] = {}
        self._touched: dict[tuple[str, int], tuple[Examples, list[Touched]]] = {}
        self._bags: dict[str, Bags] = {}
        self._tables: dict[tuple[str, int, int], tuple[Examples, Examples | None, Table | None]] = {}

    def head(self, values: Mapping[str, Any], train: Examples, valid: Examples | None, seed: int) -> HeadTraining:
        """Makes the training of a head on the features of a frozen module.

        Args:
            values: The hyperparameters.
            train: Rows to train on.
            valid: Rows to score by; None: none.
            seed: Seed of the trial.
        """
        features = self.features(values["module"], train)
        head = _first_head(values, features.dimension, self._classes, seed)
        return HeadTraining(
            head,
            flat_optimizer(optimizer_settings(values), head.weights),
            Rows(features, train.labels),
            None if valid is None else Rows(self.features(values["module"], valid), valid.labels),
            importance(values, train.labels, self._classes),
            values["batch_size"],
            seed,
        )

    def module(
        self,
        values: Mapping[str, Any],
        train: Examples,
        valid: Examples | None,
        seed: int,
        accumulate: int,
        head_epochs: int | None,
        on_head_epochs: Callable[[int], None],
    ) -> FineTuning | EmbeddingBagTraining | HeadFirst:
        """Makes the training of a module with a head.

        Args:
            values: The hyperparameters.
            train: Rows to train on.
            valid: Rows to score by; None: none.
            seed: Seed of the trial.
            accumulate: Parts that each batch is computed in.
            head_epochs: As for `HeadFirst`, where the head is trained first, like what follows.
            on_head_epochs: Is told how long the head was trained.
        """
        given = values, train, valid, seed
        with self.faults_of_module(values["module"], train, valid):
            table = self._table(values["module"], train, valid)
            training = self._text_training(*given, accumulate) if table is None else self._bag_training(table, *given)
        if not values["head_first"]:
            return training
        return HeadFirst(self.head(*given), training, head_epochs, on_head_epochs)

    def _text_training(
        self, values: Mapping[str, Any], train: Examples, valid: Examples | None, seed: int, accumulate: int
    ) -> FineTuning:
        module = self._module(values["module"])
        return FineTuning(
            module,
            self._touched_by(values["module"], train),
            _first_head(values, module.dimension, self._classes, seed).arrays(),
            # Without a hidden layer there is neither.
            values.get("activation", "linear"),
            values.get("dropout", 0.0),
            optimizer_settings(values),
            _text_rows(train),
            None if valid is None else _text_rows(valid),
            importance(values, train.labels, self._classes),
            values["batch_size"],
            seed,
            accumulate,
        )

    def _bag_training(
        self, table: Table, values: Mapping[str, Any], train: Examples, valid: Examples | None, seed: int
    ) -> EmbeddingBagTraining:
        module = self._module(values["module"])
        return EmbeddingBagTraining(
            module,
            table,
            _first_head(values, module.dimension, self._classes, seed),
            optimizer_settings(values),
            train.labels,
            None if valid is None else valid.labels,
            importance(values, train.labels, self._classes),
            values["batch_size"],
            seed,
        )

    def faults_of_module(self, name: str, train: Examples, valid: Examples | None) -> AbstractContextManager[None]:
        """Tells, where training on texts fails, whether the module is at fault: see `answers.faults_of_module`."""
        splits = [train] if valid is None else [train, valid]
        return faults_of_module(self._module(name), f"module {name}", *(split.texts for split in splits))

    def _module(self, name: str) -> Module:
        return published(self._modules[name], name)

    def features(self, module: str, examples: Examples) -> Features | FeaturesOfSome:
        """The features of a split through a frozen module: from memory, from the cache, or else computed.

        Args:
            module: Name of the module.
            examples: The split; of a part of one, those of the whole are what is kept.

        Returns:
            float32 [rows of the split, dim].
        """
        if isinstance(examples, Part):
            return FeaturesOfSome(self._features_of_whole(module, examples.whole), examples.at)
        return self._features_of_whole(module, examples)

    def _features_of_whole(self, module: str, examples: Examples) -> Features:
        key = (module, id(examples))
        if key not in self._features:
            folder = self._modules[module]
            found = (
                _embedded(folder, examples.texts)
                if self._cache is None
                else self._cache.features(folder, examples.texts, self._on_pass, module)
            )
            self._features[key] = (examples, found)
        return self._features[key][1]

    def _table(self, module: str, train: Examples, valid: Examples | None) -> Table | None:
        """The table of a module that is an embedding bag; None of any other."""
        key = (module, id(train), id(valid))
        if key not in self._tables:
            if module not in self._bags:
                self._bags[module] = Bags(self._module(module))
            bags = self._bags[module]
            of_train = bags.weights(train.texts)
            of_valid = None if valid is None else bags.weights(valid.texts)
            found = None if bags.table is None else Table.of(bags.table, of_train, of_valid)
            self._tables[key] = (train, valid, found)
        return self._tables[key][2]

    def _touched_by(self, module: str, examples: Examples) -> list[Touched]:
        key = (module, id(examples))
        if key not in self._touched:
            self._touched[key] = (examples, find_touched(self._module(module), examples.texts))
        return self._touched[key][1]


def optimizer_settings(values: Mapping[str, Any]) -> OptimizerSettings:
    """The optimizer of a configuration."""
    return OptimizerSettings(
        values["optimizer"],
        values["learning_rate"],
        values.get("weight_decay", 0.0),
        values["clip_norm"],
        values.get("fine_tuning_rate"),
        values.get("warmup_steps", 0),
    )


def importance(values: Mapping[str, Any], labels: NDArray[np.int64], classes: int) -> NDArray[np.float32]:
    """Weights of the training rows in the loss of a configuration, float32 [n]."""
    return row_weights(labels, classes, balanced=values["class_weight"] == "balanced")


def row_weights(labels: NDArray[np.int64], classes: int, *, balanced: bool) -> NDArray[np.float32]:
    """Weights of the rows in the loss.

    Args:
        labels: Class indices [n].
        classes: Number of classes.
        balanced: Whether each class shall weigh the same in all; else each row does.

    Returns:
        Weights [n] with mean 1.
    """
    if not balanced:
        return np.ones(len(labels), np.float32)
    counts = np.bincount(labels, minlength=classes)
    return (len(labels) / (classes * counts[labels])).astype(np.float32)


def _first_head(values: Mapping[str, Any], inputs: int, classes: int, seed: int) -> Head:
    widths = [values[f"units_{i}"] for i in range(1, values["layers"] + 1)]
    # Without a hidden layer there is neither activation nor dropout.
    head = Head(inputs, widths, classes, values.get("activation", "relu"), values.get("dropout", 0.0))
    head.initialize(np.random.default_rng(seed))
    return head


def _text_rows(examples: Examples) -> TextRows:
    return TextRows(tf.constant(examples.texts.tolist()), examples.labels)


def _embedded(folder: Path, texts: NDArray[np.object_]) -> Features:
    module = published(folder)
    rows = np.arange(len(texts), dtype=np.int32)
    vectors = answers_in_batches(module, texts, f"module {module.name}")
    return Features([vectors], np.zeros(len(texts), np.int32), rows, module.dimension)
