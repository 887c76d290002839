"""The record of a trial, and the observers of a running one."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import UnionType
from typing import Any, Protocol, get_args, get_origin, get_type_hints, runtime_checkable

from search.backbones.description import Description
from search.training.base import TrialState
from search.utils.checked import damaged, read_checked, write_checked

REPLACEMENTS = 1_000_000
"""The k-th replacement of a failed trial is numbered k times this number above the last trial of its round."""


def order(trial_id: str) -> tuple[int, int]:
    """A key that sorts trials by their names: replacements come at the end of their round."""
    times, place = divmod(int(trial_id), REPLACEMENTS)
    return place, times


@dataclass
class TrialRecord:
    """The record of one trial: its hyperparameters, its results and its cost."""

    trial_id: str
    values: dict[str, Any]
    """Hyperparameter names to values, of those that exist in this trial."""
    backbone: str | None = None
    """The backbone under its head; None: the HyperModel does not describe it."""
    pretrained: str | None = None
    """The module whose published weights the backbone starts from; None: it is trained from scratch."""
    frozen: bool | None = None
    """Whether these weights stay as they were published."""
    bracket: int | None = None
    round: int | None = None
    parent: str | None = None
    """The trial whose training this one continues."""
    initial_epoch: int = 0
    target_epochs: int = 0
    """Epochs of training it is to reach, the parents' included."""
    status: str = "RUNNING"
    score: float | None = None
    """The objective at the best epoch."""
    best_epoch: int | None = None
    """Epochs of training, the parents' included, after which the score was best; 0: before the module was trained."""
    epochs: int = 0
    """Epochs of training behind the last weights, the parents' included."""
    seconds: float = 0.0
    worker: int = 1
    """The number of the process that ran its last epochs."""
    parameters: int | None = None
    """Weights of the model's layers; those of a frozen module are not among them."""
    accumulate: int = 1
    """Parts into which its batches were cut to save memory; a step still covers a whole batch."""
    head_epochs: int | None = None
    """Epochs for which the head was trained alone, before the module was trained with it."""
    head_score: float | None = None
    """The objective of the head alone, after these epochs."""
    metrics: dict[str, float] = field(default_factory=dict)
    """Every logged metric at the best epoch."""
    fold_scores: list[float] = field(default_factory=list)
    """The objective of each fold at the best epoch, of which `score` is the mean; empty without cross-validation."""
    error: str | None = None
    traceback: str | None = None
    build: dict[str, Any] | None = None
    """The shapes from which Keras builds a model that its first batch built; None: it is created with weights."""
    space: dict[str, Any] = field(default_factory=dict)
    """KerasTuner's hyperparameters at the end of the trial; building the model may add some."""

    @property
    def state(self) -> TrialState:
        """The facts found out so far, for those that go on from here, and for a refit."""
        return TrialState(self.accumulate, self.head_epochs)

    def note_backbone(self, hypermodel: object) -> None:
        """Notes the facts about the backbone of the trial, where the HyperModel knows them."""
        if isinstance(hypermodel, DescribesBackbones):
            found = hypermodel.describe(self.values)
            self.backbone, self.pretrained, self.frozen = found.backbone, found.pretrained, found.frozen

    def has_epoch(self, epoch: int) -> bool:
        """Whether this trial, not a parent, has trained an epoch; 0 is the head alone."""
        return self.initial_epoch < epoch <= self.epochs or (epoch == 0 and self.head_score is not None)

    def write(self, path: Path) -> None:
        """Writes the record, whole or not at all."""
        write_checked(path, vars(self))

    @classmethod
    def read(cls, path: Path) -> TrialRecord:
        """Reads a record.

        Args:
            path: `record.json` in the folder of its trial.

        Raises:
            InputError: The file is damaged, was changed or is another trial's.
        """
        content = read_checked(path)
        if (fault := _fault(content)) is not None:
            raise damaged(path, fault)
        record = cls(**content)
        if path.parent.name != f"trial_{record.trial_id}":
            raise damaged(path, f"it is of trial {record.trial_id}")
        # JSON has no NaN: a metric that was none, though not the objective, comes back as null.
        record.metrics = {name: math.nan if value is None else value for name, value in record.metrics.items()}
        return record


def _fault(content: Mapping[str, Any]) -> str | None:
    """The reason why the content of a file is no record; None if it is one."""
    kinds = _kinds()
    if unknown := sorted(content.keys() - kinds):
        return f"{unknown[0]!r} is no part of a record"
    if missing := [name for name in ("trial_id", "values") if name not in content]:
        return f"{missing[0]!r} is missing"
    for name, value in content.items():
        if not isinstance(value, kinds[name]) or (isinstance(value, bool) and bool not in kinds[name]):
            return f"{name!r} cannot be {json.dumps(value)[:40]}"
    if not re.fullmatch(r"\d+", content["trial_id"]):
        return f"'trial_id' cannot be {content['trial_id']!r}"
    for name in ("metrics", "fold_scores"):
        held = content.get(name, [])
        numbers = held.values() if isinstance(held, dict) else held
        if not all(number is None or type(number) in (int, float) for number in numbers):
            return f"{name!r} holds what is no number"
    if content.get("status") == "COMPLETED" and (content.get("score") is None or content.get("best_epoch") is None):
        return "it is of a completed trial, but has no score"
    return None


@cache
def _kinds() -> dict[str, tuple[type, ...]]:
    """Name of each field to the types that it has in a file."""
    kinds: dict[str, tuple[type, ...]] = {}
    for name, hint in get_type_hints(TrialRecord).items():
        options = get_args(hint) if isinstance(hint, UnionType) else (hint,)
        plain = tuple(get_origin(option) or option for option in options)
        kinds[name] = (*plain, int) if float in plain else plain
    return kinds


def ranked(records: Iterable[TrialRecord], direction: str) -> list[TrialRecord]:
    """The completed trials, the best first; of equals the earlier one.

    Args:
        records: Trials in the order in which they began.
        direction: max or min, whichever is better.
    """
    completed = [record for record in records if record.status == "COMPLETED"]
    sign = -1 if direction == "max" else 1
    return sorted(completed, key=lambda record: sign * (record.score or 0.0))


@runtime_checkable
class DescribesBackbones(Protocol):
    """A HyperModel that can describe the backbones of its models."""

    def describe(self, values: Mapping[str, Any]) -> Description:
        """The facts about the backbone of a configuration."""


class TrialReport(Protocol):
    """The reports from a running trial, here or in another process."""

    def on_trial_begin(self, record: TrialRecord) -> None:
        """A trial is about to be built and trained, from `record.epochs` on.

        Earlier reports of later epochs, from before a kill or with batches that were too large, are void.
        """

    def on_epoch_end(self, record: TrialRecord, epoch: int, metrics: Mapping[str, float]) -> None:
        """An epoch of it has ended; `epoch` counts from 1, the parents' epochs included; 0 is a head trained alone.

        The metrics are `search.training.scores.Metrics`, with the probabilities behind those of the validation split,
        where this package computed them.
        """


class TrialObserver(TrialReport, Protocol):
    """Follows the trials of a search, as TensorBoard and the progress display do."""

    def on_trial_resumed(self, record: TrialRecord) -> None:
        """A trial had ended before the search was interrupted; it is reported again, in order, but not run again."""

    def on_trial_end(self, record: TrialRecord) -> None:
        """The trial has ended; its status says how."""
