"""The epochs of a training without Keras: batches, scores, reports."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from search.training.base import OnEpochEnd
from search.training.rows import Batch, InputRows, TrainingData
from search.training.scores import VALIDATION, Metrics, split_metrics


class EpochLoop(ABC):
    """Goes through the epochs of a training; a subclass makes the steps, and is a `search.training.base.Training`.

    Args:
        data: What is trained on and scored by.
    """

    head_epochs = None

    def __init__(self, data: TrainingData) -> None:
        self._data = data

    def run(self, epochs: range, on_epoch_end: OnEpochEnd) -> None:
        """Trains, as `Training.run` says."""
        with self._running():
            for epoch in epochs:
                if on_epoch_end(epoch + 1, self._run_epoch(epoch)):
                    return

    @abstractmethod
    def _step(self, batch: Batch) -> float:
        """Makes one step; gives the sum of the losses of its rows."""

    @abstractmethod
    def _probabilities(self, inputs: InputRows, rows: NDArray[np.int64] | None) -> NDArray[np.float64]:
        """Scores rows, all where none are named, without dropout: float64 [n, classes]."""

    @contextmanager
    def _running(self) -> Iterator[None]:
        """Sets up what all epochs of a run need."""
        yield

    def _run_epoch(self, epoch: int) -> Metrics:
        """Trains for an epoch, counted from 0, and scores what came out."""
        data = self._data
        total = 0.0
        for batch in data.batches(epoch):
            total += self._step(batch)
        labels, probabilities = data.train.labels[data.sample], self._probabilities(data.train, data.sample)
        scores = split_metrics("", labels, probabilities, data.target)
        metrics = Metrics({**scores, "loss": total / len(data.train.labels)})
        if data.valid is None:
            return metrics
        probabilities = self._probabilities(data.valid, None)
        return metrics.with_validation(split_metrics(VALIDATION, data.valid.labels, probabilities, data.target))
