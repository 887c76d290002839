"""The list of metrics: one entry for each, with the tasks that have it and the views that show it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Target:
    """The target of a prediction, as far as it decides which metrics there are.

    Attributes:
        classes: Number of classes.
        ordered: Whether their order means something, as that of ratings does.
        several: Whether they are labels of which a text has any number, not classes of which it has one.
    """

    classes: int
    ordered: bool = False
    several: bool = False

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Target:
        """The target of a run or an evaluation, by its record in JSON."""
        return cls(len(record["classes"]), record.get("ordered", False), record.get("several", False))

    @property
    def is_binary(self) -> bool:
        """Whether there is a positive class."""
        return self.classes == 2 and not self.several

    @property
    def kind(self) -> str:
        """The kind of task, by which views choose: binary, multiclass or several."""
        return "several" if self.several else "binary" if self.is_binary else "multiclass"

    @property
    def one(self) -> str:
        """The word for one of them: label where a text has several, else class."""
        return "label" if self.several else "class"

    def has(self, metric: Metric) -> bool:
        """Whether a metric means something here."""
        if metric.several is not None and metric.several != self.several:
            return False
        return (self.is_binary or not metric.binary_only) and (self.ordered or not metric.ordered_only)


@dataclass(frozen=True)
class Metric:
    """One metric.

    Args:
        name: Its name, everywhere.
        binary_only: Whether it is of the positive class, and so for two classes alone.
        ordered_only: Whether it counts how far apart classes are, and so is for ordered ones alone.
        several: Whether it is of several labels per text alone; False: of one alone; None: of both.
        lower_is_better: Whether less of it is better.
        limits: The ends of its range, whatever the number of classes; infinite where there is none.
        places: Its place in each view that shows it: `binary` and `multiclass` are the tables of a terminal,
            `several` is that of several labels per text, `report_…` the report's comparison with the largest class,
            `leaderboard` and `multirun` the further columns of those tables.
    """

    name: str
    binary_only: bool = False
    ordered_only: bool = False
    several: bool | None = False
    lower_is_better: bool = False
    limits: tuple[float, float] = (0.0, 1.0)
    places: Mapping[str, int] = field(default_factory=dict)


METRICS = (
    Metric(
        "accuracy",
        places={
            "binary": 6,
            "multiclass": 2,
            "report_binary": 1,
            "report_multiclass": 1,
            "leaderboard": 8,
            "multirun": 6,
        },
    ),
    Metric("precision", binary_only=True, places={"binary": 4}),
    Metric("recall", binary_only=True, places={"binary": 5}),
    Metric("f1", binary_only=True, places={"binary": 3, "report_binary": 2, "leaderboard": 1, "multirun": 1}),
    Metric("macro_precision"),
    Metric("macro_recall"),
    Metric("micro_f1", several=True, places={"several": 1, "report_several": 2, "leaderboard": 3, "multirun": 3}),
    Metric(
        "macro_f1",
        several=None,
        places={
            "multiclass": 1,
            "several": 2,
            "report_multiclass": 2,
            "report_several": 3,
            "leaderboard": 2,
            "multirun": 2,
        },
    ),
    Metric("subset_accuracy", several=True, places={"several": 5, "report_several": 1, "leaderboard": 9}),
    Metric("hamming_loss", several=True, lower_is_better=True, places={"several": 6, "leaderboard": 11}),
    Metric("weighted_precision"),
    Metric("weighted_recall"),
    Metric("weighted_f1", places={"multiclass": 5}),
    Metric("mcc", limits=(-1.0, 1.0), places={"binary": 9, "multiclass": 6, "leaderboard": 10}),
    Metric(
        "quadratic_kappa",
        ordered_only=True,
        limits=(-1.0, 1.0),
        places={
            "binary": 7,
            "multiclass": 3,
            "report_binary": 4,
            "report_multiclass": 3,
            "leaderboard": 4,
            "multirun": 4,
        },
    ),
    Metric(
        "mae",
        ordered_only=True,
        lower_is_better=True,
        limits=(0.0, math.inf),
        places={
            "binary": 8,
            "multiclass": 4,
            "report_binary": 5,
            "report_multiclass": 4,
            "leaderboard": 5,
            "multirun": 5,
        },
    ),
    Metric(
        "roc_auc", several=None, places={"several": 4, "binary": 2, "multiclass": 7, "leaderboard": 7, "multirun": 7}
    ),
    Metric(
        "average_precision",
        several=None,
        places={
            "binary": 1,
            "multiclass": 8,
            "several": 3,
            "report_binary": 3,
            "report_several": 4,
            "leaderboard": 6,
        },
    ),
    Metric(
        "log_loss",
        several=None,
        lower_is_better=True,
        limits=(0.0, math.inf),
        places={"binary": 10, "multiclass": 9, "several": 7, "leaderboard": 12, "multirun": 8},
    ),
    Metric("brier", lower_is_better=True, limits=(0.0, 2.0)),
    Metric("expected_calibration_error", lower_is_better=True),
)


def shown_in(view: str, target: Target | None = None) -> tuple[str, ...]:
    """The metrics of a view, in the order of their places in it; of all tasks, or those of a target alone."""
    shown = [one for one in METRICS if view in one.places and (target is None or target.has(one))]
    return tuple(one.name for one in sorted(shown, key=lambda one: one.places[view]))


def shown_metrics(target: Target) -> tuple[str, ...]:
    """The metrics of a target that are worth a line on a terminal; summary.json has them all."""
    return shown_in(target.kind, target)
