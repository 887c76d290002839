"""The images of a data set in TensorBoard: the most wrong of the test split, and others that are right."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.plugins.image import metadata as image

from search.datasets.images.normalise import as_png
from search.evaluation.confident_mistakes import confident_mistakes
from search.reporting.pictures import small
from search.reporting.results import ScoredRows
from search.reporting.tensorboard.events import EventFile, summary_of

_MOST = 24


def write_pictures(folder: Path, scored: ScoredRows) -> None:
    """Writes some images of the test split, with their names, labels and predictions.

    Args:
        folder: The run.
        scored: The test split, and a model's probabilities.
    """
    labels, predicted = scored.examples.labels, scored.predicted
    wrong = confident_mistakes(labels, predicted, scored.probabilities, _MOST)
    right = np.flatnonzero(labels == predicted)
    chosen = {"most_wrong": wrong, "right": right[:: max(1, len(right) // _MOST)][:_MOST]}
    with EventFile(folder, "pictures") as run:
        run.add(0, [_pictures(name, rows, scored) for name, rows in chosen.items() if len(rows)])


def _pictures(name: str, rows: NDArray[np.int64], scored: ScoredRows) -> Summary:
    told = [
        f"{place}. {scored.examples.shown[row]}: {scored.names[scored.examples.labels[row]]}, predicted "
        f"{scored.classes[scored.predicted[row]]}"
        for place, row in enumerate(rows.tolist(), 1)
    ]
    made = [small(scored.examples.texts[row]) for row in rows]
    width, height = max(one.width for one in made), max(one.height for one in made)
    content = [str(width).encode(), str(height).encode(), *map(as_png, made)]
    described = image.create_summary_metadata(name.replace("_", " "), "\n\n".join(told))
    return summary_of(name, np.array(content, dtype=object), described)
