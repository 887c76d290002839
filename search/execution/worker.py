"""The part of a search that runs in a process of its own: takes trials from the driver, and reports to it."""

from __future__ import annotations

import logging
import multiprocessing
import os
import pickle
import signal
import threading
import time
from collections.abc import Callable, Mapping
from logging.handlers import QueueHandler
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:  # the process must be known to its driver before it imports what takes seconds
    from search.execution.base import Runner
    from search.tuning.record import TrialRecord
    from search.tuning.trial import TrialSpec

Message = tuple[str, tuple[Any, ...]]
"""The name of an event, and its arguments."""

BEGIN, EPOCH, LOG, ALIVE = "trial begins", "epoch ends", "log", "alive"
PASS_BEGIN, PASS_PROGRESS, PASS_END = "pass begins", "pass goes on", "pass ends"

# Of a process of a pool, which calls functions.
_channel: Channel | None = None
_worker: TrialWorker | None = None


class Channel(Protocol):
    """A way to the driver."""

    def send(self, name: str, *arguments: Any) -> None:
        """Sends an event, from any thread; the driver finds it before the trial's result."""

    def report(self, name: str, *arguments: Any) -> None:
        """Sends an event that must not be lost where the driver is killed; one thread alone does so.

        The driver has dealt with it before the state that is written next stands in the folder of the trials.
        """


class PipeChannel:
    """Sends messages through a pipe.

    Args:
        connection: An end of it that reads, too.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lock = threading.Lock()

    def send(self, name: str, *arguments: Any) -> None:
        """Sends an event; returns once the pipe holds it, so that the driver finds it before the trial's result."""
        with self._lock:
            self._connection.send((name, arguments))

    def report(self, name: str, *arguments: Any) -> None:
        """Sends an event; returns once the driver has dealt with it."""
        try:
            self.send(name, *arguments)
            self._connection.recv()
        except (EOFError, OSError):  # the driver is gone, and this process with it
            os._exit(1)


def attach(connection: Connection, heartbeat: float, environment: Mapping[str, str]) -> None:
    """Connects a new process to the driver; it ends when the driver does, in whatever way that happens.

    Args:
        connection: An end of a pipe to the driver.
        heartbeat: Seconds between two signs of life.
        environment: The driver's variables; the process may have those of an earlier moment.
    """
    global _channel
    os.environ.clear()
    os.environ.update(environment)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the driver too, which ends its workers
    _channel = PipeChannel(connection)
    threading.Thread(target=_follow_driver, daemon=True).start()
    threading.Thread(target=_beat, args=(_channel, heartbeat), daemon=True).start()


def begin(number: int, prepare: Callable[[int], object], level: int, pickled: bytes) -> None:
    """Gets this process ready to run trials; arguments as for `TrialWorker`."""
    global _worker
    assert _channel is not None
    _worker = TrialWorker(_channel, number, prepare, level, pickled)


def run(spec: TrialSpec) -> TrialRecord:
    """Runs a trial in this process."""
    assert _worker is not None
    return _worker.run(spec)


class TrialWorker:
    """Runs trials, and reports to the driver.

    Args:
        channel: The way to it.
        number: The number of the worker, from 1.
        prepare: Called with it before anything else of the search is imported, to set up TensorFlow.
        level: Of the driver's root logger, which gets what is logged here.
        pickled: The runner of trials.

    Attributes:
        runner: The runner.
    """

    def __init__(
        self, channel: Channel, number: int, prepare: Callable[[int], object], level: int, pickled: bytes
    ) -> None:
        self._channel = channel
        self._number = number
        logging.getLogger().addHandler(_ToDriver(channel))
        logging.getLogger().setLevel(level)
        prepare(number)
        self.runner: Runner = pickle.loads(pickled)  # the driver's own bytes, which never were in a file

        from search.features.passes import ObservesPasses

        hypermodel = getattr(self.runner, "hypermodel", None)
        if isinstance(hypermodel, ObservesPasses):
            hypermodel.observe_passes(_Passes(channel))

    def run(self, spec: TrialSpec) -> TrialRecord:
        """Runs a trial, as `TrialRunner.run` does."""
        return self.runner.run(spec, self)

    def on_trial_begin(self, record: TrialRecord) -> None:
        """Reports the beginning of a trial."""
        record.worker = self._number
        self._channel.send(BEGIN, record)

    def on_epoch_end(self, record: TrialRecord, epoch: int, metrics: Mapping[str, float]) -> None:
        """Reports an epoch; the state that says that it is over is kept only when the curves have it."""
        self._channel.report(EPOCH, record, epoch, metrics)


class _Passes:
    """Sends the progress of passes of texts through modules to the driver."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def on_pass_begin(self, module: str, texts: int, cached: int) -> None:
        self._channel.send(PASS_BEGIN, module, texts, cached)

    def on_pass_progress(self, done: int) -> None:
        self._channel.send(PASS_PROGRESS, done)

    def on_pass_end(self, computed: int, seconds: float) -> None:
        self._channel.send(PASS_END, computed, seconds)


class _ToDriver(QueueHandler):
    """Sends what is logged to the driver, whose handlers take it."""

    def __init__(self, channel: Channel) -> None:
        super().__init__(channel)  # type: ignore[arg-type]
        self._channel = channel

    def enqueue(self, record: logging.LogRecord) -> None:
        self._channel.send(LOG, record)


def _follow_driver() -> None:
    driver = multiprocessing.parent_process()
    assert driver is not None
    driver.join()
    os._exit(1)


def _beat(channel: Channel, heartbeat: float) -> None:
    while True:
        try:
            channel.send(ALIVE)
        except OSError:  # the driver closed its end: it ends this process
            return
        time.sleep(heartbeat)
