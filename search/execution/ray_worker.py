"""The part of a search that runs on a machine of a Ray cluster."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from search.execution.worker import FILE, TrialWorker
from search.utils.files import whole_file

if TYPE_CHECKING:
    from search.tuning.record import TrialRecord
    from search.tuning.trial import TrialSpec

Files = Mapping[str, bytes]
"""Paths in the folder of the trials, and what the files hold."""


class QueueChannel:
    """Sends messages through a queue of Ray.

    Args:
        number: The number of the worker, by which the driver tells them apart.
        queue: The queue.
    """

    def __init__(self, number: int, queue: Any) -> None:
        self._number = number
        self._queue = queue

    def send(self, name: str, *arguments: Any) -> None:
        """Sends an event; returns once the queue holds it."""
        self._queue.put((self._number, name, arguments))

    def report(self, name: str, *arguments: Any) -> None:
        """Sends an event as any other: an answer would take the driver longer than an epoch of a head."""
        self.send(name, *arguments)


class TrialActor:
    """Runs trials on a machine of the cluster; an actor of Ray.

    Args:
        number: The number of the worker, from 1.
        queue: The queue to the driver.
        mark: A file in the folder of the trials: where it is not to be seen, the files travel with the trials.
    """

    def __init__(self, number: int, queue: Any, mark: str) -> None:
        self._number = number
        self._channel = QueueChannel(number, queue)
        self._shares_folder = Path(mark).exists()

    def shares_folder(self) -> bool:
        """Whether this machine sees the folder of the trials."""
        return self._shares_folder

    def begin(self, places: Sequence[str], prepare: Callable[[int], object], level: int, pickled: bytes) -> None:
        """Gets ready to run trials; arguments as for `TrialWorker`, after `sys.path` of the driver."""
        sys.path += [place for place in places if place not in sys.path]
        kind = TrialWorker if self._shares_folder else _Elsewhere
        self._worker = kind(self._channel, self._number, prepare, level, pickled)

    def run(self, spec: TrialSpec, files: Files) -> TrialRecord:
        """Runs a trial.

        Args:
            spec: The trial.
            files: The checkpoints that it goes on from; empty where the folder is shared.
        """
        if isinstance(self._worker, _Elsewhere):
            self._worker.take(files)
        return self._worker.run(spec)


class _Elsewhere(TrialWorker):
    """Keeps the files of trials in a folder of this machine, and sends the driver each as it changes."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._folder = tempfile.TemporaryDirectory()
        self.runner.keep_files_in(Path(self._folder.name))
        self._sent: dict[Path, int] = {}

    def take(self, files: Files) -> None:
        """Writes what a trial goes on from."""
        for name, content in files.items():
            path = Path(self._folder.name, name)
            with whole_file(path) as beside:
                beside.write_bytes(content)
            self._sent[path] = path.stat().st_mtime_ns

    def run(self, spec: TrialSpec) -> TrialRecord:
        result = super().run(spec)
        self._send(spec.trial_id)
        return result

    def on_epoch_end(self, record: TrialRecord, epoch: int, metrics: Mapping[str, float]) -> None:
        self._send(record.trial_id)
        super().on_epoch_end(record, epoch, metrics)

    def _send(self, trial_id: str) -> None:
        # The best weights before the state that refers to them, as they were written.
        for path in sorted(Path(self._folder.name, f"trial_{trial_id}").glob("*.npz")):
            if self._sent.get(path) != (changed := path.stat().st_mtime_ns):
                self._sent[path] = changed
                self._channel.send(FILE, f"{path.parent.name}/{path.name}", path.read_bytes())
