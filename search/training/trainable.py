"""A HyperModel that trains its models in the fastest way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import keras_tuner

from search.backbones.base import Backbone
from search.datasets import Examples
from search.models.hypermodel import TextClassifierHyperModel
from search.training.base import NOTHING_KNOWN, Training, TrialState
from search.training.sample_weight import sample_weight
from search.training.seeds import trial_seed
from search.training.shared import SharedResources
from search.training.task import TrainingTask
from search.training.trainers import KERAS, begun, make_training, probed_first


class TrainableHyperModel(TextClassifierHyperModel):
    """Trains what `TextClassifierHyperModel` makes: for the tuners of this package, and by `fit` for KerasTuner's own.

    Args:
        *arguments: As for `TextClassifierHyperModel`.
        **settings: As for `TextClassifierHyperModel`.

    Attributes:
        shared: What the trainings of all trials have in common.
    """

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.shared = SharedResources()

    def training(
        self,
        hp: keras_tuner.HyperParameters,
        train: Examples,
        valid: Examples,
        *,
        state: TrialState = NOTHING_KNOWN,
        callbacks: Sequence[keras.callbacks.Callback] = (),
        verbose: int = 0,
    ) -> Training:
        """Makes the training of a trial, at its beginning.

        Args:
            hp: The hyperparameters.
            train: Rows to train on.
            valid: Rows to score by.
            state: The facts found out before.
            callbacks: Keras callbacks; they find every metric in their logs, `val_…` for those of `valid`.
            verbose: As in `keras.Model.fit`.
        """
        return make_training(self.task(hp, train, valid, state=state, callbacks=callbacks, verbose=verbose))

    def task(
        self, hp: keras_tuner.HyperParameters, train: Examples, valid: Examples | None = None, **settings: Any
    ) -> TrainingTask:
        """The task of training a trial.

        Args:
            hp: The hyperparameters.
            train: Rows to train on.
            valid: Rows to score by; None: none, as in the refit.
            **settings: Other attributes of `TrainingTask`.
        """
        values = self.space.declare(hp)
        train = self.shared.with_views(train, values)
        return TrainingTask(
            values,
            self,
            self.shared,
            train,
            valid,
            sample_weight(values, train.labels, self.classes),
            values["batch_size"],
            trial_seed(self.seed, hp.values),
            **settings,
        )

    def fit(
        self,
        hp: keras_tuner.HyperParameters,
        model: keras.Model,
        train: Examples,
        valid: Examples | None = None,
        *,
        epochs: int,
        initial_epoch: int = 0,
        **settings: Any,
    ) -> keras.callbacks.History:
        """Trains a model that `build` made, scoring it on both splits after each epoch; KerasTuner calls it.

        Args:
            hp: The hyperparameters the model was built from.
            model: The model, at `initial_epoch` of its training.
            train: Rows to train on.
            valid: Rows to score by; None: none.
            epochs: Epochs of training when it ends, `initial_epoch` included.
            initial_epoch: Epochs behind the model.
            **settings: `callbacks` and `verbose`, as for `keras.Model.fit`; `state`, as for `training`.

        Returns:
            Keras's history of the logs.
        """
        task = self.task(hp, train, valid, **settings)
        given = KERAS.training_of(model if initial_epoch else begun(model, task), task)
        training = probed_first(task, given) if task.trains_head_first else given
        training.run(range(initial_epoch, epochs), lambda epoch, metrics: False)
        return model.history

    def learning_from(self, train: Examples) -> TrainableHyperModel:
        """A copy for a part of the training split, from which alone vocabularies and columns are learned.

        What frozen modules give and modules that are held in memory are shared.
        """
        backbones = {name: one.learning_from(train.texts) for name, one in self.backbones.items()}
        return self._with_words_of(train, backbones)

    def refitting(self, train: Examples) -> TrainableHyperModel:
        """The same for a refit on rows, whose words and columns it learns.

        The vocabulary of an encoder stays: it is part of what was selected, and a weight of the trial stays the weight
        of the same token.
        """
        return self._with_words_of(train, self.backbones)

    def _with_words_of(self, train: Examples, backbones: Mapping[str, Backbone]) -> TrainableHyperModel:
        # No copy: KerasTuner binds `build` to the instance that it was made for.
        words = None if self.words is None else self.words.learning_from(train.texts)
        columns = None if self.columns is None else self.columns.learning_from(train)
        settings: dict[str, Any] = {"words": words, "max_epochs": self.max_epochs, "columns": columns}
        other = TrainableHyperModel(self.space, backbones, self.target, self.seed, **settings)
        other._features = self._features
        other.shared = self.shared
        return other
