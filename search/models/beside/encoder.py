"""The columns beside the training texts, and what they make of those of other rows."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import FeatureUnion

from search.datasets import Column, Examples
from search.features.cache import Features
from search.models.beside.preprocessing import preprocessing
from search.models.beside.symbolic import column_inputs, column_vectors


class ColumnEncoder:
    """Fits the preprocessing of columns when it is first asked.

    Args:
        columns: The columns.
        train: Their values in the training rows [n]: what is learned follows from these and no others.
    """

    def __init__(self, columns: Sequence[Column], train: NDArray[Any]) -> None:
        self._columns = tuple(columns)
        self._train = train
        # By identity; the arrays are kept so that no others can take theirs.
        self._vectors: dict[int, tuple[NDArray[Any], Features]] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        # Another process fits it anew: what is kept here hangs on identities of this one.
        return ColumnEncoder, (self._columns, self._train)

    def learning_from(self, train: Examples) -> ColumnEncoder:
        """The preprocessing of other training rows."""
        assert train.beside is not None
        return ColumnEncoder(self._columns, train.beside)

    def vectors(self, examples: Examples) -> Features:
        """The vectors of rows, float32 [n, width]; kept for all who ask for the same rows."""
        given = examples.beside
        assert given is not None
        if id(given) not in self._vectors:
            made = self._fitted.transform(given).astype(np.float32)
            rows = np.arange(len(made))
            self._vectors[id(given)] = (given, Features([made], np.zeros(len(made), np.int32), rows, made.shape[1]))
        return self._vectors[id(given)][1]

    def symbolic(self) -> tuple[list[keras.KerasTensor], keras.KerasTensor]:
        """The inputs of a model for the columns, and the same vectors of them."""
        inputs = column_inputs(self._columns)
        return inputs, column_vectors(self._columns, self._fitted, inputs)

    @cached_property
    def _fitted(self) -> FeatureUnion:
        return preprocessing(self._columns).fit(self._train)
