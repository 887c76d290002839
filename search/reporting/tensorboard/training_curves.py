"""The curves of one training."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.plugins.scalar.summary_v2 import scalar_pb

from search.reporting.tensorboard.events import EventFile

TRAIN, VALIDATION = "/train", "/validation"
_VALIDATION = "val_"


def points(metrics: Mapping[str, float]) -> list[Summary]:
    """The points of an epoch: `f1` is one of the curve f1/train, `val_f1` of f1/validation.

    Both stand in one run: above 40 runs TensorBoard opens most of its pages with nothing drawn.
    """
    return [scalar_pb(_tag(name), value) for name, value in metrics.items()]


def metric_of(name: str) -> str:
    """The metric without the split it is of."""
    return name.removeprefix(_VALIDATION)


def only_points(events: Iterable[Event]) -> list[Event]:
    """The events that hold points of curves."""
    return [event for event in events if any(value.tag.endswith((TRAIN, VALIDATION)) for value in event.summary.value)]


def _tag(name: str) -> str:
    return metric_of(name) + (VALIDATION if name.startswith(_VALIDATION) else TRAIN)


class Curves:
    """The curves of a training that is not resumed: a run with a point per epoch, metric and split.

    Args:
        folder: The run; what an earlier training left there is removed.
    """

    def __init__(self, folder: Path) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        self._file = EventFile(folder, "curves")

    def add(self, epoch: int, metrics: Mapping[str, float]) -> None:
        """Adds a point to every curve; names that begin with `val_` belong to the validation split."""
        self._file.add(epoch, points(metrics))

    def close(self) -> None:
        """Closes the file."""
        self._file.close()
