"""Callbacks of a model that is trained by a part of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras


class OfWhole(keras.callbacks.CallbackList):
    """Gives callbacks the whole model where a part of it, with the same layers, is trained.

    Args:
        callbacks: They may save it, or stop the training.
        whole: The model of texts, words beside its head included.
    """

    def __init__(self, callbacks: Sequence[keras.callbacks.Callback], whole: keras.Model) -> None:
        self._whole = whole
        self._trained: keras.Model | None = None
        # With Keras's history, which `fit` leaves with a model.
        super().__init__(list(callbacks), add_history=True)

    def set_model(self, model: keras.Model | None) -> None:
        """Takes the part that is trained."""
        self._trained = model
        super().set_model(self._whole)

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Tells the callbacks."""
        self._whole.stop_training = False
        super().on_train_begin(logs)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Tells the callbacks, and stops where one of them says so."""
        super().on_epoch_end(epoch, logs)
        if self._whole.stop_training and self._trained is not None:
            self._trained.stop_training = True
