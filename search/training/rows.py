"""The data of a training: rows to learn from, their weights, and rows to score by."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from search.evaluation.metric_list import Target
from search.models.scorer import ModelInputs
from search.training.order import epoch_order
from search.training.scores import training_sample
from search.utils.batched import with_inputs


@dataclass(frozen=True, eq=False)
class InputRows:
    """Rows of a split, as the model that is trained takes them.

    Attributes:
        inputs: Strings [n], features [n, dim], numbers of tokens [n, length] or whatever else has a row for each label.
        labels: Class indices [n].
        offset: What is added to the model's logits, float32 [n, classes]; None: nothing is.
    """

    inputs: Any
    labels: NDArray[np.int64]
    offset: NDArray[np.float32] | None = None

    @property
    def model_inputs(self) -> ModelInputs:
        """The inputs of a Keras model, with the offset where there is one."""
        return self.inputs if self.offset is None else with_inputs(self.inputs, tf.constant(self.offset))

    def offset_of(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """The offset of some rows, where there is one: float32 [k, classes]."""
        assert self.offset is not None
        return self.offset[rows]


class Batch(NamedTuple):
    """A step's part of the training rows: their numbers, int64 [k], class indices [k] and weights, float32 [k]."""

    rows: NDArray[np.int64]
    labels: NDArray[np.int64]
    sample_weight: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class TrainingData:
    """The data of a training, and the order in which it goes through them.

    Attributes:
        train: Rows to train on.
        valid: Rows to score by; None: none, as in the refit.
        sample_weight: Weight of each training row in the loss, float32 [n].
        batch_size: Rows of a batch; the last one of an epoch may be smaller.
        seed: Seed of the trial.
        target: What is predicted.
        lengths: Length of each training row, int64 [n], where those of a batch should be alike; None: all are alike.
        parts: Parts that the gradient of each batch is computed in, for want of memory.
        devices: TensorFlow's names of the devices that compute its parts at once; "": of the one that TensorFlow takes.
    """

    train: InputRows
    valid: InputRows | None
    sample_weight: NDArray[np.float32]
    batch_size: int
    seed: int
    target: Target
    lengths: NDArray[np.int64] | None = None
    parts: int = 1
    devices: tuple[str, ...] = ("",)

    @cached_property
    def sample(self) -> NDArray[np.int64]:
        """Numbers of the training rows that are scored after each epoch."""
        valid = None if self.valid is None else len(self.valid.labels)
        return training_sample(len(self.train.labels), valid, self.seed)

    def order(self, epoch: int) -> NDArray[np.int64]:
        """Numbers of the training rows in the order of an epoch, counted from 0."""
        return epoch_order(len(self.train.labels), self.seed, epoch, self.batch_size, self.lengths)

    def batches(self, epoch: int) -> Iterator[Batch]:
        """The batches of an epoch, counted from 0, one after the other."""
        order = self.order(epoch)
        labels, weights = self.train.labels[order], self.sample_weight[order]
        for start in range(0, len(order), self.batch_size):
            batch = slice(start, start + self.batch_size)
            yield Batch(order[batch], labels[batch], weights[batch])
