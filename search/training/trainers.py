"""The ways of training, fastest first, and the choice between them.

Every way gives the numbers that Keras's own `fit` gives. A way names the settings of the space that it implements: a
task with a hyperparameter of another one goes on to the next way, and in the end to Keras, which implements all.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import partial
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from search.backbones.base import SavedModule
from search.backbones.learned.encoder import SETTINGS as OF_LEARNED
from search.datasets import Examples
from search.models.keras_model import linear_words, with_offset
from search.models.weights import assign
from search.optimizers.flat import FLAT_OPTIMIZERS
from search.optimizers.sparse_rows import RULES
from search.training.base import FineTuning, Training
from search.training.embedding_bag import EmbeddingBagTraining
from search.training.head import Head, HeadTraining
from search.training.head.activations import ACTIVATIONS
from search.training.keras_fit import fit_model
from search.training.keras_training import KerasTraining
from search.training.lp_ft import LinearProbingThenFineTuning
from search.training.rows import TrainingData
from search.training.sparse_fine_tuning import (
    LayerInputs,
    SparseRowTraining,
    TextInputs,
    find_touched_of_layers,
)
from search.training.task import Trainer, TrainingTask
from search.training.wide.whole_model import OfWhole
from search.training.wide.with_words import WithWords, WordsAloneTraining
from spaces import SETTINGS

_OF_HEADS = frozenset({
    *("modules", "wide", "wide_l2", "trainable", "layers", "units", "activation", "dropout"),
    *("learning_rate", "optimizer", "weight_decay", "clip_norm", "batch_size", "class_weight"),
})  # fmt: skip
_OF_MODULES = _OF_HEADS | {"fine_tuning_rate", "warmup_steps"}
_ABOVE_INPUTS = _OF_HEADS | {*OF_LEARNED, "fine_tuning_rate"}


class HeadTrainer:
    """Trains the head of a frozen backbone on its features, which are computed once."""

    handles = _OF_HEADS

    def supports(self, task: TrainingTask) -> bool:
        """Whether the backbone is a constant whose features can be kept, and no callback asks for a Keras model."""
        frozen = task.backbone.frozen_features(task.values) is not None
        return frozen and task.hypermodel.keeps_features and not task.callbacks and _is_in_numpy(task)

    def train(self, task: TrainingTask) -> FineTuning:
        """Makes the training of the head."""
        module = _present(task.backbone.frozen_features(task.values))
        features = task.hypermodel.features(module, task.train)
        valid = None if task.valid is None else task.hypermodel.features(module, task.valid)
        head = _first_head(task, features.dimension)
        return _with_words(task, HeadTraining(head, task.optimizer, task.data(features, valid)))


class WordsAloneTrainer:
    """Fits words without a head."""

    handles = _OF_HEADS

    def supports(self, task: TrainingTask) -> bool:
        """Whether there is nothing else, and no callback asks for a Keras model."""
        return task.is_words_alone and not task.callbacks

    def train(self, task: TrainingTask) -> FineTuning:
        """Makes the training, in which there is nothing left to train."""
        return _with_words(task, WordsAloneTraining(task.data(None, None)))


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
        head = _first_head(task, module.dimension)
        return _with_words(task, EmbeddingBagTraining(module, table, head, task.optimizer, task.data(None, None)))

    @staticmethod
    def _table(task: TrainingTask) -> Any:
        return task.shared.table(_fine_tuned(task), task.train, task.valid)


class SparseRowTrainer:
    """Trains a module and its head at the cost of the rows of its tables that the texts touch."""

    handles = _OF_MODULES

    def supports(self, task: TrainingTask) -> bool:
        """Whether a module is trained, in float32, without a callback that asks for a Keras model."""
        return _fine_tunes(task) and task.values["optimizer"] in RULES

    def train(self, task: TrainingTask) -> FineTuning:
        """Makes the training of module and head."""
        module = _fine_tuned(task).load()
        touched = task.shared.touched(_fine_tuned(task), task.train)
        head, data, inputs = _first_head(task, module.dimension), _on_texts(task), TextInputs(module)
        training = SparseRowTraining(module, inputs, touched, head, task.optimizer, data, task.accumulate)
        return _with_words(task, training)


class LayerTrainer:
    """Trains the last layers of a module and its head, on what the layers below gave for the tokens of the texts."""

    handles = _OF_MODULES | {"unfreeze", "layer_decay", "schedule"}

    def supports(self, task: TrainingTask) -> bool:
        """Whether the module's layers are known, trained in float32, without a callback that asks for a Keras model."""
        return _fine_tunes(task) and task.values["optimizer"] in RULES and task.layers is not None

    def train(self, task: TrainingTask) -> FineTuning:
        """Makes the training of layers and head."""
        layers, hypermodel = task.layers, task.hypermodel
        assert layers is not None
        splits = [split for split in (task.train, task.valid) if split is not None]
        below = [hypermodel.below(layers, split) for split in splits]
        kept = [rows for rows in below if rows is not None]
        rows = kept if len(kept) == len(splits) else [hypermodel.tokens(layers, split) for split in splits]
        inputs = LayerInputs(layers, rows is kept, task.optimizer.layer_decay)
        touched = find_touched_of_layers(layers, hypermodel.tokens(layers, task.train))
        head, data = _first_head(task, layers.module.dimension), task.data(rows[0], rows[-1])
        training = SparseRowTraining(layers.module, inputs, touched, head, task.optimizer, data, task.accumulate)
        return _with_words(task, training)


