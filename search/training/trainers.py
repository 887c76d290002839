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

from search.datasets import Examples
from search.models.keras_model import linear_words, output_layer, with_offset
from search.models.weights import assign
from search.training.base import FineTuning, Training
from search.training.fast_trainers import (
    OF_HEADS,
    EmbeddingBagTrainer,
    HeadTrainer,
    LayerTrainer,
    SparseRowTrainer,
    WordsAloneTrainer,
    on_texts,
    with_words,
)
from search.training.keras_fit import fit_model
from search.training.keras_training import KerasTraining
from search.training.lp_ft import LinearProbingThenFineTuning
from search.training.rows import TrainingData
from search.training.task import Trainer, TrainingTask
from search.training.wide.whole_model import OfWhole
from spaces import OF_BACKBONES, SETTINGS

_ABOVE_INPUTS = OF_HEADS | {*OF_BACKBONES, "fine_tuning_rate"}


class PreparedInputsTrainer:
    """Trains layers by Keras's `fit` above inputs that the backbone makes of the texts once."""

    handles = _ABOVE_INPUTS

    def supports(self, task: TrainingTask) -> bool:
        """Whether there are such inputs and they can be kept, and no callback asks for the model of texts."""
        return task.hypermodel.prepares_inputs(task.values) and not task.callbacks

    def train(self, task: TrainingTask) -> FineTuning:
        """Makes the training of what is above the inputs."""
        keras.utils.set_random_seed(task.seed)
        model = begun(task.hypermodel.prepared_model(task.values, task.state.accumulate), task)

        def inputs(split: Examples | None) -> Any:
            return None if split is None else task.hypermodel.prepared_inputs(task.values, split)

        return with_words(task, _by_keras(task, model, task.data(inputs(task.train), inputs(task.valid))))


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
        return self.training_of(begun(task.hypermodel.model(task.values, task.state.accumulate), task), task)

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
        modules = task.backbone.text_modules(task.values)
        faults = partial(task.shared.faults, modules, task.train, task.valid)
        return with_words(task, _by_keras(task, model, on_texts(task), faults))


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
    return LinearProbingThenFineTuning(make_training(task.probing()), fine_tuning, task.state.head_epochs)


def begun(model: keras.Model, task: TrainingTask) -> keras.Model:
    """A model that was built anew, with the logits that the task begins at."""
    if (first := task.first_logits) is not None:
        output_layer(model).bias.assign(first)
    return model


def _by_keras(
    task: TrainingTask,
    model: keras.Model,
    data: TrainingData,
    faults: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> KerasTraining:
    """The training of a model by Keras's `fit`, on one device."""

    def fit(**settings: Any) -> keras.callbacks.History:
        with faults():
            return fit_model(model, data, verbose=task.verbose, **settings)

    return KerasTraining(model, fit, task.callbacks)
