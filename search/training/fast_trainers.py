"""The fast ways of training: each gives the numbers that Keras's own `fit` gives, at a fraction of its cost."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from search.backbones.base import SavedModule
from search.optimizers.flat import FLAT_OPTIMIZERS
from search.optimizers.sparse_rows import RULES
from search.training.base import FineTuning
from search.training.embedding_bag import EmbeddingBagTraining
from search.training.head import Head, HeadTraining, Sigmoid
from search.training.head.activations import ACTIVATIONS
from search.training.rows import TrainingData
from search.training.sparse_fine_tuning import (
    InputsBeside,
    LayerInputs,
    ModuleInputs,
    SparseRowTraining,
    TextInputs,
    find_touched_of_layers,
)
from search.training.task import TrainingTask
from search.training.wide.with_words import WithWords, WordsAloneTraining
from search.utils.batched import Several, tensors

OF_HEADS = frozenset({
    *("modules", "texts", "wide", "wide_l2", "trainable", "layers", "units", "activation", "dropout"),
    *("learning_rate", "optimizer", "weight_decay", "clip_norm", "batch_size", "class_weight"),
    *("views", "augment"),
})  # fmt: skip
"""Settings of everything but a module that is trained and what an encoder learns from scratch."""
_OF_MODULES = OF_HEADS | {"fine_tuning_rate", "warmup_steps"}


class HeadTrainer:
    """Trains the head of a frozen backbone on its features, which are computed once."""

    handles = OF_HEADS

    def supports(self, task: TrainingTask) -> bool:
        """Whether the backbone is a constant whose features can be kept, and no callback asks for a Keras model."""
        frozen = bool(task.backbone.frozen_features(task.values))
        return frozen and task.hypermodel.keeps_features and not task.callbacks and _is_in_numpy(task)

    def train(self, task: TrainingTask) -> FineTuning:
        """Makes the training of the head."""
        modules = task.backbone.frozen_features(task.values)
        features = task.hypermodel.under_head(modules, task.train)
        valid = None if task.valid is None else task.hypermodel.under_head(modules, task.valid)
        head = _first_head(task, features.dimension)
        return with_words(task, HeadTraining(head, task.optimizer, task.data(features, valid)))


class WordsAloneTrainer:
    """Fits words without a head."""

    handles = OF_HEADS

    def supports(self, task: TrainingTask) -> bool:
        """Whether there is nothing else, and no callback asks for a Keras model."""
        return task.is_words_alone and not task.callbacks

    def train(self, task: TrainingTask) -> FineTuning:
        """Makes the training, in which there is nothing left to train."""
        return with_words(task, WordsAloneTraining(task.data(None, None)))


class EmbeddingBagTrainer:
    """Trains a module that adds up the vectors of words, and its head, as products with a sparse matrix."""

    handles = _OF_MODULES

    def supports(self, task: TrainingTask) -> bool:
        """Whether the module is such a one, trained in float32, without a callback that asks for a Keras model."""
        return _fine_tunes(task) and _is_in_numpy(task) and self._table(task) is not None

    def train(self, task: TrainingTask) -> FineTuning:
        """Makes the training of table and head."""
        module, table = _fine_tuned(task).load(), self._table(task)
        assert table is not None
        columns = task.hypermodel.columns
        splits = (task.train, task.valid)
        beside = [None if split is None or columns is None else columns.vectors(split) for split in splits]
        head = _first_head(task, module.dimension + _width(task))
        return with_words(task, EmbeddingBagTraining(module, table, head, task.optimizer, task.data(*beside)))

    @staticmethod
    def _table(task: TrainingTask) -> Any:
        return task.shared.table(_fine_tuned(task), task.train, task.valid, _decays(task))


class SparseRowTrainer:
    """Trains a module and its head at the cost of the rows of its tables that the texts touch."""

    handles = _OF_MODULES

    def supports(self, task: TrainingTask) -> bool:
        """Whether a module is trained, in float32, without a callback that asks for a Keras model."""
        return _fine_tunes(task) and task.values["optimizer"] in RULES and not task.hypermodel.target.several

    def train(self, task: TrainingTask) -> FineTuning:
        """Makes the training of module and head."""
        module = _fine_tuned(task).load()
        touched = task.shared.touched(_fine_tuned(task), task.train, _decays(task))
        splits = (task.train, task.valid)
        texts = [None if split is None else tensors(split.texts) for split in splits]
        head = _first_head(task, module.dimension + _width(task))
        inputs, data = _beside(task, TextInputs(module), *texts)
        return with_words(task, SparseRowTraining(module, inputs, touched, head, task.optimizer, data))


class LayerTrainer:
    """Trains the last layers of a module and its head, on what the layers below gave for the tokens of the texts."""

    handles = _OF_MODULES | {"unfreeze", "layer_decay", "schedule"}

    def supports(self, task: TrainingTask) -> bool:
        """Whether the module's layers are known, trained in float32, without a callback that asks for a Keras model."""
        several = task.hypermodel.target.several
        return _fine_tunes(task) and task.values["optimizer"] in RULES and task.layers is not None and not several

    def train(self, task: TrainingTask) -> FineTuning:
        """Makes the training of layers and head."""
        layers, hypermodel = task.layers, task.hypermodel
        assert layers is not None
        splits = [split for split in (task.train, task.valid) if split is not None]
        below = [hypermodel.below(layers, split) for split in splits]
        kept = [rows for rows in below if rows is not None]
        rows = kept if len(kept) == len(splits) else [hypermodel.tokens(layers, split) for split in splits]
        of_module = LayerInputs(layers, rows is kept, task.optimizer.layer_decay)
        inputs, data = _beside(task, of_module, rows[0], rows[-1])
        touched = find_touched_of_layers(layers, hypermodel.tokens(layers, task.train), _decays(task))
        head = _first_head(task, layers.module.dimension + _width(task))
        return with_words(task, SparseRowTraining(layers.module, inputs, touched, head, task.optimizer, data))


