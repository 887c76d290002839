"""The executor that runs trials side by side, each slot in a process of its own."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable
from multiprocessing.connection import wait as wait_for
from typing import TYPE_CHECKING

from search.config.tuner import ParallelConfig
from search.execution.base import MakeExecutor, Runner
from search.execution.slots import SlotExecutor, pickled
from search.execution.worker_process import Listener, WorkerProcess, Workers, listeners
from spaces import AUTO

if TYPE_CHECKING:
    from search.features.passes import PassObserver
    from search.tuning.record import TrialReport


class ProcessExecutor(SlotExecutor[WorkerProcess]):
    """Runs trials in spawned processes, which end with this one.

    Args:
        runner: Runs the trials; it is pickled once.
        listener: Makes what takes the messages of a worker: each has its own.
        workers: Settings of the processes.

    Raises:
        InputError: The runner cannot be pickled.
    """

    def __init__(self, runner: Runner, listener: Callable[[], Listener], workers: Workers) -> None:
        super().__init__(workers.count, workers.max_restarts)
        self._settings = workers
        self._listener = listener
        self._pickled = pickled(runner)
        # Wakes the driver when a result is there.
        self._woken, self._waker = multiprocessing.Pipe(duplex=False)

    def _started(self, slot: int) -> WorkerProcess:
        return WorkerProcess(slot, self._listener(), self._settings, self._pickled, self._wake)

    def _deliver(self) -> None:
        for worker in self._workers.values():
            worker.deliver()

    def _wake(self) -> None:
        self._waker.send_bytes(b".")

    def _pause(self) -> None:
        wait_for([self._woken, *(one.receiver for one in self._workers.values() if one.is_open)], timeout=1.0)
        while self._woken.poll():
            self._woken.recv_bytes()


def number_of_workers(config: ParallelConfig) -> int:
    """The number of trials to run at once."""
    if config.workers == AUTO:
        return max(1, (os.cpu_count() or 1) // (config.cpus_per_trial or 1))
    return int(config.workers)


def trains_in_processes(config: ParallelConfig) -> bool:
    """Whether trials run in processes of this machine beside this one."""
    return config.engine == "processes" and number_of_workers(config) > 1


def in_processes(workers: Workers, passes: Callable[[], PassObserver] | None = None) -> MakeExecutor:
    """The executor of a search in worker processes, as tuners take it.

    Args:
        workers: Settings of the processes.
        passes: Makes the observer of one worker's passes of texts through modules; None: nobody observes them.
    """

    def executor(runner: Runner, report: TrialReport) -> ProcessExecutor:
        return ProcessExecutor(runner, listeners(report, passes), workers)

    return executor
