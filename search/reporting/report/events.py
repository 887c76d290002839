"""Reads learning curves back from TensorBoard's event files."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.tensorflow_stub.errors import DataLossError, OutOfRangeError
from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import PyRecordReader_New
from tensorboard.util.tensor_util import make_ndarray

log = logging.getLogger(__name__)


def curve(folder: Path, tag: str) -> dict[int, float]:
    """The points of one curve; see `curves`."""
    return curves(folder, [tag])[tag]


def curves(folder: Path, tags: Sequence[str]) -> dict[str, dict[int, float]]:
    """The points of some curves.

    Args:
        folder: One TensorBoard run; a search that was resumed has several files in it.
        tags: Names of the curves.

    Returns:
        Tag to step to value, in rising order; of two points at a step the later. Empty where there is no such curve.
    """
    points: dict[str, dict[int, float]] = {tag: {} for tag in tags}
    # The names begin with the time at which the file was begun.
    for path in sorted(folder.glob("events.out.tfevents.*")):
        for event in _events(path):
            for value in event.summary.value:
                if value.tag in points:
                    points[value.tag][event.step] = float(make_ndarray(value.tensor))
    return {tag: dict(sorted(found.items())) for tag, found in points.items()}


def _events(path: Path) -> Iterator[Event]:
    reader = PyRecordReader_New(str(path))
    while True:
        try:
            reader.GetNext()
        except OutOfRangeError:
            return
        except DataLossError as error:  # the run was killed while it wrote
            log.warning("%s is cut short: %s", path, error)
            return
        yield Event.FromString(reader.record())
