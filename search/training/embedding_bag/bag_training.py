"""The training of an embedding bag with the head above it, as a tuner sees it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from search.backbones.hub.load import Module
from search.features.splits import Inputs
from search.optimizers.flat import clip, flat_optimizer
from search.optimizers.optimizer_settings import OptimizerSettings
from search.training.embedding_bag.bag_table import Table
from search.training.head import Head, HeadTraining
from search.training.rows import Batch, TrainingData
from search.utils.checkpoint import Arrays

Floats = NDArray[np.floating]


@dataclass(frozen=True, eq=False)
class _Sums:
    """Features that change with the table: see `search.features.splits.Inputs`."""

    weights: csr_array
    table: Floats
    fixed: Floats | None = None
    columns: Inputs | None = None

    def take(self, rows: NDArray[np.int64]) -> Floats:
        sums: Floats = self.weights[rows] @ self.table
        return _beside(sums if self.fixed is None else sums + self.fixed[rows], self.columns, rows)


def _beside(sums: Floats, columns: Inputs | None, rows: NDArray[np.int64]) -> Floats:
    """The vectors of rows with those of their columns behind them, where there are any."""
    return sums if columns is None else np.concatenate([sums, columns.take(rows)], axis=1)


class EmbeddingBagTraining(HeadTraining):
    """Trains the touched rows of a module's table and the head above; see `search.training.base.Training`.

    The same training as `search.training.sparse_fine_tuning.SparseRowTraining`, without the module: it stays as
    published.

    Args:
        module: The module.
        table: Its table and the rows to train on and to score by, as sums of it.
        head: The head, with its first weights.
        optimizer: Of all weights.
        data: What is trained on and scored by; its inputs are the vectors of columns beside the texts, or None. Those
            of the texts are in `table`.
    """

    def __init__(
        self, module: Module, table: Table, head: Head, optimizer: OptimizerSettings, data: TrainingData
    ) -> None:
        self._module = module
        self._table = table
        self._rows = table.published.copy()
        self._moves = flat_optimizer(optimizer, self._rows.reshape(-1), of_module=True)
        valid = data.valid
        if valid is not None:
            assert table.valid is not None
            valid = replace(valid, inputs=_Sums(table.valid, self._rows, table.fixed, valid.inputs))
        self._columns: Inputs | None = data.train.inputs
        train = replace(data.train, inputs=_Sums(table.train, self._rows, columns=self._columns))
        super().__init__(head, optimizer, replace(data, train=train, valid=valid))

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

    def _step(self, batch: Batch) -> float:
        # Of the rows in this batch alone: there are far fewer of them than training moves in all.
        texts = self._table.train[batch.rows]
        words, at = np.unique(texts.indices, return_inverse=True)
        weights = csr_array((texts.data, at, texts.indptr), (len(batch.rows), len(words)))
        losses = self._learn(_beside(weights @ self._rows[words], self._columns, batch.rows), batch)
        gradient = weights.T @ self.head.feature_gradient()[:, : self._rows.shape[1]]
        clip([gradient, self.head.gradient], self._optimizer.settings.clip_norm)
        self._moves.step(gradient, words)
        self._optimizer.step(self.head.gradient)
        return float(losses.sum())
