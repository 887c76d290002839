"""The part of a search that runs on a machine of a Ray cluster."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from search.execution.ray_mailbox import MailboxChannel
from search.execution.worker import TrialWorker
from search.utils.files import whole_file
from search.utils.leftovers import remove_leftovers, unfinished_name

if TYPE_CHECKING:
    from search.tuning.record import TrialRecord
    from search.tuning.trial import TrialSpec

Files = Mapping[str, bytes]
"""Paths in the folder of the trials, and what the files hold."""

FILE = "file"
"""The event that a file changed: its path in the folder of the trials, and what it holds; None: it was removed."""

_FOLDER = "search-trial"


class TrialActor:
    """Runs trials on a machine of the cluster; an actor of Ray.

    It keeps the files of a trial in a folder of its machine while that runs, and sends the driver each as it changes.

    Args:
        number: The number of the worker, from 1.
        mailbox: The handle of the mailbox that the driver empties.
    """

    def __init__(self, number: int, mailbox: Any) -> None:
        self._number = number
        self._channel = MailboxChannel(number, mailbox)

    def begin(self, places: Sequence[str], prepare: Callable[[int], object], level: int, pickled: bytes) -> None:
        """Gets ready to run trials; arguments as for `TrialWorker`, after `sys.path` of the driver."""
        sys.path += [place for place in places if place not in sys.path]
        self._worker = TrialWorker(self._channel, self._number, prepare, level, pickled)

    def run(self, spec: TrialSpec, files: Files) -> TrialRecord:
        """Runs a trial.

        Args:
            spec: The trial.
            files: The checkpoints that it goes on from.
        """
        remove_leftovers(Path(tempfile.gettempdir()), _FOLDER)  # of workers that were killed
        with tempfile.TemporaryDirectory(prefix=f"{unfinished_name(_FOLDER)}.") as name:
            folder = Path(name)
            for path, content in files.items():
                with whole_file(folder / path) as beside:
                    beside.write_bytes(content)
            self._worker.runner.keep_files_in(folder, partial(self._send, folder))
            return self._worker.run(spec)

    def _send(self, folder: Path, path: Path) -> None:
        content = path.read_bytes() if path.exists() else None
        self._channel.send(FILE, path.relative_to(folder).as_posix(), content)
