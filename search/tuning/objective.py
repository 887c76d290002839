"""The objective, the metric that ranks the trials of a search."""

from __future__ import annotations

from typing import TYPE_CHECKING

from search.config import ObjectiveConfig
from search.errors import InputError, nearest
from search.evaluation.metrics import direction, names
from search.training.scores import VALIDATION

if TYPE_CHECKING:  # it imports Keras
    import keras_tuner


def check_objective(config: ObjectiveConfig) -> None:
    """Checks the objective as far as possible before the number of classes is known.

    Raises:
        InputError: There is no such metric for any number of classes, or the direction is not the metric's.
    """
    chosen_objective(config, None)


def make_objective(config: ObjectiveConfig, classes: int) -> keras_tuner.Objective:
    """Reads the objective from the configuration.

    Args:
        config: Name and direction; both may be auto.
        classes: Number of classes.

    Returns:
        KerasTuner's objective: a logged metric and its direction. auto is the average precision of the positive class
        where there are two classes, which an imbalance does not flatter, and macro F1 where there are more.

    Raises:
        InputError: No such metric is logged, or the direction is not the metric's.
    """
    import keras_tuner

    return keras_tuner.Objective(*chosen_objective(config, classes))


def chosen_objective(config: ObjectiveConfig, classes: int | None) -> tuple[str, str]:
    """Name and direction of the objective, see `make_objective`; None: of any number of classes."""
    metrics = [*names(classes or 2), "loss"]  # two classes have them all
    name = config.name
    if name == "auto":
        name = VALIDATION + ("average_precision" if classes == 2 else "macro_f1")
    logged = [VALIDATION + metric for metric in metrics]
    if name not in logged:
        hint = nearest(name if name.startswith(VALIDATION) else VALIDATION + name, logged)
        of = "" if classes is None else f" with {classes} classes"
        raise InputError(f"objective.name={name} is no metric of the validation split{of}. {hint}")
    known = direction(name.removeprefix(VALIDATION))
    if config.direction not in ("auto", known):
        raise InputError(
            f"objective.direction={config.direction} contradicts objective.name={config.name}: of {name}, "
            f"{'less' if known == 'min' else 'more'} is better. Leave the direction out."
        )
    return name, known
