"""The list of metrics: one entry for each, with the views that show it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Metric:
    """One metric.

    Args:
        name: Its name, everywhere.
        binary_only: Whether it is of the positive class, and so for two classes alone.
        lower_is_better: Whether less of it is better.
        limits: The ends of its range, whatever the number of classes; infinite where there is none.
        places: Its place in each view that shows it: `binary` and `multiclass` are the tables of a terminal,
            `report_binary` and `report_multiclass` the report's comparison with the largest class, `leaderboard` and
            `multirun` the further columns of those tables.
    """

    name: str
    binary_only: bool = False
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
            "leaderboard": 5,
            "multirun": 3,
        },
    ),
    Metric("precision", binary_only=True, places={"binary": 4}),
    Metric("recall", binary_only=True, places={"binary": 5}),
    Metric("f1", binary_only=True, places={"binary": 3, "report_binary": 2, "leaderboard": 1, "multirun": 1}),
    Metric("macro_precision"),
    Metric("macro_recall"),
    Metric("macro_f1", places={"multiclass": 1, "report_multiclass": 2, "leaderboard": 2, "multirun": 2}),
    Metric("weighted_precision"),
    Metric("weighted_recall"),
    Metric("weighted_f1", places={"multiclass": 3}),
    Metric("mcc", limits=(-1.0, 1.0), places={"binary": 7, "multiclass": 4, "leaderboard": 6}),
    Metric("roc_auc", places={"binary": 2, "multiclass": 5, "leaderboard": 4, "multirun": 4}),
    Metric("average_precision", places={"binary": 1, "multiclass": 6, "report_binary": 3, "leaderboard": 3}),
    Metric(
        "log_loss",
        lower_is_better=True,
        limits=(0.0, math.inf),
        places={"binary": 8, "multiclass": 7, "leaderboard": 7, "multirun": 5},
    ),
    Metric("brier", lower_is_better=True, limits=(0.0, 2.0)),
    Metric("expected_calibration_error", lower_is_better=True),
)


def shown_in(view: str) -> tuple[str, ...]:
    """The metrics of a view, in the order of their places in it."""
    return tuple(one.name for one in sorted(METRICS, key=lambda one: one.places.get(view, 0)) if view in one.places)


def shown_metrics(classes: int) -> tuple[str, ...]:
    """The metrics worth a line on a terminal, for a task with so many classes; summary.json has them all."""
    return shown_in("binary" if classes == 2 else "multiclass")
