"""The end of a search in TensorBoard: summary, graph of the refitted model, test texts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from search.datasets.content import content_of
from search.reporting.class_counts import label_text
from search.reporting.results import ScoredRows
from search.reporting.tensorboard.events import left_out_if_it_fails
from search.reporting.tensorboard.graph import write_graph
from search.reporting.tensorboard.projector import chosen_rows, errors, write_projector
from search.reporting.tensorboard.texts import write_summary

REFIT = "refit"
"""The run of the refitted model."""


def write_result(
    folder: Path,
    summary: Mapping[str, Any],
    model: keras.Model,
    scored: ScoredRows,
    last_hidden: Callable[[NDArray[np.int64]], NDArray[np.float64]],
    say: Callable[[str], None],
) -> None:
    """Writes the summary, the graph of the refitted model, and the test texts as points in its last hidden layer.

    One that cannot be made is left out with a message.

    Args:
        folder: TensorBoard's folder of the run.
        summary: The content of summary.json.
        model: The refitted model.
        scored: The test split, and the model's probabilities.
        last_hidden: Maps rows of the split to the inputs of the model's output layer, float64 [rows, dim].
        say: Called with a message about what is left out.
    """
    classes, test = scored.classes, scored.examples
    content = content_of(test.texts)
    with left_out_if_it_fails("The summary", say):
        write_summary(folder, summary)
    with left_out_if_it_fails("The model's graph", say):
        write_graph(folder / REFIT, model)
    with left_out_if_it_fails("The projector", say):
        rows = chosen_rows(len(test), summary["seed"])
        labels, ours = test.labels[rows], scored.predicted[rows]
        # The first one is what a point is called when the mouse is over it.
        columns = {
            content.name: [str(one) for one in test.shown[rows]],
            "label": [label_text(scored.names, one) for one in labels],
            "predicted": [label_text(classes, one) for one in ours],
            **_of_class(scored, rows),
            "row": [str(one) for one in test.rows[rows]],
        }
        hidden = "last_hidden_layer" if summary["best"].get("layers") else "module"
        images = None if content.has_words else test.texts[rows].tolist()
        write_projector(folder / REFIT, hidden, last_hidden(rows), columns, images)
    with left_out_if_it_fails("The pictures", say):
        if not content.has_words:
            from search.reporting.tensorboard.pictures import write_pictures  # brings Pillow

            write_pictures(folder / REFIT, scored)


def _of_class(scored: ScoredRows, rows: NDArray[np.int64]) -> dict[str, list[str]]:
    """The kind of error of each row, and the probability of the class that is predicted, where there is one."""
    labels, ours = scored.examples.labels[rows], scored.predicted[rows]
    if labels.ndim == 2:
        return {"error": ["right" if right else "wrong" for right in (labels == ours).all(axis=1)]}
    certainty = scored.probabilities[rows, ours]
    return {
        "error": errors(labels, ours, len(scored.classes)),
        "probability": [f"{one:.3f}" for one in certainty],
    }
