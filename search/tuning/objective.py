"""What the trials of a search are ranked by."""

from __future__ import annotations

import keras_tuner

from search.config import ObjectiveConfig
from search.errors import InputError, nearest
from search.evaluation.metrics import direction, names

VALIDATION = "val_"


def make_objective(config: ObjectiveConfig, classes: int) -> keras_tuner.Objective:
    """Reads the objective from the configuration.

    Args:
        config: Name and direction; both may be auto.
        classes: Number of classes.

    Returns:
        KerasTuner's objective: a logged metric and its direction. auto is the average precision of the positive class
        where there are two classes, which an imbalance does not flatter, and macro F1 where there are more.

    Raises:
        InputError: No such metric is logged.
    """
    metrics = [*names(classes), "loss"]
    name = config.name
    if name == "auto":
        name = VALIDATION + ("average_precision" if classes == 2 else "macro_f1")
    logged = [VALIDATION + metric for metric in metrics]
    if name not in logged:
        hint = nearest(name if name.startswith(VALIDATION) else VALIDATION + name, logged)
        raise InputError(f"objective.name={name} is no metric of the validation split with {classes} classes. {hint}")
    chosen = direction(name.removeprefix(VALIDATION)) if config.direction == "auto" else config.direction
    return keras_tuner.Objective(name, chosen)
