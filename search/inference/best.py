"""The configuration that won a search."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Best:
    """The configuration that won.

    Attributes:
        trial: Its trial.
        objective: The metric that ranked the trials.
        score: Its objective on the validation split.
        epochs: The epoch of its score, and the number of epochs of the refit.
        hyperparameters: Name to value.
    """

    trial: str
    objective: str
    score: float
    epochs: int
    hyperparameters: dict[str, Any]
