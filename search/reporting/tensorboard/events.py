"""Writes events as TensorBoard reads them, by its own protocol buffers.

An operation of TensorFlow for each point took longer than the training of a head.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
from tensorboard.summary.writer.record_writer import RecordWriter
from tensorboard.util.tensor_util import make_tensor_proto

from search.reporting.event_files import PREFIX, event_files, events_in
from search.utils.files import is_refused

log = logging.getLogger(__name__)


class EventFile:
    """One event file of a TensorBoard run; it replaces an earlier one of its name.

    So an epoch that is trained again after a kill stands there once.

    TensorBoard reads the files of a run in the order of their names, and forgets what it has read of a series as soon
    as a step is smaller than the one before: nanoseconds order them. What is added is in the file at once: a search can
    be watched, and killed.

    Args:
        folder: The run.
        name: The name by which the file is found again: a trial, or a part of the display.
        kept: Events to begin with, such as those of the earlier file that still hold.
    """

    def __init__(self, folder: Path, name: str, kept: Iterable[Event] = ()) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        begun = list(kept)
        replaced = event_files(folder, name)
        seconds, rest = divmod(time.time_ns(), 10**9)
        # Not over the earlier one: a TensorBoard that is open goes on with a new file, but not with a changed one.
        path = folder / f"{PREFIX}.{seconds:010}.{rest:09}.{name}"
        self._records = RecordWriter(path.open("xb"))
        for event in (Event(file_version="brain.Event:2", wall_time=time.time()), *begun):
            self._records.write(event.SerializeToString())
        self._records.flush()
        for earlier in replaced:
            earlier.unlink()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def add(self, step: int, summaries: Iterable[Summary]) -> None:
        """Adds summaries.

        Args:
            step: Position on the run's axis: an epoch.
            summaries: The summaries.
        """
        event = Event(step=step)
        for summary in summaries:
            event.summary.MergeFrom(summary)
        self.add_event(event)

    def add_event(self, event: Event) -> None:
        """Adds an event, with the time of now."""
        event.wall_time = time.time()
        self._records.write(event.SerializeToString())
        self._records.flush()

    def close(self) -> None:
        """Closes the file."""
        self._records.close()


def written(folder: Path, name: str) -> list[Event]:
    """The events that were added to an event file.

    Args:
        folder: The run.
        name: The file's name; one that does not exist has no events.
    """
    # A kill may have come when the file had been begun anew and its predecessor was still there.
    found = {
        (event.step, tuple(value.tag for value in event.summary.value)): event
        for path in event_files(folder, name)
        for event in events_in(path)
        if not event.file_version
    }
    return list(found.values())


def summary_of(tag: str, tensor: object, metadata: SummaryMetadata) -> Summary:
    """Makes a summary out of an array, for a plugin that has no function of its own to do so without TensorFlow.

    Args:
        tag: Name of the series.
        tensor: Anything that `numpy.asarray` takes.
        metadata: Names the plugin that shows it.
    """
    return Summary(value=[Summary.Value(tag=tag, metadata=metadata, tensor=make_tensor_proto(tensor))])


@contextmanager
def left_out_if_it_fails(what: str, say: Callable[[str], None]) -> Iterator[None]:
    """Reports and logs an error of the block, unless the disk is full: no search fails for want of a picture."""
    try:
        yield
    except Exception as error:
        if is_refused(error):
            raise
        log.exception("%s is left out of TensorBoard", what)
        say(f"{what} is left out of TensorBoard: {type(error).__name__}; see search.log")
