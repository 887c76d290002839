"""The training of a head on cached features, as a tuner sees it."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from search.optimizers.flat import clip, flat_optimizer
from search.optimizers.optimizer_settings import OptimizerSettings
from search.training.base import check_shapes
from search.training.epoch_loop import EpochLoop
from search.training.head.head_network import Head
from search.training.rows import Batch, InputRows, TrainingData
from search.training.scores import Metrics
from search.utils.checkpoint import Arrays

# Keeps what dropout draws in an epoch apart from the order of its rows.
_DROPOUT_STREAM = 1


@cache
def _blas() -> ThreadpoolController:
    # Looking for the libraries takes milliseconds, once.
    return ThreadpoolController()


class HeadTraining(EpochLoop):
    """Trains a head; see `search.training.base.Training`.

    The order of rows and what dropout drops are functions of the seed and the epoch, so the weights, the optimizer's
    slots and its step are all that the next epoch depends on.

    Args:
        head: The head, with its first weights.
        optimizer: Of the head's weights.
        data: What is trained on and scored by; its inputs are `search.features.splits.Inputs`.
    """

    def __init__(self, head: Head, optimizer: OptimizerSettings, data: TrainingData) -> None:
        super().__init__(data)
        self.head = head
        self._optimizer = flat_optimizer(optimizer, head.weights, decays=head.kernels)
        self._drawn = np.random.default_rng()

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
        check_shapes(state, self.state())
        self.head.weights[:], self._optimizer.slots[:] = state[-3:-1]
        self._optimizer.steps = int(state[-1])

    def set_head(self, arrays: Arrays) -> None:
        """Sets the head's kernels and biases."""
        self.head.set_arrays(arrays)

    def _run_epoch(self, epoch: int) -> Metrics:
        self._drawn = np.random.Generator(np.random.PCG64([self._data.seed, epoch, _DROPOUT_STREAM]))
        # The products are too small to share: cores that wait for each other made them up to 100 times slower.
        # Weights that diverge are told by their scores.
        with _blas().limit(limits=1, user_api="blas"), np.errstate(all="ignore"):
            return super()._run_epoch(epoch)

    def _learn(self, features: NDArray[np.floating], batch: Batch) -> NDArray[np.floating]:
        """The losses of a batch whose rows have these features; the head has the gradient."""
        train = self._data.train
        offset = None if train.offset is None else train.offset[batch.rows]
        return self.head.learn(features, batch.labels, batch.sample_weight, self._drawn, offset)

    def _step(self, batch: Batch) -> float:
        features = self._data.train.inputs.take(batch.rows)
        losses = self._learn(features, batch)
        clip([self.head.gradient], self._optimizer.settings.clip_norm)
        self._optimizer.step(self.head.gradient)
        return float(losses.sum())

    def _probabilities(self, inputs: InputRows, rows: NDArray[np.int64] | None) -> NDArray[np.float64]:
        rows = np.arange(len(inputs.labels)) if rows is None else rows
        return self.head.probabilities(inputs.inputs, rows, inputs.offset)
