"""Reads TensorBoard's event files."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.tensorflow_stub.errors import DataLossError, OutOfRangeError
from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import PyRecordReader_New

log = logging.getLogger(__name__)

PREFIX = "events.out.tfevents"


def event_files(folder: Path, name: str | None = None) -> list[Path]:
    """The event files of a TensorBoard run, in the order in which they were begun.

    Args:
        folder: The run.
        name: Only files of this name (see `EventFile`); None: all.
    """
    # <prefix, two dots in it>.<seconds>.<nanoseconds>.<name>
    found = [path for path in folder.glob(f"{PREFIX}.*") if name in (None, path.name.split(".", 5)[-1])]
    return sorted(found)


def events_in(path: Path) -> Iterator[Event]:
    """The events of a file, up to where a kill cut it short."""
    reader = PyRecordReader_New(str(path))
    while True:
        try:
            reader.GetNext()
        except OutOfRangeError:
            return
        except DataLossError as error:
            log.warning("%s is cut short: %s", path, error)
            return
        yield Event.FromString(reader.record())
