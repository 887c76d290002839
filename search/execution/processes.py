"""The executor that runs trials side by side, each slot in a process of its own."""

from __future__ import annotations

import logging
import multiprocessing
import os
import pickle
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import wait as wait_for
from typing import TYPE_CHECKING

from search.config import AUTO
from search.config.tuner import ParallelConfig
from search.errors import InputError, MachineFault
from search.execution.base import MakeExecutor, Runner
from search.execution.worker_process import Listener, WorkerProcess, Workers

if TYPE_CHECKING:
    from search.features.passes import PassObserver
    from search.tuning.record import TrialRecord, TrialReport
    from search.tuning.trial import TrialSpec

log = logging.getLogger(__name__)


class ProcessExecutor:
    """Runs trials in spawned processes, which end with this one.

    A process is started when its slot is first needed, and has everything that all trials share from then on. Where it
    dies, only its own trial has to go on elsewhere.

    Args:
        runner: Runs the trials; it is pickled once.
        listener: Makes what takes the messages of a worker: each has its own.
        workers: Settings of the processes.

    Raises:
        InputError: The runner cannot be pickled.
    """

    def __init__(self, runner: Runner, listener: Callable[[], Listener], workers: Workers) -> None:
        self.slots = workers.count
        self._settings = workers
        self._listener = listener
        self._pickled = _pickled(runner)
        self._workers: dict[int, WorkerProcess] = {}
        self._running: dict[int, tuple[TrialSpec, Future[TrialRecord]]] = {}
        self._restarts: dict[str, int] = {}
        # Wakes the driver when a result is there.
        self._woken, self._waker = multiprocessing.Pipe(duplex=False)

    def submit(self, spec: TrialSpec) -> None:
        """Begins a trial in the first free slot."""
        self._begin(next(slot for slot in range(1, self.slots + 1) if slot not in self._running), spec)

    def wait(self) -> list[TrialRecord]:
        """Waits for results, and passes on what workers report meanwhile.

        Raises:
            MachineFault: The workers of a trial died more often than `max_restarts` allows.
        """
        while True:
            for worker in self._workers.values():
                worker.deliver()
            ended = [slot for slot, (_, future) in self._running.items() if future.done()]
            results = [result for slot in ended if (result := self._ended(slot)) is not None]
            if results:
                return results
            wait_for([self._woken, *(one.receiver for one in self._workers.values() if one.is_open)], timeout=1.0)
            while self._woken.poll():
                self._woken.recv_bytes()
            for worker in self._workers.values():
                worker.kill_if_silent()

    def close(self) -> None:
        """Kills the processes: what a trial had finished is on disk."""
        for worker in self._workers.values():
            worker.close()
        self._workers.clear()
        self._running.clear()

    def _begin(self, slot: int, spec: TrialSpec) -> None:
        if slot not in self._workers:
            self._workers[slot] = self._started(slot)
        try:
            future = self._workers[slot].submit(spec)
        except BrokenProcessPool:  # it died while it had nothing to do
            self._discard(slot)
            self._workers[slot] = self._started(slot)
            future = self._workers[slot].submit(spec)
        self._running[slot] = (spec, future)
        future.add_done_callback(lambda _: self._waker.send_bytes(b"."))

    def _started(self, slot: int) -> WorkerProcess:
        return WorkerProcess(slot, self._listener(), self._settings, self._pickled)

    def _ended(self, slot: int) -> TrialRecord | None:
        """The result of a slot's trial; None where its worker died and it goes on in another."""
        worker = self._workers[slot]
        worker.deliver()  # what was reported before the end
        spec, future = self._running.pop(slot)
        try:
            worker.begun.result()
            return future.result()
        except BrokenProcessPool as error:
            self._discard(slot)
            self._count_restart(spec, error)
            self._begin(slot, spec)
            return None

    def _count_restart(self, spec: TrialSpec, error: BrokenProcessPool) -> None:
        times = self._restarts[spec.trial_id] = self._restarts.get(spec.trial_id, 0) + 1
        if times > self._settings.max_restarts:
            raise MachineFault(
                f"trial {spec.trial_id} could not be run: its worker process died {times} times, which may be for want "
                "of memory. Run fewer trials at once (parallel.workers), or smaller ones, and resume the search."
            ) from error
        log.warning("The worker of trial %s died: the trial goes on from its last finished epoch", spec.trial_id)

    def _discard(self, slot: int) -> None:
        self._workers.pop(slot).close()


def number_of_workers(config: ParallelConfig) -> int:
    """The number of trials to run at once."""
    if config.workers == AUTO:
        return max(1, (os.cpu_count() or 1) // (config.cpus_per_trial or 1))
    return int(config.workers)


def in_processes(workers: Workers, passes: Callable[[], PassObserver] | None = None) -> MakeExecutor:
    """The executor of a search in worker processes, as tuners take it.

    Args:
        workers: Settings of the processes.
        passes: Makes the observer of one worker's passes of texts through modules; None: nobody observes them.
    """

    def executor(runner: Runner, report: TrialReport) -> ProcessExecutor:
        return ProcessExecutor(runner, lambda: Listener(report, None if passes is None else passes()), workers)

    return executor


def _pickled(runner: Runner) -> bytes:
    try:
        return pickle.dumps(runner)
    except Exception as error:  # of any type, from whatever the HyperModel holds
        raise InputError(
            f"Trials cannot be run in other processes ({type(error).__name__}: {error}): define the HyperModel, or the "
            "function that builds a model, at the top level of a module, or search with workers=1."
        ) from error
