"""Reads learning curves back from TensorBoard's event files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tensorboard.util.tensor_util import make_ndarray

from search.reporting.event_files import event_files, events_in

SPLITS = ("validation", "train")


def curve(folder: Path, metric: str, split: str) -> dict[int, float]:
    """The points of one curve; see `curves`."""
    return curves(folder, [metric], split)[metric]


def curves(folder: Path, metrics: Sequence[str], split: str) -> dict[str, dict[int, float]]:
    """The points of some curves.

    Args:
        folder: The TensorBoard run of a configuration; one that was promoted has several files in it.
        metrics: Names of the curves.
        split: One of `SPLITS`.

    Returns:
        Metric to step to value, in rising order; of two points at a step the later. Empty where there is no such curve.
    """
    # Earlier versions wrote a run per split, in which a curve has the name of its metric.
    earlier = _points(folder / split, {metric: metric for metric in metrics})
    later = _points(folder, {f"{metric}/{split}": metric for metric in metrics})
    return {metric: dict(sorted({**earlier[metric], **later[metric]}.items())) for metric in metrics}


def _points(folder: Path, tags: dict[str, str]) -> dict[str, dict[int, float]]:
    points: dict[str, dict[int, float]] = {metric: {} for metric in tags.values()}
    for path in event_files(folder):
        for event in events_in(path):
            for value in event.summary.value:
                if value.tag in tags:
                    points[tags[value.tag]][event.step] = float(make_ndarray(value.tensor))
    return points
