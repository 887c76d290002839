"""Columns of Arrow as arrays of Python objects."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray


def text_column(column: Any) -> NDArray[np.object_]:
    """Converts a pyarrow.ChunkedArray of strings to [n] object: str or None."""
    texts: NDArray[np.object_] = column.to_numpy()
    return texts.astype(object, copy=False)


def label_column(column: Any) -> NDArray[np.object_]:
    """Converts a pyarrow.ChunkedArray to [n] object, with one Python object for each distinct value."""
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    column = column.unify_dictionaries().combine_chunks()
    if isinstance(column, pa.ChunkedArray):  # so where there is no chunk at all
        return np.empty(0, dtype=object)
    values = np.array([*column.dictionary.to_pylist(), None], dtype=object)
    labels: NDArray[np.object_] = values[column.indices.fill_null(len(values) - 1).to_numpy(zero_copy_only=False)]
    return labels
