"""Columns beside the texts in a Keras model: its inputs for them, and the vectors of these."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np
from sklearn.pipeline import FeatureUnion

from search.datasets.beside import Column, fields_of
from search.models.beside.column_vectors import ColumnVectors
from search.models.beside.preprocessing import described


def column_inputs(columns: Sequence[Column]) -> list[keras.KerasTensor]:
    """Makes the inputs of a model for columns: strings or float64, [batch]."""
    kinds = {name: "string" if kind is np.object_ else "float64" for name, kind in fields_of(columns)}
    return [keras.Input((), dtype=kind, name=name) for name, kind in kinds.items()]


def column_vectors(
    columns: Sequence[Column], fitted: FeatureUnion, inputs: Sequence[keras.KerasTensor]
) -> keras.KerasTensor:
    """The vectors that fitted preprocessing makes of such inputs, float32 [batch, width]."""
    return ColumnVectors(described(fitted, columns))(inputs)
