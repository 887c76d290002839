"""The training of a head on cached features, as a tuner sees it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from search.optimizers.flat import FlatOptimizer, clip
from search.training.base import OnEpochEnd
from search.training.head.network import Floats, Head, Inputs
from search.training.order import epoch_order
from search.training.scores import Metrics, split_metrics, training_sample
from search.utils.checkpoint import Arrays

# Keeps what dropout draws in an epoch apart from the order of its rows.
_DROPOUT_STREAM = 1


@cache
def _blas() -> ThreadpoolController:
    # Looking for the libraries takes milliseconds, once.
    return ThreadpoolController()


@dataclass(frozen=True)
class Rows:
    """Rows of a split as a head sees them.

    Attributes:
        features: Of n rows.
        labels: Class indices [n].
    """

    features: Inputs
    labels: NDArray[np.int64]


class HeadTraining:
    """Trains a head; see `search.training.base.Training`.

    The order of rows and what dropout drops are functions of the seed and the epoch, so the weights, the optimizer's
    slots and its step are all that the next epoch depends on.

    Args:
        head: The head, with its first weights.
        optimizer: Of the head's weights.
        train: Rows to train on.
        valid: Rows to score by; None: none, as in the refit.
        importance: Weight of each training row in the loss, float32 [n].
        batch_size: Rows of a batch; the last one of an epoch may be smaller.
        seed: Seed of the trial.
    """

    def __init__(
        self,
        head: Head,
        optimizer: FlatOptimizer,
        train: Rows,
        valid: Rows | None,
        importance: NDArray[np.float32],
        batch_size: int,
        seed: int,
    ) -> None:
        self.head = head
        self._optimizer = optimizer
        self._train = train
        self._valid = valid
        self._importance = importance
        self._batch_size = batch_size
        self._seed = seed
        self._sample = training_sample(len(train.labels), None if valid is None else len(valid.labels), seed)

    @property
    def parameters(self) -> int:
        """Weights of the head."""
        return len(self.head.weights)

    def weights(self) -> Arrays:
        """Kernel and bias of each layer, as a Keras model of the same head has them."""
        return self.head.arrays()

    def state(self) -> Arrays:
        """The flat weights, the optimizer's slots and its step."""
        return [self.head.weights, self._optimizer.slots, np.array(self._optimizer.steps)]

    def set_state(self, state: Arrays) -> None:
        """Goes on from a state.

        Raises:
            ValueError: It is the state of another model.
        """
        expected = [array.shape for array in self.state()]
        if [array.shape for array in state] != expected:
            raise ValueError(f"The checkpoint is another model's: expected {expected}, got {[a.shape for a in state]}.")
        self.head.weights[:], self._optimizer.slots[:] = state[-3:-1]
        self._optimizer.steps = int(state[-1])

    def run(self, epochs: range, on_epoch_end: OnEpochEnd) -> None:
        """Trains, as `Training.run` says."""
        for epoch in epochs:
            # The products are too small to share: cores that wait for each other made them up to 100 times slower.
            # Weights that diverge are told by their scores.
            with _blas().limit(limits=1, user_api="blas"), np.errstate(all="ignore"):
                loss = self._run_epoch(epoch)
                metrics = Metrics({**self._scores("", self._train, self._sample), "loss": loss})
                if self._valid is not None:
                    valid = self._scores("val_", self._valid, np.arange(len(self._valid.labels)))
                    metrics = metrics.with_validation(valid)
            if on_epoch_end(epoch + 1, metrics):
                return

    def _run_epoch(self, epoch: int) -> float:
        order = epoch_order(len(self._train.labels), self._seed, epoch)
        labels, importance = self._train.labels[order], self._importance[order]
        drawn = np.random.Generator(np.random.PCG64([self._seed, epoch, _DROPOUT_STREAM]))
        total = 0.0
        for start in range(0, len(order), self._batch_size):
            batch = slice(start, start + self._batch_size)
            total += float(self._step(order[batch], labels[batch], importance[batch], drawn).sum())
        return total / len(order)

    def _step(
        self,
        rows: NDArray[np.int64],
        labels: NDArray[np.int64],
        importance: NDArray[np.float32],
        drawn: np.random.Generator,
    ) -> Floats:
        """Makes one step on a batch; gives the loss of each row."""
        losses = self.head.learn(self._train.features.take(rows), labels, importance, drawn)
        clip([self.head.gradient], self._optimizer.settings.clip_norm)
        self._optimizer.step(self.head.gradient)
        return losses

    def _scores(self, prefix: str, split: Rows, rows: NDArray[np.int64]) -> Metrics:
        return split_metrics(prefix, split.labels[rows], self.head.probabilities(split.features, rows))
