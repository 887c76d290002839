"""A task of training, and the contract of its trainers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Protocol

import keras
import numpy as np
from numpy.typing import NDArray
from scipy.special import logit

from search.backbones.base import Backbone
from search.backbones.hub.layers import ModuleLayers
from search.datasets import Examples
from search.models.hypermodel import TextClassifierHyperModel
from search.optimizers.optimizer_settings import OptimizerSettings
from search.training.base import NOTHING_KNOWN, FineTuning, TrialState
from search.training.rows import InputRows, TrainingData
from search.training.shared import SharedResources
from search.training.wide.word_regression import WordRegression
from spaces import OF_FINE_TUNING, l2_of_words, setting_of

_HEAD_FIRST = "head_first"


@dataclass(frozen=True, eq=False)
class TrainingTask:
    """A configuration and the rows to train it on.

    Attributes:
        values: The hyperparameters.
        hypermodel: Builds its model, and has what its module gives.
        shared: What the trainings of several configurations have in common.
        train: Rows to train on.
        valid: Rows to score by; None: none, as in the refit.
        sample_weight: Weight of each training row in the loss, float32 [n].
        batch_size: Rows of a step.
        seed: Seed of the trial.
        state: The facts found out before.
        callbacks: Keras callbacks, which only a Keras model can be trained with.
        verbose: As in `keras.Model.fit`.
    """

    values: Mapping[str, Any]
    hypermodel: TextClassifierHyperModel
    shared: SharedResources
    train: Examples
    valid: Examples | None
    sample_weight: NDArray[np.float32]
    batch_size: int
    seed: int
    state: TrialState = NOTHING_KNOWN
    callbacks: Sequence[keras.callbacks.Callback] = ()
    verbose: int = 0

    @cached_property
    def settings(self) -> frozenset[str]:
        """The settings of the space that the hyperparameters belong to: the width of each layer to `units`."""
        return frozenset(setting_of(name) for name in self.values)

    @property
    def backbone(self) -> Backbone:
        """The backbone under the head."""
        return self.hypermodel.backbone(self.values)

    @property
    def optimizer(self) -> OptimizerSettings:
        """The optimizer of all weights."""
        settings = OptimizerSettings.of(self.values)
        if self.values.get("schedule") != "linear":
            return settings
        steps = math.ceil(len(self.train) / self.batch_size) * self.hypermodel.max_epochs
        return replace(settings, decay_steps=steps)

    @property
    def layers(self) -> ModuleLayers | None:
        """The layers of the module that is trained, where they are known one by one."""
        return self.backbone.layers(self.values)

    def data(self, train: Any, valid: Any) -> TrainingData:
        """The data of a training whose model takes these inputs for the two splits."""
        of_train, of_valid = self._offsets
        layers = self.layers
        return TrainingData(
            InputRows(train, self.train.labels, of_train),
            None if self.valid is None else InputRows(valid, self.valid.labels, of_valid),
            self.sample_weight,
            self.batch_size,
            self.seed,
            self.hypermodel.target,
            None if layers is None else self.hypermodel.tokens(layers, self.train).lengths,
            self.state.accumulate,
            self.shared.devices,
        )

    @cached_property
    def words(self) -> WordRegression | None:
        """The words beside the head, or alone; None where there are none."""
        l2 = l2_of_words(self.values)
        if l2 is None:
            return None
        assert self.hypermodel.words is not None
        words = self.hypermodel.words.learning_from(self.train.texts)
        return self.shared.regression(words, self.train, self.sample_weight, l2, self.hypermodel.classes)

    @property
    def _offsets(self) -> tuple[NDArray[np.float32] | None, NDArray[np.float32] | None]:
        """The logits of words, of the rows to train on and to score by."""
        words = self.words
        if words is None:
            return None, None
        of_valid = None if self.valid is None else words.logits(self.valid.texts)
        # A head learns what is left by words that do not know the row; without one there is nothing to learn.
        return words.logits(self.train.texts) if self.is_words_alone else words.held_out, of_valid

    @property
    def first_logits(self) -> NDArray[np.float32] | None:
        """The logits that a head of several labels begins at, those of their shares, float32 [labels]; None: at 0.

        A text has few of many labels: a head that begins at one half learns nothing else in its first epochs, which
        rank the trials. Words beside it know the shares.
        """
        if not self.hypermodel.target.several or self.words is not None:
            return None
        shares = np.average(self.train.labels, axis=0, weights=self.sample_weight)
        least = 0.5 / len(self.train)
        return np.asarray(logit(shares.clip(least, 1 - least)), np.float32)

    @property
    def is_words_alone(self) -> bool:
        """Whether the model is nothing but words."""
        return not self.backbone.has_vectors

    @property
    def trains_head_first(self) -> bool:
        """Whether the head is trained alone before the module is trained with it."""
        return bool(self.values.get(_HEAD_FIRST))

    def probing(self) -> TrainingTask:
        """The head alone, above the frozen module."""
        values = {name: value for name, value in self.values.items() if name not in OF_FINE_TUNING}
        return replace(self, values={**values, "trainable": False}, callbacks=())

    def after_probing(self) -> TrainingTask:
        """The module with its head, which may have been trained alone before."""
        return replace(self, values={name: value for name, value in self.values.items() if name != _HEAD_FIRST})


class Trainer(Protocol):
    """A way of training.

    Attributes:
        handles: The settings of the space that it implements; of no other may a task have a hyperparameter.
    """

    handles: frozenset[str]

    def supports(self, task: TrainingTask) -> bool:
        """Whether it can train such a task, given that it handles its settings."""

    def train(self, task: TrainingTask) -> FineTuning:
        """Makes the training of a task that it supports, at its beginning."""
