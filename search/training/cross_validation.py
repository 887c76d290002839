"""A HyperModel whose trials are cross-validated: a model for each fold, and the mean of what they score."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import keras
import keras_tuner
import numpy as np

from search.datasets import Fold
from search.models.hypermodel import TextClassifierHyperModel
from search.training.base import KerasTraining, Training, assign, model_weights
from search.training.folds import FoldedTraining, parted
from search.tuning.seeds import HEAD_EPOCHS, trial_seed
from search.utils.checkpoint import Arrays


class CrossValidated(keras_tuner.HyperModel):
    """Trains every trial once for each fold, on what the others hold.

    Nothing that a fold's model is made with comes from the rows it is judged by: an encoder's vocabulary is of the
    fold's own training texts. What a frozen module gives is the same for all folds, and computed once.

    Args:
        whole: Makes the models; its own are of all rows.
        folds: What to learn from and be judged by, in turn.
    """

    accumulates_gradients = True

    def __init__(self, whole: TextClassifierHyperModel, folds: Sequence[Fold]) -> None:
        super().__init__()
        self.whole = whole
        self.folds = folds
        self.of_folds = [whole.learning_from(fold.train.texts) for fold in folds]

    def declare_hyperparameters(self, hp: keras_tuner.HyperParameters) -> None:
        """Declares the whole space, before any model is built."""
        self.whole.declare_hyperparameters(hp)

    def build(self, hp: keras_tuner.HyperParameters) -> keras.Model:
        """Builds the model of one configuration for all rows."""
        return self.whole.build(hp)

    def fast_training(self, hp: keras_tuner.HyperParameters, **settings: Any) -> Training:
        """Makes the training of a trial, which holds the rows that it needs.

        Args:
            hp: The hyperparameters.
            **settings: As for `TextClassifierHyperModel.fast_training`.
        """
        self.whole.admit(hp)
        # Each fold finds out for itself how long its head is to be trained alone, also where the trial is made again.
        own = [_without_head_epochs(hp) for _ in self.folds]
        trainings = [self._training(*one, settings) for one in zip(self.of_folds, own, self.folds, strict=True)]
        return FoldedTraining(trainings, [fold.at for fold in self.folds], partial(_note_head_epochs, hp, own))

    def load_models(self, hp: keras_tuner.HyperParameters, weights: Arrays) -> Iterator[keras.Model]:
        """Builds the model of each fold, one after the other.

        Args:
            hp: The hyperparameters of a trial.
            weights: Those of its best epoch.
        """
        for hypermodel, own in zip(self.of_folds, parted(weights), strict=True):
            model = hypermodel.build(hp)
            assign(model_weights(model), own)
            yield model

    @staticmethod
    def _training(
        hypermodel: TextClassifierHyperModel, hp: keras_tuner.HyperParameters, fold: Fold, settings: Mapping[str, Any]
    ) -> Training:
        fast = hypermodel.fast_training(hp, fold.train, fold.valid, **settings)
        if fast is not None:
            return fast
        keras.utils.set_random_seed(trial_seed(hypermodel.seed, hp.values))
        model = hypermodel.build(hp)
        return KerasTraining(model, partial(hypermodel.fit, hp, model, fold.train, fold.valid, **settings))


def _without_head_epochs(hp: keras_tuner.HyperParameters) -> keras_tuner.HyperParameters:
    own = copy.copy(hp)
    own.values = {name: value for name, value in hp.values.items() if name != HEAD_EPOCHS}
    return own


def _note_head_epochs(hp: keras_tuner.HyperParameters, folds: Sequence[keras_tuner.HyperParameters]) -> None:
    """Notes of a trial how long the heads of its folds were trained alone, on average: so long it is in the refit."""
    epochs = [one.values[HEAD_EPOCHS] for one in folds if HEAD_EPOCHS in one.values]
    if epochs:
        hp.values[HEAD_EPOCHS] = max(1, round(float(np.mean(epochs))))
