"""The curves of one training."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.plugins.scalar.summary_v2 import scalar_pb

from search.reporting.tensorboard.events import EventFile

_VALIDATION = "val_"


class Curves:
    """The curves of one training: runs `train` and `validation` with a point per epoch and metric.

    A metric has the same name in both, so that TensorBoard draws the two in one chart.

    Args:
        folder: The folder in which the two runs are made.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._runs: dict[str, EventFile] = {}

    def add(self, epoch: int, metrics: Mapping[str, float]) -> None:
        """Adds a point to every curve; names that begin with `val_` belong to the validation split."""
        points: dict[str, list[Summary]] = {}
        for name, value in metrics.items():
            run = "validation" if name.startswith(_VALIDATION) else "train"
            points.setdefault(run, []).append(scalar_pb(name.removeprefix(_VALIDATION), value))
        for run, summaries in points.items():
            if run not in self._runs:
                self._runs[run] = EventFile(self._folder / run)
            self._runs[run].add(epoch, summaries)

    def close(self) -> None:
        """Writes what is still in memory."""
        for run in self._runs.values():
            run.close()
