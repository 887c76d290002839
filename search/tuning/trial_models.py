"""KerasTuner's ways to make the model and the callbacks of a trial, apart from its tuner."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import keras
import keras_tuner

from search.training.seeds import trial_seed
from search.tuning.trial import TrialSpec

_SETTINGS = ("hypermodel", "max_model_size", "optimizer", "loss", "metrics", "distribution_strategy")


class TrialModels(keras_tuner.Tuner):
    """The part of a tuner that makes models, which can be taken to other processes; it proposes and runs nothing.

    Args:
        tuner: Its HyperModel and its settings of models count.
        seed: Seed of the search, from which the weights of a model follow.
    """

    def __init__(self, tuner: keras_tuner.Tuner, seed: int) -> None:
        for name in _SETTINGS:
            setattr(self, name, getattr(tuner, name))
        self.seed = seed

    def build(self, hp: keras_tuner.HyperParameters) -> keras.Model:
        """Makes the compiled model of a trial, as `keras_tuner.Tuner` does.

        Args:
            hp: The hyperparameters of the trial.
        """
        # KerasTuner clears Keras's session before it builds, and mixed precision with it.
        self._policy = keras.config.dtype_policy()
        return self._try_build(hp)

    def callbacks(self, given: Sequence[keras.callbacks.Callback], spec: TrialSpec) -> list[keras.callbacks.Callback]:
        """Copies the callbacks of a search for a trial; those of TensorBoard write into a folder of its own."""
        copies: list[keras.callbacks.Callback] = self._deepcopy_callbacks(given)
        trial = SimpleNamespace(trial_id=spec.trial_id, hyperparameters=spec.hyperparameters())
        self._configure_tensorboard_dir(copies, trial)
        return copies

    def _build_hypermodel(self, hp: Any) -> keras.Model:
        keras.config.set_dtype_policy(self._policy)
        keras.utils.set_random_seed(trial_seed(self.seed, hp.values))
        return super()._build_hypermodel(hp)
