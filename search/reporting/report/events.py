"""Reads learning curves back from TensorBoard's event files."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.tensorflow_stub.errors import DataLossError, OutOfRangeError
from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import PyRecordReader_New
from tensorboard.util.tensor_util import make_ndarray

log = logging.getLogger(__name__)


def curve(folder: Path, tag: str) -> dict[int, float]:
    """The points of one curve.

    Args:
        folder: One TensorBoard run; a search that was resumed has several files in it.
        tag: Name of the curve.

    Returns:
        Step to value, in rising order; of two points at a step the later. Empty where there is no such curve.
    """
    points: dict[int, float] = {}
    # The names begin with the time at which the file was begun.
    for path in sorted(folder.glob("events.out.tfevents.*")):
        for event in _events(path):
            for value in event.summary.value:
                if value.tag == tag:
                    points[event.step] = float(make_ndarray(value.tensor))
    return dict(sorted(points.items()))


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
