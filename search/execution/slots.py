"""The part that executors with workers share: slots, results, and trials that go on where a worker died."""

from __future__ import annotations

import logging
import pickle
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from search.errors import InputError, MachineFault

if TYPE_CHECKING:
    from search.execution.base import Runner
    from search.tuning.record import TrialRecord
    from search.tuning.trial import TrialSpec

log = logging.getLogger(__name__)


class WorkerDied(Exception):
    """A worker ended before its trial did."""


class Worker(Protocol):
    """A worker as its driver sees it; it runs one trial at a time."""

    def begin(self, spec: TrialSpec) -> None:
        """Begins a trial.

        Raises:
            WorkerDied: It ended while it had nothing to do.
        """

    def has_ended(self) -> bool:
        """Whether the result of its trial is there, or never will be."""

    def result(self) -> TrialRecord:
        """The result.

        Raises:
            WorkerDied: It ended before the trial.
            BaseException: The trial met an error that ends the search.
        """

    def check(self) -> None:
        """Ends a worker that gives no sign of life."""

    def close(self) -> None:
        """Ends it at once."""


WorkerT = TypeVar("WorkerT", bound=Worker)


class SlotExecutor(ABC, Generic[WorkerT]):
    """Runs trials in workers, one in each slot; a worker is started when its slot is first needed.

    Where a worker dies, only its own trial has to go on, in a new one.

    Args:
        slots: The number of trials at once.
        max_restarts: How often a trial may go on in another worker.
    """

    def __init__(self, slots: int, max_restarts: int) -> None:
        self.slots = slots
        self._max_restarts = max_restarts
        self._workers: dict[int, WorkerT] = {}
        self._running: dict[int, TrialSpec] = {}
        self._restarts: dict[str, int] = {}

    def submit(self, spec: TrialSpec) -> None:
        """Begins a trial in the first free slot."""
        self._begin(next(slot for slot in range(1, self.slots + 1) if slot not in self._running), spec)

    def wait(self) -> list[TrialRecord]:
        """Waits for results, and passes on what workers report meanwhile.

        Raises:
            MachineFault: The workers of a trial died more often than `max_restarts` allows.
        """
        while True:
            self._deliver()
            ended = [slot for slot in self._running if self._workers[slot].has_ended()]
            results = [result for slot in ended if (result := self._ended(slot)) is not None]
            if results:
                return results
            self._pause()
            for worker in self._workers.values():
                worker.check()

    def close(self) -> None:
        """Ends the workers: what a trial had finished is on disk."""
        for worker in self._workers.values():
            worker.close()
        self._workers.clear()
        self._running.clear()

    @abstractmethod
    def _started(self, slot: int) -> WorkerT:
        """Starts the worker of a slot, numbered from 1."""

    @abstractmethod
    def _deliver(self) -> None:
        """Passes on the messages that have come from workers."""

    @abstractmethod
    def _pause(self) -> None:
        """Waits until something may have come from a worker, a second at most."""

    def _begin(self, slot: int, spec: TrialSpec) -> None:
        if slot not in self._workers:
            self._workers[slot] = self._started(slot)
        try:
            self._workers[slot].begin(spec)
        except WorkerDied:
            self._workers.pop(slot).close()
            self._workers[slot] = self._started(slot)
            self._workers[slot].begin(spec)
        self._running[slot] = spec

    def _ended(self, slot: int) -> TrialRecord | None:
        """The result of a slot's trial; None where its worker died and it goes on in another."""
        self._deliver()  # what was reported before the end
        spec = self._running.pop(slot)
        try:
            return self._workers[slot].result()
        except WorkerDied as error:
            self._workers.pop(slot).close()
            self._count_restart(spec, error)
            self._begin(slot, spec)
            return None

    def _count_restart(self, spec: TrialSpec, error: WorkerDied) -> None:
        times = self._restarts[spec.trial_id] = self._restarts.get(spec.trial_id, 0) + 1
        if times > self._max_restarts:
            raise MachineFault(
                f"trial {spec.trial_id} could not be run: its worker died {times} times, which may be for want of "
                "memory. Run fewer trials at once (parallel.workers), or smaller ones, and resume the search."
            ) from error
        log.warning("The worker of trial %s died: the trial goes on from its last finished epoch", spec.trial_id)


def pickled(runner: Runner) -> bytes:
    """The runner for another process.

    Raises:
        InputError: It cannot be pickled.
    """
    try:
        return pickle.dumps(runner)
    except Exception as error:  # of any type, from whatever the HyperModel holds
        raise InputError(
            f"Trials cannot be run in other processes ({type(error).__name__}: {error}): define the HyperModel, or the "
            "function that builds a model, at the top level of a module, or search with workers=1."
        ) from error
