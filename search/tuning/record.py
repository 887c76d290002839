"""What is kept of a trial, and who is told while it runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

from search.files import write_json


@dataclass
class TrialRecord:
    """One trial: what was tried, what came out and what it cost."""

    trial_id: str
    values: dict[str, Any]
    """Hyperparameter names to values, those alone that exist in this trial."""
    bracket: int | None = None
    round: int | None = None
    parent: str | None = None
    """The trial whose training this one goes on with."""
    initial_epoch: int = 0
    target_epochs: int = 0
    """Epochs of training it is to reach, the parents' included."""
    status: str = "RUNNING"
    score: float | None = None
    """The objective at the best epoch."""
    best_epoch: int | None = None
    """Epochs of training, the parents' included, after which the score was best; 1 is the first."""
    epochs: int = 0
    """Epochs of training behind the last weights, the parents' included."""
    seconds: float = 0.0
    parameters: int | None = None
    """Weights of the model's layers; those of a frozen module are not among them."""
    metrics: dict[str, float] = field(default_factory=dict)
    """Every logged metric at the best epoch."""
    error: str | None = None

    def write(self, folder: Path) -> None:
        """Writes the record to `trial_record.json` in the trial's folder."""
        write_json(folder / "trial_record.json", asdict(self))


class TrialObserver(Protocol):
    """Is told what happens to the trials of a search: TensorBoard, the progress display."""

    def on_trial_begin(self, record: TrialRecord) -> None:
        """A trial is about to be built and trained."""

    def on_epoch_end(self, record: TrialRecord, epoch: int, metrics: Mapping[str, float]) -> None:
        """An epoch of it has ended; `epoch` counts from 1, the parents' epochs included."""

    def on_trial_end(self, record: TrialRecord) -> None:
        """It has ended; its status says how."""
