"""The executor that runs trials on a Ray cluster: Ray schedules the workers, and carries what they need and report.

Ray: Moritz et al. 2018, https://docs.ray.io.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from search.errors import InputError, MachineFault
from search.execution.base import MakeExecutor, Runner
from search.execution.ray_mailbox import Mailbox, opened
from search.execution.ray_worker import FILE, TrialActor
from search.execution.slots import SlotExecutor, WorkerDied, pickled
from search.execution.worker_process import Listener, Workers, listeners
from search.utils.files import whole_file

if TYPE_CHECKING:
    from search.features.passes import PassObserver
    from search.tuning.record import TrialRecord, TrialReport
    from search.tuning.trial import TrialSpec

# A cluster of this machine stays on it: nobody else is to reach it, and nothing is reported to Ray's makers.
_LOOPBACK = "127.0.0.1"
PRIVATE = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "RAY_USAGE_STATS_ENABLED": "0"}
# Seconds within which the cluster must have room for a worker.
_PATIENCE = 300.0
# Seconds within which it must answer.
_ANSWER = 10.0


@dataclass(frozen=True)
class Cluster:
    """Settings of a Ray cluster.

    Attributes:
        trials: The folder of the trials.
        address: Of a running cluster, host:port; None: one on this machine is started, and ended with the search.
        cpus: Cores of a trial: Ray starts no more trials on a machine than it has cores for.
        gpus: GPUs of a trial, perhaps a fraction.
    """

    trials: Path
    address: str | None = None
    cpus: float = 1
    gpus: float = 0


class RayExecutor(SlotExecutor["_RayWorker"]):
    """Runs trials in actors of a Ray cluster.

    A worker gets the checkpoints that a trial goes on from, and sends back each that it writes. This process alone
    writes the folder of the trials, in the order in which things happened: a state comes after its epoch was passed on.

    Args:
        runner: Runs the trials; it is pickled once.
        listener: Makes what takes the messages of a worker: each has its own.
        workers: Settings of the workers.
        cluster: Settings of the cluster.

    Raises:
        InputError: Ray is not installed, there is no such cluster, or the runner cannot be pickled.
    """

    def __init__(self, runner: Runner, listener: Callable[[], Listener], workers: Workers, cluster: Cluster) -> None:
        super().__init__(workers.count, workers.max_restarts)
        content = pickled(runner)
        self.ray = _connected(cluster, workers.count)
        self.settings, self.cluster = workers, cluster
        self.runner = self.ray.put(content)
        self.mailbox = _mailbox(self.ray)
        self._listener = listener
        self._listeners: dict[int, Listener] = {}

    def close(self) -> None:
        """Ends the workers, and the cluster where it was started for this search."""
        super().close()
        self.ray.kill(self.mailbox)
        self.ray.shutdown()

    def _deliver(self) -> None:
        try:
            messages = self.ray.get(self.mailbox.take.remote())
        except self.ray.exceptions.RayActorError as error:
            raise MachineFault(
                "The process that takes the messages of Ray's workers died, perhaps for want of memory"
            ) from error
        for message in messages:
            number, (name, arguments) = opened(message)
            if name == FILE:
                _keep(self.cluster.trials, *arguments)
            else:
                self._listeners[number].hear(name, arguments)

    def _started(self, slot: int) -> _RayWorker:
        self._listeners[slot] = self._listener()
        return _RayWorker(self, slot)

    def _pause(self) -> None:
        self.ray.wait([self._workers[slot].future for slot in self._running], timeout=0.2)


class _RayWorker:
    """An actor as its driver sees it; see `search.execution.slots.Worker`."""

    def __init__(self, executor: RayExecutor, number: int) -> None:
        self._executor = executor
        ray, cluster, settings = executor.ray, executor.cluster, executor.settings
        resources: dict[str, Any] = {"num_cpus": cluster.cpus, "num_gpus": cluster.gpus}
        self._actor = ray.remote(TrialActor).options(**resources).remote(number, executor.mailbox)
        try:
            ray.get(self._actor.__ray_ready__.remote(), timeout=_PATIENCE)
        except ray.exceptions.GetTimeoutError as error:
            raise InputError(
                f"The Ray cluster has no room for worker {number} ({cluster.cpus:g} CPUs, {cluster.gpus:g} GPUs): ask "
                f"for fewer (parallel.workers, parallel.cpus_per_trial); it has {ray.cluster_resources()}."
            ) from error
        level = logging.getLogger().level
        self._begun = self._actor.begin.remote(sys.path, settings.prepare, level, executor.runner)
        self.future: Any = None

    def begin(self, spec: TrialSpec) -> None:
        self.future = self._actor.run.remote(spec, _files_before(self._executor.cluster.trials, spec))

    def has_ended(self) -> bool:
        return bool(self._executor.ray.wait([self.future], timeout=0)[0])

    def result(self) -> TrialRecord:
        errors = self._executor.ray.exceptions
        try:
            self._executor.ray.get(self._begun)
            result: TrialRecord = self._executor.ray.get(self.future)
        except errors.RayTaskError as error:
            raise error.cause from error
        except errors.RayActorError as error:
            raise WorkerDied from error
        return result

    def check(self) -> None:
        """Nothing to do: Ray looks after its machines and processes."""

    def close(self) -> None:
        self._executor.ray.kill(self._actor)


def on_ray(workers: Workers, cluster: Cluster, passes: Callable[[], PassObserver] | None = None) -> MakeExecutor:
    """The executor of a search on a Ray cluster, as tuners take it.

    Args:
        workers: Settings of the workers.
        cluster: Settings of the cluster.
        passes: Makes the observer of one worker's passes of texts through modules; None: nobody observes them.
    """

    def executor(runner: Runner, report: TrialReport) -> RayExecutor:
        return RayExecutor(runner, listeners(report, passes), workers, cluster)

    return executor


def _files_before(trials: Path, spec: TrialSpec) -> dict[str, bytes]:
    """The checkpoints that a trial goes on from: its own, and its parent's last one."""
    names = [f"trial_{spec.trial_id}/best.npz", f"trial_{spec.trial_id}/last.npz", f"trial_{spec.parent}/last.npz"]
    return {name: (trials / name).read_bytes() for name in names if (trials / name).exists()}


