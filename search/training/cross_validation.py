"""A HyperModel whose trials are cross-validated: a model for each fold, and the mean of what they score."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import keras
import keras_tuner

from search.backbones.description import Description
from search.datasets import Fold
from search.features.passes import PassObserver
from search.models.weights import assign, model_weights
from search.training.base import NOTHING_KNOWN, Training, TrialState
from search.training.folded_training import FoldedTraining, unpack
from search.training.trainable import TrainableHyperModel
from search.training.trainers import make_training
from search.utils.checkpoint import Arrays


class CrossValidated(keras_tuner.HyperModel):
    """Trains every trial once for each fold, on what the others hold.

    Nothing in a fold's model comes from the rows it is judged by: the vocabulary of an encoder is that of the
    fold's own training texts. The features of a frozen module are the same for all folds, and computed once.

    Args:
        whole: Makes the models; its own are of all rows.
        folds: What to learn from and be judged by, in turn.
    """

    def __init__(self, whole: TrainableHyperModel, folds: Sequence[Fold]) -> None:
        super().__init__()
        self.whole = whole
        self.folds = folds
        self.of_folds = [whole.learning_from(fold.train) for fold in folds]

    def observe_passes(self, observer: PassObserver) -> None:
        """Sets the observer of passes of texts through frozen modules from now on."""
        self.whole.observe_passes(observer)

    def declare_hyperparameters(self, hp: keras_tuner.HyperParameters) -> None:
        """Declares the whole space, before any model is built."""
        self.whole.declare_hyperparameters(hp)

    def build(self, hp: keras_tuner.HyperParameters) -> keras.Model:
        """Builds the model of one configuration for all rows."""
        return self.whole.build(hp)

    def describe(self, values: Mapping[str, Any]) -> Description:
        """The facts about the backbone of a configuration, which is the same in all folds."""
        return self.whole.describe(values)

    def training(
        self, hp: keras_tuner.HyperParameters, *, state: TrialState = NOTHING_KNOWN, **settings: Any
    ) -> Training:
        """Makes the training of a trial, which holds the rows that it needs.

        Args:
            hp: The hyperparameters.
            state: The facts found out before.
            **settings: As for `TrainableHyperModel.training`.
        """
        # Each fold finds out for itself how long its head is to be trained alone, also where the trial is made again.
        state = replace(state, head_epochs=None)
        trainings = [
            make_training(hypermodel.task(hp, fold.train, fold.valid, state=state, **settings))
            for hypermodel, fold in zip(self.of_folds, self.folds, strict=True)
        ]
        return FoldedTraining(trainings, [fold.at for fold in self.folds])

    def load_models(self, hp: keras_tuner.HyperParameters, weights: Arrays) -> Iterator[keras.Model]:
        """Builds the model of each fold, one after the other.

        Args:
            hp: The hyperparameters of a trial.
            weights: Those of its best epoch.
        """
        for hypermodel, own in zip(self.of_folds, unpack(weights), strict=True):
            model = hypermodel.build(hp)
            assign(model_weights(model), own)
            yield model
