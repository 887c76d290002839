"""What every variant of a search is given, and what it gives back."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from measure import in_own_process, machine
from numpy.typing import NDArray
from sklearn.metrics import accuracy_score, log_loss
from texts import Source

from search.datasets import Splits

# The space, the same for all.
LAYERS = 2
UNITS = {"min": 32, "max": 256, "step": 32}
DROPOUT = {"min": 0.0, "max": 0.5}
LEARNING_RATE = {"min": 3e-4, "max": 1e-2, "log": True}
FACTOR = 3
OBJECTIVE = "val_loss"


@dataclass(frozen=True)
class Job:
    """One search."""

    source: Source
    rows: int
    valid_rows: int
    module: Path
    """Folder of the SavedModel."""
    max_epochs: int
    batch: int
    seed: int
    data_seed: int
    folder: Path
    """Where the search writes its checkpoints and logs."""
    cache: Path
    """Where our features stay."""
    max_trials: int | None = None
    """Stop after so many trials; None: run all."""

    def splits(self) -> Splits:
        """Reads the data; the same for every seed of the search."""
        return self.source.splits(self.rows, self.valid_rows, self.data_seed)


@dataclass(frozen=True)
class Outcome:
    """What a search took and found."""

    seconds: float
    cpu_seconds: float
    """Of all cores together: what a busy machine changes least."""
    trials: int
    epochs: int
    log_loss: float
    accuracy: float
    """Both of the best trial's model on the validation split, from the probabilities it predicts."""
    memory: float
    """Peak of the process, in MB."""
    disk: float
    """Checkpoints and logs, in MB."""
    extrapolated_from: int | None = None
    """Trials that were run, where the seconds are worked out from them for the whole search."""


def make_module(name: str, scratch: Path, source: Source) -> tuple[Path, str]:
    """As `encoders.make_module`, which imports TensorFlow: for a process of its own."""
    import encoders

    return encoders.make_module(name, scratch, source.splits(None, 0.1, 0).train.texts)


@contextmanager
def prepared(arguments: argparse.Namespace, rows: int, valid_rows: int, max_epochs: int, seed: int) -> Iterator[Job]:
    """Says what the measurements are made on, makes the module in a temporary folder and gives the job to measure."""
    source = Source.from_arguments(arguments)
    print(machine())
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        module, measured = in_own_process(make_module, arguments.module, folder, source)
        print(f"{arguments.module}: {measured}")
        cache = folder / "features"
        yield Job(source, rows, valid_rows, module, max_epochs, arguments.batch, seed, seed, folder, cache)


def valid_scores(labels: NDArray[np.int64], probabilities: NDArray[np.floating]) -> tuple[float, float]:
    """Log loss and accuracy of probabilities [n, classes]."""
    exact = np.asarray(probabilities, np.float64)
    exact /= exact.sum(axis=1, keepdims=True)
    loss = log_loss(labels, exact, labels=list(range(exact.shape[1])))
    return float(loss), float(accuracy_score(labels, exact.argmax(axis=1)))
