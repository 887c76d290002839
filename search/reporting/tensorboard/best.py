"""The best trial, epoch by epoch: its curves, its confusion matrix as a picture, its precision-recall curves."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.plugins.image import metadata as image
from tensorboard.plugins.pr_curve import metadata as pr_curve
from tensorboard.plugins.text.summary_v2 import text_pb

from search.reporting.results import ScoredRows
from search.reporting.tensorboard.epoch_counts import STEPS, EpochCounts, ScoredEpochs, curve_classes, matrix_classes
from search.reporting.tensorboard.events import EventFile, left_out_if_it_fails, summary_of, written
from search.reporting.tensorboard.picture import drawn_name, matrix_picture
from search.reporting.tensorboard.training_curves import only_points
from search.tuning.record import TrialRecord


def write_best(
    folder: Path,
    best: TrialRecord,
    records: Mapping[str, TrialRecord],
    epochs: ScoredEpochs,
    scored: ScoredRows,
    say: Callable[[str], None],
) -> None:
    """Writes a TensorBoard run with a step per epoch, and removes the counts of other trials.

    Args:
        folder: The run; what an earlier end of the search left there is removed.
        best: The best trial.
        records: Trial id to record.
        epochs: The counts of its epochs; an epoch without counts has no step.
        scored: The validation split, and the probabilities of the best trial's best epoch.
        say: Called with a message if the run cannot be made and is left out.
    """
    shutil.rmtree(folder, ignore_errors=True)
    with left_out_if_it_fails("The best trial", say):
        line = epochs.keep_only(best.trial_id, records)
        labels, classes = scored.examples.labels, scored.classes
        counted = {best.best_epoch or 0: EpochCounts.of(labels, scored.probabilities), **epochs.of(line)}
        names = None if labels.ndim == 2 else _group_names(labels, classes)
        first = line[-1]
        text = f"Trial {best.trial_id}, best after epoch {best.best_epoch}. Its line in HParams is {first}."
        curves = [
            event for trial_id in reversed(line) for event in only_points(written(folder.parent / first, trial_id))
        ]
        with EventFile(folder, "best", curves) as run:
            run.add(0, [text_pb("best_trial", text)])
            for epoch, counts in sorted(counted.items()):
                by_class = [
                    _curve(classes[one], counts.curve(position), best.trial_id)
                    for position, one in enumerate(curve_classes(labels, len(classes)))
                ]
                pictures = [] if names is None else [_picture(names, *counts.decided(), best.trial_id, epoch)]
                run.add(epoch, [*pictures, *by_class])


def _group_names(labels: NDArray[np.int64], classes: Sequence[str]) -> list[str]:
    """The names of the rows of the confusion matrix."""
    groups = matrix_classes(labels, len(classes))
    members = [np.flatnonzero(groups == group) for group in range(int(groups.max()) + 1)]
    return [classes[int(some[0])] if len(some) == 1 else f"{len(some)} others" for some in members]


def _curve(name: str, points: NDArray[np.float64], trial_id: str) -> Summary:
    text = f"Class {name} against the rest, on the validation rows; best trial {trial_id}, a step per epoch."
    metadata = pr_curve.create_summary_metadata(name, text, STEPS + 1)
    return summary_of(f"precision_recall/{name}/pr_curves", points.astype(np.float32), metadata)


def _picture(
    names: Sequence[str], matrix: NDArray[np.int64], threshold: float | None, trial_id: str, epoch: int
) -> Summary:
    title = f"Trial {trial_id}, epoch {epoch}, validation rows"
    if threshold is not None:
        title += f", threshold {threshold:.2f}"
    picture = matrix_picture(title, names, matrix)
    text = "Rows: the true class. Columns: the predicted one. The darker, the larger the part of the row."
    if threshold is not None:
        text += " The threshold is the one with the highest F1 in that epoch, to a hundredth."
    undrawn = [f"{drawn_name(name, i)}: {name}" for i, name in enumerate(names) if drawn_name(name, i) != name]
    metadata = image.create_summary_metadata("confusion matrix", " ".join([text, *undrawn]))
    content = [str(picture.width).encode(), str(picture.height).encode(), picture.png]
    return summary_of("confusion_matrix", np.array(content, dtype=object), metadata)
