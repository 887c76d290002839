"""Trainings of models that have words beside their heads."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax

from search.training.base import FineTuning, OnEpochEnd, check_shapes
from search.training.epoch_loop import EpochLoop
from search.training.head.outputs import Sigmoid
from search.training.rows import Batch, InputRows
from search.training.wide.word_regression import WordRegression
from search.utils.checkpoint import Arrays


class WithWords:
    """Adds the weights of the words, which no epoch changes, to those of a training; see `training.base.Training`.

    Args:
        training: The training of head and backbone.
        words: The fitted words.
    """

    def __init__(self, training: FineTuning, words: WordRegression) -> None:
        self._training = training
        self._words = words

    @property
    def parameters(self) -> int:
        """Weights of the words and of all else that trains."""
        return self._training.parameters + self._words.parameters

    @property
    def head_epochs(self) -> int | None:
        """Epochs of the head alone; None: it was not trained alone."""
        return self._training.head_epochs

    def weights(self) -> Arrays:
        """The weights of head and backbone, then of the words."""
        return [*self._training.weights(), *self._words.arrays]

    def state(self) -> Arrays:
        """The state of head and backbone: the words follow from the rows."""
        return self._training.state()

    def set_state(self, state: Arrays) -> None:
        """Goes on from a state.

        Raises:
            ValueError: It is the state of another model.
        """
        self._training.set_state(state)

    def set_head(self, arrays: Arrays) -> None:
        """Sets the head's kernels and biases, behind which those of the words come too."""
        self._training.set_head(arrays[: -len(self._words.arrays)])

    def run(self, epochs: range, on_epoch_end: OnEpochEnd) -> None:
        """Trains, as `Training.run` says."""
        self._training.run(epochs, on_epoch_end)


class WordsAloneTraining(EpochLoop):
    """The training of a model that is nothing but words: an epoch scores it; see `training.base.Training`."""

    parameters = 0

    def weights(self) -> Arrays:
        """An empty list: the words' weights come from `WithWords`."""
        return []

    def state(self) -> Arrays:
        """An empty array."""
        return [np.zeros(0, np.float32)]

    def set_state(self, state: Arrays) -> None:
        """Goes on from a state.

        Raises:
            ValueError: It is the state of another model.
        """
        check_shapes(state, self.state())

    def set_head(self, arrays: Arrays) -> None:
        """Sets nothing: there is no head."""

    def _step(self, batch: Batch) -> float:
        logits = self._data.train.offset_of(batch.rows).astype(np.float64)
        if self._data.target.several:
            return float(Sigmoid().learn(logits.T, batch.labels, batch.sample_weight).sum())
        losses = -log_softmax(logits, axis=1)[np.arange(len(logits)), batch.labels]
        return float((losses * batch.sample_weight).sum())

    def _probabilities(self, inputs: InputRows, rows: NDArray[np.int64] | None) -> NDArray[np.float64]:
        logits = inputs.offset_of(np.arange(len(inputs.labels)) if rows is None else rows).astype(np.float64)
        if self._data.target.several:
            return np.asarray(Sigmoid().probabilities(logits))
        probabilities: NDArray[np.float64] = np.exp(log_softmax(logits, axis=1))
        return probabilities
