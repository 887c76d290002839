"""The objective, the metric that ranks the trials of a search."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from search.config import ObjectiveConfig
from search.errors import InputError, nearest
from search.evaluation.metric_list import Target
from search.evaluation.metrics import direction, names
from search.training.scores import VALIDATION

if TYPE_CHECKING:  # it imports Keras
    import keras_tuner


def check_objective(config: ObjectiveConfig, ordered: bool, several: bool = False) -> None:
    """Checks the objective as far as possible before the number of classes is known.

    Args:
        config: Name and direction.
        ordered: Whether the classes are ordered.
        several: Whether a text has several labels.

    Raises:
        InputError: There is no such metric for any number of classes, or the direction is not the metric's.
    """
    _chosen(config, Target(2, ordered, several), "")  # two classes have every metric that more of them have


def make_objective(config: ObjectiveConfig, target: Target) -> keras_tuner.Objective:
    """Reads the objective from the configuration.

    Args:
        config: Name and direction; both may be auto.
        target: The number of classes, and whether they are ordered.

    Returns:
        KerasTuner's objective: a logged metric and its direction. auto is the average precision of the positive class
        where there are two classes, which an imbalance does not flatter, its mean over several labels per text, and
        macro F1 where there are more classes.

    Raises:
        InputError: No such metric is logged, or the direction is not the metric's.
    """
    import keras_tuner

    return keras_tuner.Objective(*chosen_objective(config, target))


def chosen_objective(config: ObjectiveConfig, target: Target) -> tuple[str, str]:
    """Name and direction of the objective, see `make_objective`."""
    return _chosen(config, target, f" with {target.classes} {'labels per text' if target.several else 'classes'}")


def _chosen(config: ObjectiveConfig, target: Target, of: str) -> tuple[str, str]:
    name = config.name
    if name == "auto":
        # Several labels get their thresholds after the search: what ranks the trials does not depend on any.
        curve = target.is_binary or target.several
        name = VALIDATION + ("average_precision" if curve else "macro_f1")
    logged = [VALIDATION + metric for metric in (*names(target), "loss")]
    if name not in logged:
        if name in [VALIDATION + metric for metric in names(replace(target, ordered=True))]:
            raise InputError(
                f"objective.name={name} is for ordered classes, such as ratings: add dataset.ordered=true where they "
                "are numbers, else their order, such as dataset.ordered=[poor,fair,good]."
            )
        hint = nearest(name if name.startswith(VALIDATION) else VALIDATION + name, logged)
        raise InputError(f"objective.name={name} is no metric of the validation split{of}. {hint}")
    known = direction(name.removeprefix(VALIDATION))
    if config.direction not in ("auto", known):
        raise InputError(
            f"objective.direction={config.direction} contradicts objective.name={config.name}: of {name}, "
            f"{'less' if known == 'min' else 'more'} is better. Leave the direction out."
        )
    return name, known
