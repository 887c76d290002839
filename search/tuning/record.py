"""What is kept of a trial, and who is told while it runs."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from types import UnionType
from typing import TYPE_CHECKING, Any, Protocol, get_args, get_origin, get_type_hints, runtime_checkable

from search.utils.checked import damaged, read_checked, write_checked

if TYPE_CHECKING:  # brings TensorFlow, which those who read records do without
    from search.backbones.base import Description

REPLACEMENTS = 1_000_000
"""The k-th trial in place of a round's failed ones is named by k times so many more than the round's last one."""


def order(trial_id: str) -> tuple[int, int]:
    """The key that sorts trials by their names alone: replacements come at the end of their round."""
    times, place = divmod(int(trial_id), REPLACEMENTS)
    return place, times


@dataclass
class TrialRecord:
    """One trial: what was tried, what came out and what it cost."""

    trial_id: str
    values: dict[str, Any]
    """Hyperparameter names to values, those alone that exist in this trial."""
    backbone: str | None = None
    """The backbone under its head; None: the model is of a kind that does not say."""
    pretrained: str | None = None
    """The module whose published weights the backbone starts from; None: it starts from nothing."""
    frozen: bool | None = None
    """Whether these weights stay as they were published."""
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
    """Epochs of training, the parents' included, after which the score was best; 0: before the module was trained."""
    epochs: int = 0
    """Epochs of training behind the last weights, the parents' included."""
    seconds: float = 0.0
    parameters: int | None = None
    """Weights of the model's layers; those of a frozen module are not among them."""
    accumulate: int = 1
    """Parts that its batches were cut into for want of memory; a step is still made of a whole batch."""
    head_epochs: int | None = None
    """Epochs for which the head was trained alone, before the module was trained with it."""
    head_score: float | None = None
    """The objective of the head alone, after those."""
    metrics: dict[str, float] = field(default_factory=dict)
    """Every logged metric at the best epoch."""
    fold_scores: list[float] = field(default_factory=list)
    """The objective of each fold at the best epoch, of which `score` is the mean; empty without cross-validation."""
    error: str | None = None
    traceback: str | None = None
    build: dict[str, Any] | None = None
    """From which shapes Keras builds the model, where its first batch built it; None: it is made with weights."""
    space: dict[str, Any] = field(default_factory=dict)
    """KerasTuner's hyperparameters at the end of the trial: a model may ask for new ones as it is built."""

    def note_backbone(self, hypermodel: object) -> None:
        """Notes the facts about the backbone of the trial, where the HyperModel knows them."""
        if isinstance(hypermodel, DescribesBackbones):
            found = hypermodel.describe(self.values)
            self.backbone, self.pretrained, self.frozen = found.backbone, found.pretrained, found.frozen

    def has_epoch(self, epoch: int) -> bool:
        """Whether an epoch is behind this trial and was its own, not a parent's; 0 is the head alone."""
        return self.initial_epoch < epoch <= self.epochs or (epoch == 0 and self.head_score is not None)

    def write(self, path: Path) -> None:
        """Writes the record, whole or not at all."""
        write_checked(path, asdict(self))

    @classmethod
    def read(cls, path: Path) -> TrialRecord:
        """Reads what `write` wrote.

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
    """Says what keeps the content of a file from being a record; None where nothing does."""
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
    """The completed trials, the best first, of equals the earlier one.

    Args:
        records: Trials in the order in which they began.
        direction: max or min: which scores are better.
    """
    completed = [record for record in records if record.status == "COMPLETED"]
    sign = -1 if direction == "max" else 1
    return sorted(completed, key=lambda record: sign * (record.score or 0.0))


@runtime_checkable
class DescribesBackbones(Protocol):
    """A HyperModel that knows what stands under the heads of its models."""

    def describe(self, values: Mapping[str, Any]) -> Description:
        """The facts about the backbone of a configuration."""


class TrialReport(Protocol):
    """Is shown what happens in a trial that runs, here or in another process."""

    def on_trial_begin(self, record: TrialRecord) -> None:
        """A trial is about to be built and trained, from `record.epochs` on.

        What was told of later epochs of it, before a kill or in batches that were too large, holds no more.
        """

    def on_epoch_end(self, record: TrialRecord, epoch: int, metrics: Mapping[str, float]) -> None:
        """An epoch of it has ended; `epoch` counts from 1, the parents' epochs included; 0 is a head trained alone.

        The metrics are `search.training.scores.Metrics`, with what those of the validation split were computed from,
        where this package scored them.
        """


class TrialObserver(TrialReport, Protocol):
    """Follows the trials of a search, as TensorBoard and the progress display do."""

    def on_trial_resumed(self, record: TrialRecord) -> None:
        """A trial had ended before the search was interrupted; it is told again, in order, and not run again."""

    def on_trial_end(self, record: TrialRecord) -> None:
        """It has ended; its status says how."""
