"""Linear probing, then fine-tuning (LP-FT): the head is trained above the frozen module, the module with it only then.

A fresh head sends meaningless gradients into a module and undoes what it has learned; Howard and Ruder 2018 (ULMFiT)
and Kumar et al. 2022 ("Fine-tuning can distort pretrained features") advise to train it on the frozen features first.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from search.training.base import FineTuning, OnEpochEnd, Training
from search.utils.checkpoint import Arrays

# Of the head alone, on features that are there already: they cost next to nothing.
_MOST_EPOCHS = 50
_PATIENCE = 3


class LinearProbingThenFineTuning:
    """Trains a head to its best epoch and goes on with the module; see `search.training.base.Training`.

    The head alone is reported as epoch 0.

    Args:
        probing: The training of the head on frozen features; its weights are the head's kernels and biases.
        fine_tuning: That of the module with its head.
        head_epochs: How long the head is trained; None: until it has found its best epoch, the one with the lowest log
            loss on the validation split.
    """

    def __init__(self, probing: Training, fine_tuning: FineTuning, head_epochs: int | None) -> None:
        self._probing = probing
        self._fine_tuning = fine_tuning
        self._planned = head_epochs
        # Until it is trained.
        self._head_epochs = 0

    @property
    def parameters(self) -> int:
        """Weights of the module and the head."""
        return self._fine_tuning.parameters

    @property
    def head_epochs(self) -> int | None:
        """How many epochs the head was trained alone; None: it has not been trained."""
        return self._head_epochs or None

    def weights(self) -> Arrays:
        """The weights of the module and its head."""
        return self._fine_tuning.weights()

    def state(self) -> Arrays:
        """The state of the module and its head, and how long the head was trained alone."""
        return [*self._fine_tuning.state(), np.array(self._head_epochs)]

    def set_state(self, state: Arrays) -> None:
        """Goes on from a state.

        Raises:
            ValueError: It is the state of another model.
        """
        self._fine_tuning.set_state(state[:-1])
        self._head_epochs = int(state[-1])

    def run(self, epochs: range, on_epoch_end: OnEpochEnd) -> None:
        """Trains, as `Training.run` says; the head before all, unless a state has it trained."""
        if not self._head_epochs and epochs.start == 0:
            self._head_epochs, head, metrics = best_head(self._probing, self._planned)
            self._fine_tuning.set_head(head)
            if on_epoch_end(0, metrics):
                return
        self._fine_tuning.run(epochs, on_epoch_end)


def best_head(probing: Training, epochs: int | None) -> tuple[int, Arrays, Mapping[str, float]]:
    """Trains a head on frozen features.

    Args:
        probing: Its training, at the beginning.
        epochs: How long; None: until three epochs have not lowered the log loss on its validation split.

    Returns:
        The best epoch, counted from 1, or else the last one; the head's weights and the metrics after that epoch.
    """
    best_epoch, best_loss, best_weights = 0, math.inf, probing.weights()
    best_metrics: Mapping[str, float] = {}

    def on_epoch_end(epoch: int, metrics: Mapping[str, float]) -> bool:
        nonlocal best_epoch, best_loss, best_weights, best_metrics
        # Where the number of epochs is set, the last one is what is asked for.
        loss = metrics.get("val_loss", metrics["loss"]) if epochs is None else -epoch
        if loss < best_loss or not best_epoch:
            best_epoch, best_loss, best_weights, best_metrics = epoch, loss, probing.weights(), metrics
        return epoch - best_epoch >= _PATIENCE

    probing.run(range(_MOST_EPOCHS if epochs is None else epochs), on_epoch_end)
    return best_epoch, best_weights, best_metrics