class PreparedInputsTrainer:
    """Trains layers by Keras's `fit` above inputs that the backbone makes of the texts once."""

    handles = _ABOVE_INPUTS

    def supports(self, task: TrainingTask) -> bool:
        """Whether there are such inputs and they can be kept, and no callback asks for the model of texts."""
        return task.hypermodel.prepares_inputs(task.values) and not task.callbacks

    def train(self, task: TrainingTask) -> FineTuning:
        """Makes the training of what is above the inputs."""
        keras.utils.set_random_seed(task.seed)
        model = task.hypermodel.prepared_model(task.values, task.accumulate)

        def inputs(split: Examples | None) -> Any:
            return None if split is None else task.hypermodel.prepared_inputs(task.values, split)

        return _with_words(task, _by_keras(task, model, task.data(inputs(task.train), inputs(task.valid))))


class WholeModelTrainer:
    """Trains the model of texts by Keras's `fit`: the way that all others are measured by."""

    handles = frozenset(SETTINGS)

    def supports(self, task: TrainingTask) -> bool:
        """Whether there is a model, which is always so."""
        return True

    def train(self, task: TrainingTask) -> FineTuning:
        """Makes the training of the whole."""
        # The model of the trial before holds itself in memory by its cycles, until somebody looks.
        gc.collect()
        keras.utils.set_random_seed(task.seed)
        return self.training_of(task.hypermodel.model(task.values, task.accumulate), task)

    @staticmethod
    def training_of(model: keras.Model, task: TrainingTask) -> FineTuning:
        """Makes the training of a model of texts that was built before."""
        if model.optimizer is not None and hasattr(model.optimizer, "decay_steps"):
            model.optimizer.decay_steps = task.optimizer.decay_steps
        if task.words is not None:
            words = linear_words(model)
            assert words is not None
            assign(words.weights, task.words.arrays)
            task = replace(task, callbacks=[OfWhole(task.callbacks, model)])
            model = with_offset(model)
        module = task.backbone.text_module(task.values)
        faults = nullcontext if module is None else partial(task.shared.faults, module, task.train, task.valid)
        return _with_words(task, _by_keras(task, model, _on_texts(task), faults))


FASTER: tuple[Trainer, ...] = (
    WordsAloneTrainer(),
    HeadTrainer(),
    EmbeddingBagTrainer(),
    LayerTrainer(),
    SparseRowTrainer(),
    PreparedInputsTrainer(),
)
KERAS = WholeModelTrainer()


def choose(task: TrainingTask) -> Trainer:
    """The fastest way of training that implements every hyperparameter of a task, but for `head_first`.

    That is no matter of the way: `make_training` trains the head alone, in a way of its own.
    """
    task = task.after_probing()
    return next((one for one in FASTER if task.settings <= one.handles and one.supports(task)), KERAS)


def make_training(task: TrainingTask) -> Training:
    """Makes the training of a task, at its beginning, in the fastest way."""
    training = choose(task).train(task.after_probing())
    return probed_first(task, training) if task.trains_head_first else training


def probed_first(task: TrainingTask, fine_tuning: FineTuning) -> LinearProbingThenFineTuning:
    """Puts the training of the head alone before that of a module with its head."""
    return LinearProbingThenFineTuning(make_training(task.probing()), fine_tuning, task.head_epochs)


def _first_head(task: TrainingTask, inputs: int) -> Head:
    """The head of a configuration over so many inputs, with weights that follow from the seed."""
    values = task.values
    widths = [values[f"units_{i}"] for i in range(1, values["layers"] + 1)]
    # Without a hidden layer there is neither activation nor dropout.
    activation, dropout = values.get("activation", "relu"), values.get("dropout", 0.0)
    head = Head(inputs, widths, task.hypermodel.classes, activation, dropout)
    head.initialize(np.random.default_rng(task.seed))
    return head


def _with_words(task: TrainingTask, training: FineTuning) -> FineTuning:
    """The training of a task, with the weights of the words where there are such."""
    return training if task.words is None else WithWords(training, task.words)


def _by_keras(
    task: TrainingTask,
    model: keras.Model,
    data: TrainingData,
    faults: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> KerasTraining:
    """The training of a model by Keras's `fit`, its batches cut into as many parts as the task asks for."""
    parts = replace(data, batch_size=max(1, data.batch_size // task.accumulate))

    def fit(**settings: Any) -> keras.callbacks.History:
        with faults():
            return fit_model(model, parts, verbose=task.verbose, **settings)

    return KerasTraining(model, fit, task.callbacks)


def _fine_tuned(task: TrainingTask) -> SavedModule:
    return _present(task.backbone.fine_tuned(task.values))


def _present(module: SavedModule | None) -> SavedModule:
    assert module is not None
    return module


def _fine_tunes(task: TrainingTask) -> bool:
    trained = task.backbone.fine_tuned(task.values) is not None
    return trained and not task.callbacks and keras.config.dtype_policy().compute_dtype == "float32"


def _is_in_numpy(task: TrainingTask) -> bool:
    return task.values["optimizer"] in FLAT_OPTIMIZERS and task.values.get("activation", "relu") in ACTIVATIONS


def _on_texts(task: TrainingTask) -> TrainingData:
    texts = [None if split is None else tf.constant(split.texts.tolist()) for split in (task.train, task.valid)]
    return task.data(*texts)
