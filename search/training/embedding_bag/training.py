"""The training of an embedding bag with the head above it, as a tuner sees it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from search.backbones.hub.load import Module
from search.optimizers.settings import OptimizerSettings
from search.training.embedding_bag.table import Table
from search.training.head import Head, HeadTraining, Rows, clip, flat_optimizer
from search.utils.checkpoint import Arrays

Floats = NDArray[np.floating]


@dataclass(frozen=True, eq=False)
class _Sums:
    """Features that change with the table: see `search.training.head.network.Inputs`."""

    weights: csr_array
    table: Floats
    fixed: Floats | None = None

    def take(self, rows: NDArray[np.int64]) -> Floats:
        sums: Floats = self.weights[rows] @ self.table
        return sums if self.fixed is None else sums + self.fixed[rows]


class EmbeddingBagTraining(HeadTraining):
    """Trains the touched rows of a module's table and the head above; see `search.training.base.Training`.

    The same training as `search.training.sparse_fine_tuning.FineTuning`, without the module: it stays as published.

    Args:
        module: The module.
        table: Its table and the rows to train on and to score by, as sums of it.
        head: The head, with its first weights.
        optimizer: Of all weights.
        labels: Class indices of the training rows [n].
        valid_labels: Those of the validation rows [m]; None where `table` has none.
        importance: Weight of each training row in the loss, float32 [n].
        batch_size: Rows of a batch; the last one of an epoch may be smaller.
        seed: Seed of the trial.
    """

    def __init__(
        self,
        module: Module,
        table: Table,
        head: Head,
        optimizer: OptimizerSettings,
        labels: NDArray[np.int64],
        valid_labels: NDArray[np.int64] | None,
        importance: NDArray[np.float32],
        batch_size: int,
        seed: int,
    ) -> None:
        self._module = module
        self._table = table
        self._rows = table.published.copy()
        self._moves = flat_optimizer(optimizer, self._rows.reshape(-1), of_module=True)
        self._sums = _Sums(table.train, self._rows)
        valid = None
        if valid_labels is not None:
            assert table.valid is not None
            valid = Rows(_Sums(table.valid, self._rows, table.fixed), valid_labels)
        super().__init__(
            head,
            flat_optimizer(optimizer, head.weights),
            Rows(self._sums, labels),
            valid,
            importance,
            batch_size,
            seed,
        )

    @property
    def parameters(self) -> int:
        """Weights of the module and of the head."""
        return sum(int(np.prod(variable.shape)) for variable in self._module.variables) + super().parameters

    def weights(self) -> Arrays:
        """For each of the module's variables the numbers of the touched rows and these rows, then the head's."""
        of_module: Arrays = []
        for variable in self._module.variables:
            if variable is self._table.variable:
                of_module += [self._table.rows, self._rows.copy()]
            elif variable.shape.rank:
                of_module += [np.zeros(0, np.int64), variable[:0].numpy()]
            else:
                of_module.append(variable.numpy())
        return [*of_module, *super().weights()]

    def state(self) -> Arrays:
        """The touched rows, their slots, and what the head gives."""
        return [self._rows, self._moves.slots, *super().state()]

    def set_state(self, state: Arrays) -> None:
        """Goes on from a state.

        Raises:
            ValueError: It is the state of another model, or of other texts.
        """
        super().set_state(state)
        self._rows[:] = state[0]
        self._moves.slots[:] = state[1]
        self._moves.steps = int(state[-1])

    def set_head(self, arrays: Arrays) -> None:
        """Sets the head's kernels and biases."""
        self.head.set_arrays(arrays)

    def _step(
        self,
        rows: NDArray[np.int64],
        labels: NDArray[np.int64],
        importance: NDArray[np.float32],
        drawn: np.random.Generator,
    ) -> Floats:
        # Of the rows in this batch alone: there are far fewer of them than training moves in all.
        texts = self._sums.weights[rows]
        words, at = np.unique(texts.indices, return_inverse=True)
        weights = csr_array((texts.data, at, texts.indptr), (len(rows), len(words)))
        losses = self.head.learn(weights @ self._rows[words], labels, importance, drawn)
        gradient = weights.T @ self.head.feature_gradient()
        clip([gradient, self.head.gradient], self._optimizer.settings.clip_norm)
        self._moves.step(gradient, words)
        self._optimizer.step(self.head.gradient)
        return losses