def _width(task: TrainingTask) -> int:
    """The width of the vectors of columns beside the texts."""
    columns = task.hypermodel.columns
    return 0 if columns is None else columns.vectors(task.train).dimension


def _beside(task: TrainingTask, inputs: ModuleInputs, train: Any, valid: Any) -> tuple[ModuleInputs, TrainingData]:
    """The inputs of a module and the data of its training, with columns beside them where there are any."""
    columns = task.hypermodel.columns
    if columns is None:
        return inputs, task.data(train, valid)
    of_valid = None if task.valid is None else Several((valid, columns.vectors(task.valid)))
    return InputsBeside(inputs, _width(task)), task.data(Several((train, columns.vectors(task.train))), of_valid)


def _first_head(task: TrainingTask, inputs: int) -> Head:
    """The head of a configuration over so many inputs, with weights that follow from the seed."""
    values = task.values
    widths = [values[f"units_{i}"] for i in range(1, values["layers"] + 1)]
    # Without a hidden layer there is neither activation nor dropout.
    activation, dropout = values.get("activation", "relu"), values.get("dropout", 0.0)
    output = Sigmoid() if task.hypermodel.target.several else None
    head = Head(inputs, widths, task.hypermodel.classes, activation, dropout, output=output)
    head.initialize(np.random.default_rng(task.seed), task.first_logits)
    return head


def with_words(task: TrainingTask, training: FineTuning) -> FineTuning:
    """The training of a task, with the weights of the words where there are such."""
    return training if task.words is None else WithWords(training, task.words)


def _fine_tuned(task: TrainingTask) -> SavedModule:
    module = task.backbone.fine_tuned(task.values)
    assert module is not None
    return module


def _decays(task: TrainingTask) -> bool:
    return task.optimizer.weight_decay > 0


def _fine_tunes(task: TrainingTask) -> bool:
    trained = task.backbone.fine_tuned(task.values) is not None
    return trained and not task.callbacks and keras.config.dtype_policy().compute_dtype == "float32"


def _is_in_numpy(task: TrainingTask) -> bool:
    return task.values["optimizer"] in FLAT_OPTIMIZERS and task.values.get("activation", "relu") in ACTIVATIONS


def on_texts(task: TrainingTask) -> TrainingData:
    """The data of a training whose model takes texts."""
    texts = [None if split is None else tensors(split.inputs) for split in (task.train, task.valid)]
    return task.data(*texts)
