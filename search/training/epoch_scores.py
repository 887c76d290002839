"""Scores a Keras model after each epoch of its training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from search.training.batches import scorer
from search.training.scores import split_metrics
from search.tuning.objective import VALIDATION


class EpochScores(keras.callbacks.Callback):
    """Adds the metrics of `split_metrics` to the logs of each epoch, scored after it, without dropout.

    Args:
        splits: Prefix of the metrics' names to strings [n] and labels [n].
    """

    def __init__(self, splits: Mapping[str, tuple[tf.Tensor, NDArray[np.int64]]]) -> None:
        super().__init__()
        self.splits = splits

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Compiles the model for scoring; once, though in cross-validation it is trained an epoch at a time."""
        if not hasattr(self.model, "scorer"):
            self.model.scorer = scorer(self.model)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Scores the splits; the loss of training stays Keras's own, the mean over the epoch's steps."""
        assert logs is not None
        for prefix, (texts, labels) in self.splits.items():
            metrics = split_metrics(prefix, labels, self.model.scorer(texts))
            logs.update({**metrics, **logs})
            if prefix == VALIDATION:
                self.model.scored = metrics.scored
