"""Head first: the head is trained above the frozen module, and the module with it only then.

A fresh head sends gradients of no sense into a module, which unlearn what was published; Howard and Ruder 2018 (ULMFiT)
and Kumar et al. 2022 ("Fine-tuning can distort pretrained features") advise to train it on the frozen features first.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Protocol

import numpy as np

from search.training.base import OnEpochEnd, Training
from search.training.head import HeadTraining
from search.utils.checkpoint import Arrays

# Of the head alone, on features that are there already: they cost next to nothing.
_MOST_EPOCHS = 50
_PATIENCE = 3


class _WithHead(Training, Protocol):
    def set_head(self, arrays: Arrays) -> None:
        """Sets the head's kernels and biases."""


class HeadFirst:
    """Trains a head to its best epoch and goes on with the module; see `search.training.base.Training`.

    What the head alone gives is told as epoch 0.

    Args:
        head: The head on frozen features.
        then: The module with its head.
        head_epochs: How long the head is trained; None: until it has found its best epoch, the one with the lowest log
            loss on the validation split.
        on_head_epochs: Is told how long it was, also where a state tells it.
    """

    def __init__(
        self, head: HeadTraining, then: _WithHead, head_epochs: int | None, on_head_epochs: Callable[[int], None]
    ) -> None:
        self._head = head
        self._then = then
        self._planned = head_epochs
        self._on_head_epochs = on_head_epochs
        # Until it is trained.
        self._head_epochs = 0

    @property
    def parameters(self) -> int:
        """Weights of the module and the head."""
        return self._then.parameters

    def weights(self) -> Arrays:
        """Those of the module with its head."""
        return self._then.weights()

    def state(self) -> Arrays:
        """That of the module with its head, and how long the head was trained alone."""
        return [*self._then.state(), np.array(self._head_epochs)]

    def set_state(self, state: Arrays) -> None:
        """Goes on from a state.

        Raises:
            ValueError: It is the state of another model.
        """
        self._then.set_state(state[:-1])
        self._found(int(state[-1]))

    def run(self, epochs: range, on_epoch_end: OnEpochEnd) -> None:
        """Trains, as `Training.run` says; the head before all, unless a state has it trained."""
        if not self._head_epochs:
            best, metrics = best_head(self._head, self._planned)
            self._then.set_head(self._head.weights())
            self._found(best)
            if on_epoch_end(0, metrics):
                return
        self._then.run(epochs, on_epoch_end)

    def _found(self, head_epochs: int) -> None:
        self._head_epochs = head_epochs
        if head_epochs:
            self._on_head_epochs(head_epochs)


def best_head(head: HeadTraining, epochs: int | None) -> tuple[int, Mapping[str, float]]:
    """Trains a head on frozen features and leaves it as it was after its best epoch.

    Args:
        head: The head, at its beginning.
        epochs: How long; None: until three epochs have not lowered the log loss on its validation split.

    Returns:
        The best epoch, counted from 1, or else the last one; and the metrics of that epoch.
    """
    best_epoch, best_loss, best_weights = 0, math.inf, head.weights()
    best_metrics: Mapping[str, float] = {}

    def on_epoch_end(epoch: int, metrics: Mapping[str, float]) -> bool:
        nonlocal best_epoch, best_loss, best_weights, best_metrics
        # Where the number of epochs is set, the last one is what is asked for.
        loss = metrics.get("val_loss", metrics["loss"]) if epochs is None else -epoch
        if loss < best_loss or not best_epoch:
            best_epoch, best_loss, best_weights, best_metrics = epoch, loss, head.weights(), metrics
        return epoch - best_epoch >= _PATIENCE

    head.run(range(_MOST_EPOCHS if epochs is None else epochs), on_epoch_end)
    head.head.set_arrays(best_weights)
    return best_epoch, best_metrics
