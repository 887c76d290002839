"""The layers of an encoder: numbers of tokens in, a vector per text out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from search.backbones.base import EMBEDDING

_ENCODER = "encoder"
# Tokens that a filter looks at.
_WINDOW = 5
_RECURRENT = {
    "lstm": keras.layers.LSTM,
    "gru": keras.layers.GRU,
    "bilstm": keras.layers.LSTM,
    "bigru": keras.layers.GRU,
}


def embedded(
    ids: keras.KerasTensor, values: Mapping[str, Any], tokens: int, table: NDArray[np.float32] | None
) -> keras.KerasTensor:
    """Adds the embedding of a configuration to a model.

    Args:
        ids: Numbers of tokens [batch, length].
        values: The hyperparameters.
        tokens: Number of tokens in the vocabulary.
        table: Vectors to start from, float32 [tokens, dim]; None: they are learned from scratch.

    Returns:
        float32 [batch, length, dim].
    """
    dimension = values["embedding_size"] if table is None else table.shape[1]
    embedding = keras.layers.Embedding(
        tokens,
        dimension,
        mask_zero=is_masked(values),
        trainable=table is None or values.get("embedding_trainable", False),
        name=EMBEDDING,
    )
    vectors = embedding(ids)
    if table is not None:
        # Not by an initializer: its value would be written into the .keras file a second time, as text.
        embedding.embeddings.assign(table)
    return vectors


def is_masked(values: Mapping[str, Any]) -> bool:
    """Whether an encoder masks padding.

    Means and recurrent layers do. A convolution sees padding, as in the tutorials: the pooling takes the largest value,
    which padding seldom is.
    """
    return bool(values["module"] != "conv1d")


def dimension_of(values: Mapping[str, Any], tokens: int | None) -> int | None:
    """The width of what `encoded` gives over vectors of tokens of some width; None where that decides it alone."""
    if values["module"] == "mean":
        return tokens
    return int(values["encoder_units"]) * (2 if values["module"] in ("bilstm", "bigru") else 1)


def encoded(vectors: keras.KerasTensor, values: Mapping[str, Any]) -> keras.KerasTensor:
    """Adds the encoder of a configuration to a model.

    Args:
        vectors: Vectors of tokens, float32 [batch, length, dim], masked where `is_masked` says so.
        values: The hyperparameters.

    Returns:
        float32 [batch, dim].
    """
    kind = values["module"]
    if kind == "mean":
        return keras.layers.GlobalAveragePooling1D(name=_ENCODER)(vectors)
    units = values["encoder_units"]
    if kind == "conv1d":
        maps = keras.layers.Conv1D(units, _WINDOW, padding="same", activation="relu", name=_ENCODER)(vectors)
        return keras.layers.GlobalMaxPooling1D(name="pooling")(maps)
    if kind in ("bilstm", "bigru"):
        return keras.layers.Bidirectional(_RECURRENT[kind](units), name=_ENCODER)(vectors)
    return _RECURRENT[kind](units, name=_ENCODER)(vectors)
