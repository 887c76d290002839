"""Cross-validation of a trial: a model for each fold, all of them an epoch at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from search.training.base import OnEpochEnd, Training
from search.training.scores import Metrics, Scored
from search.utils.checkpoint import Arrays

# An epoch and its metrics.
_Told = tuple[int, Mapping[str, float]]


class FoldedTraining:
    """Trains the models of all folds side by side; see `search.training.base.Training`.

    The metrics of an epoch are the means over the folds, so the best epoch is the one that is best for them together:
    there is one number of epochs to refit with.

    Args:
        trainings: That of each fold, each at its beginning.
        at: The places of each fold's validation rows among all, int64 [rows].
    """

    def __init__(self, trainings: Sequence[Training], at: Sequence[NDArray[np.int64]]) -> None:
        self._trainings = trainings
        self._at = at

    @property
    def parameters(self) -> int:
        """Weights of one of the models."""
        return self._trainings[0].parameters

    @property
    def head_epochs(self) -> int | None:
        """How many epochs the heads were trained alone, on average, so that there is one number to refit with."""
        epochs = [one.head_epochs for one in self._trainings if one.head_epochs is not None]
        return max(1, round(float(np.mean(epochs)))) if epochs else None

    def weights(self) -> Arrays:
        """The weights of all models, packed by `pack`."""
        return pack([training.weights() for training in self._trainings])

    def state(self) -> Arrays:
        """The states of all models, packed by `pack`."""
        return pack([training.state() for training in self._trainings])

    def set_state(self, state: Arrays) -> None:
        """Goes on from a state.

        Raises:
            ValueError: It is the state of another model, or of another number of folds.
        """
        states = unpack(state)
        if len(states) != len(self._trainings):
            raise ValueError(f"The checkpoint is of {len(states)} folds: expected {len(self._trainings)}.")
        for training, own in zip(self._trainings, states, strict=True):
            training.set_state(own)

    def run(self, epochs: range, on_epoch_end: OnEpochEnd) -> None:
        """Trains, as `Training.run` says."""
        # Before the first epoch for no epochs: a head that is trained first is told as epoch 0, by all folds at once.
        before = [range(0)] if epochs.start == 0 else []
        for part in (*before, *(range(epoch, epoch + 1) for epoch in epochs)):
            told: list[_Told] = []
            for training in self._trainings:
                training.run(part, _noting(told))
            if not told:
                continue
            if on_epoch_end(told[0][0], self._together([metrics for _, metrics in told])):
                return

    def _together(self, metrics: Sequence[Mapping[str, float]]) -> Metrics:
        means = {name: fmean(one[name] for one in metrics) for name in metrics[0]}
        scored = [one.scored for one in metrics if isinstance(one, Metrics) and one.scored is not None]
        return Metrics(means, self._out_of_fold(scored) if len(scored) == len(metrics) else None, metrics)

    def _out_of_fold(self, scored: Sequence[Scored]) -> Scored:
        rows = sum(map(len, self._at))
        labels = np.empty((rows, *scored[0].labels.shape[1:]), scored[0].labels.dtype)
        probabilities = np.empty((rows, scored[0].probabilities.shape[1]))
        for at, one in zip(self._at, scored, strict=True):
            labels[at], probabilities[at] = one.labels, one.probabilities
        return Scored(labels, probabilities)


def _noting(told: list[_Told]) -> OnEpochEnd:
    """Keeps the reports of one fold, which goes on: whether to stop is decided for all folds together."""

    def on_epoch_end(epoch: int, metrics: Mapping[str, float]) -> bool:
        told.append((epoch, metrics))
        return False

    return on_epoch_end


def pack(parts: Sequence[Arrays]) -> Arrays:
    """Packs lists of arrays into one, which begins with their lengths."""
    return [np.array([len(part) for part in parts]), *(array for part in parts for array in part)]


def unpack(arrays: Arrays) -> list[Arrays]:
    """Unpacks the lists of arrays from `pack`.

    Raises:
        ValueError: They are no such lists.
    """
    lengths, rest = arrays[0], arrays[1:]
    if lengths.ndim != 1 or lengths.dtype != np.int64 or lengths.sum() != len(rest):
        raise ValueError("The checkpoint is not one of cross-validation: it does not begin with the folds' lengths.")
    ends = np.cumsum(lengths)
    return [rest[end - length : end] for end, length in zip(ends, lengths, strict=True)]