def _keep(trials: Path, path: str, content: bytes | None) -> None:
    """Writes a checkpoint that a worker wrote, or removes the one that it removed."""
    if content is None:
        (trials / path).unlink(missing_ok=True)
        return
    with whole_file(trials / path) as beside:
        beside.write_bytes(content)


def _mailbox(ray: Any) -> Any:
    """A mailbox on the machine of this process, so that no other machine is needed to the end of a search."""
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    return ray.remote(Mailbox).options(num_cpus=0, scheduling_strategy=here).remote()


def _connected(cluster: Cluster, workers: int) -> Any:
    """The package, connected to the cluster.

    Raises:
        InputError: It is not installed, or there is no such cluster.
    """
    os.environ.update({name: os.environ.get(name, value) for name, value in PRIVATE.items()})
    try:
        import ray
    except ImportError as error:
        raise InputError("parallel.engine=ray needs the package ray: pip install 'search[ray]'") from error
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    terminated = signal.getsignal(signal.SIGTERM)
    try:
        if cluster.address is not None:
            host, _, port = cluster.address.rpartition(":")
            socket.create_connection((host, int(port)), timeout=_ANSWER).close()  # Ray itself waits for minutes
            of_this_machine: dict[str, Any] = {"_node_ip_address": _LOOPBACK} if host == _LOOPBACK else {}
            ray.init(cluster.address, **of_this_machine, **quiet)
        else:
            room: dict[str, Any] = {"num_cpus": max(1, round(workers * cluster.cpus)), "include_dashboard": False}
            ray.init("local", _node_ip_address=_LOOPBACK, **room, **quiet)
    except (OSError, RuntimeError, ValueError) as error:
        reason = str(error).splitlines()[0]
        where = "this machine" if cluster.address is None else f"parallel.address={cluster.address}"
        raise InputError(f"No Ray cluster answers at {where} ({reason}).") from error
    finally:
        # Ray has put its own in the place of ours, which tells how to resume.
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, terminated)
    return ray
