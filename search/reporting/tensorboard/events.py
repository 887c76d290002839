"""Writes events as TensorBoard reads them, by its own protocol buffers.

An operation of TensorFlow for each point took longer than the training of a head.
"""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
from tensorboard.summary.writer.record_writer import RecordWriter
from tensorboard.util.tensor_util import make_tensor_proto

from search.utils.files import is_refused

log = logging.getLogger(__name__)


class EventFile:
    """One event file of a TensorBoard run.

    TensorBoard reads the files of a run in the order of their names, and forgets what it has read of a series as soon
    as a step is smaller than the one before. Its own writer numbers those of one second 1, 2, …, 10: the last words of
    a short trial were read before its first. Here nanoseconds order them. What is added is in the file at once: a
    search can be watched, and killed.

    Args:
        folder: The run.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        seconds, rest = divmod(time.time_ns(), 10**9)
        name = f"events.out.tfevents.{seconds:010}.{rest:09}.{socket.gethostname()}"
        self._records = RecordWriter((folder / name).open("xb"))
        self.add_event(Event(file_version="brain.Event:2"))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def add(self, step: int, summaries: Iterable[Summary]) -> None:
        """Adds summaries.

        Args:
            step: Where they stand on the run's axis: an epoch.
            summaries: What to show.
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


def summary_of(tag: str, tensor: object, metadata: SummaryMetadata) -> Summary:
    """Makes a summary out of an array, for a plugin that has no function of its own to do so without TensorFlow.

    Args:
        tag: Name of the series.
        tensor: What `numpy.asarray` takes.
        metadata: Says which plugin shows it.
    """
    return Summary(value=[Summary.Value(tag=tag, metadata=metadata, tensor=make_tensor_proto(tensor))])


@contextmanager
def left_out_if_it_fails(what: str, say: Callable[[str], None]) -> Iterator[None]:
    """Tells and logs an error of the block, unless the disk is full: for want of a picture no finished search fails."""
    try:
        yield
    except Exception as error:
        if is_refused(error):
            raise
        log.exception("%s is left out of TensorBoard", what)
        say(f"{what} is left out of TensorBoard: {type(error).__name__}; see search.log")
