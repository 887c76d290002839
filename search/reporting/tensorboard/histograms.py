"""Histograms of a model's weights."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray
from tensorboard.plugins.histogram import metadata

from search.reporting.tensorboard.events import EventFile, summary_of

_BUCKETS = 30


def write_histograms(folder: Path, epoch: int, variables: Iterable[keras.Variable]) -> None:
    """Writes how the values of each variable are spread after an epoch.

    Args:
        folder: The run.
        epoch: Position on the time axis.
        variables: The weights.
    """
    values = {variable.path: np.asarray(keras.ops.convert_to_numpy(variable.value)) for variable in variables}
    with EventFile(folder, f"histograms_{epoch}") as run:
        run.add(
            epoch,
            [
                summary_of(name, buckets(array), metadata.create_summary_metadata(name, ""))
                for name, array in values.items()
            ],
        )


def buckets(values: NDArray[np.floating]) -> NDArray[np.float64]:
    """Left end, right end and number of values of each bucket, as TensorBoard takes them [30, 3].

    Its own function to do so takes thirty times the memory of the values, which a table of words does not leave.
    """
    counts, edges = np.histogram(values[np.isfinite(values)], _BUCKETS)
    return np.stack([edges[:-1], edges[1:], counts], axis=1).astype(np.float64)
