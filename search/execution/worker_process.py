"""A worker process as its driver sees it."""

from __future__ import annotations

import logging
import multiprocessing
import os
import time
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from search.errors import InputError
from search.execution import worker
from search.execution.fork_server import process_context
from search.execution.slots import WorkerDied
from search.execution.worker import ALIVE, BEGIN, EPOCH, LOG, PASS_BEGIN, PASS_END, PASS_PROGRESS

if TYPE_CHECKING:
    from search.features.passes import PassObserver
    from search.tuning.record import TrialRecord, TrialReport
    from search.tuning.trial import TrialSpec

# Signs of life in the time after which a worker without one is taken for dead.
_SIGNS = 24
# Seconds within which a process whose pool is broken has ended.
_ENDS = 10.0


@dataclass(frozen=True)
class Workers:
    """Settings of the worker processes.

    Attributes:
        count: The number of processes.
        prepare: Called in each process with its number, from 1, before it imports anything of a search.
        max_restarts: How often a trial may go on elsewhere, from its last finished epoch, after its worker died.
        silence: Seconds without a sign of life after which a worker is taken for dead.
    """

    count: int
    prepare: Callable[[int], object]
    max_restarts: int = 3
    silence: float = 120.0


@dataclass(frozen=True)
class Listener:
    """The recipients of the messages of one worker.

    Attributes:
        report: Is shown the beginnings and epochs of trials.
        passes: Observes the passes of texts through modules; None: nobody does.
    """

    report: TrialReport
    passes: PassObserver | None = None

    def hear(self, name: str, arguments: tuple[Any, ...]) -> None:
        """Takes a message."""
        if name == ALIVE:
            return
        if name == LOG:
            record: logging.LogRecord = arguments[0]
            logging.getLogger(record.name).handle(record)
        elif name in (BEGIN, EPOCH):
            (self.report.on_trial_begin if name == BEGIN else self.report.on_epoch_end)(*arguments)
        elif self.passes is not None:
            observe: dict[str, Callable[..., None]] = {
                PASS_BEGIN: self.passes.on_pass_begin,
                PASS_PROGRESS: self.passes.on_pass_progress,
                PASS_END: self.passes.on_pass_end,
            }
            observe[name](*arguments)


def listeners(report: TrialReport, passes: Callable[[], PassObserver] | None) -> Callable[[], Listener]:
    """A function that makes the listener of one worker; arguments as for `Listener`, an observer for each."""
    return lambda: Listener(report, None if passes is None else passes())


class WorkerProcess:
    """A process that runs one trial after another: a pool of one, so that its death is nobody else's.

    Args:
        number: From 1.
        listener: Takes its messages.
        settings: What they have in common.
        pickled: The runner of trials.
        wake: Called when a result is there.

    Attributes:
        receiver: This end of the pipe to the process.
        is_open: Whether more can come from there.
    """

    def __init__(
        self, number: int, listener: Listener, settings: Workers, pickled: bytes, wake: Callable[[], None]
    ) -> None:
        self.receiver, sender = multiprocessing.Pipe()
        self.is_open = True
        self._listener = listener
        self._silence = settings.silence
        self._wake = wake
        self._future: Future[TrialRecord]
        self._heard = time.monotonic()
        self._is_connected = False
        given = sender, settings.silence / _SIGNS, dict(os.environ)
        self._pool = ProcessPoolExecutor(1, process_context(), worker.attach, given)
        others = set(multiprocessing.active_children())
        self._begun = self._pool.submit(worker.begin, number, settings.prepare, logging.getLogger().level, pickled)
        self._process = (set(multiprocessing.active_children()) - others).pop()
        sender.close()  # so that its end can be seen from here

    def begin(self, spec: TrialSpec) -> None:
        """Begins a trial."""
        try:
            self._future = self._pool.submit(worker.run, spec)
        except BrokenProcessPool as error:
            raise WorkerDied from error
        self._future.add_done_callback(lambda _: self._wake())

    def has_ended(self) -> bool:
        """Whether the result of the trial is there, or the process is gone."""
        return self._future.done()

    def result(self) -> TrialRecord:
        """The result of the trial; raises what ended it.

        Raises:
            InputError: The process ended by an error of its own before it could take a trial.
        """
        try:
            self._begun.result()  # raises what went wrong before its first trial
            return self._future.result()
        except BrokenProcessPool as error:
            if self._could_not_begin():
                raise InputError(
                    "A worker process ended before it could begin, with the error above. A script that searches with "
                    'several workers needs `if __name__ == "__main__":` around what it runs, as each of them imports '
                    "it, and so has to be a file."
                ) from error
            raise WorkerDied from error

    def _could_not_begin(self) -> bool:
        """Whether the process ended by itself, not killed, and before it was connected."""
        if self._is_connected:
            return False
        self._process.join(_ENDS)
        return (self._process.exitcode or 0) > 0

    def deliver(self) -> None:
        """Passes on the messages that have come."""
        while self.is_open and self.receiver.poll():
            try:
                message: worker.Message = self.receiver.recv()
            except (EOFError, OSError):  # it died, perhaps in the middle of a message
                self.is_open = False
                return
            self._heard = time.monotonic()
            self._is_connected = True
            self._listener.hear(*message)
            if message[0] == EPOCH:
                with suppress(OSError):  # it died: nobody waits
                    self.receiver.send(None)

    def check(self) -> None:
        """Kills the process where it has given no sign of life for too long."""
        if time.monotonic() - self._heard > self._silence:
            self.deliver()  # the driver may have been busy itself
        if time.monotonic() - self._heard > self._silence:
            self._process.kill()

    def close(self) -> None:
        """Kills the process, and waits until it is gone."""
        self._process.kill()
        self._pool.shutdown(cancel_futures=True)
        self.receiver.close()
        self.is_open = False
