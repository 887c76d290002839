"""All metrics of a classifier's probabilities, by the same names everywhere."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from search.evaluation import metric_list
from search.evaluation.metric_list import Metric, Target
from search.evaluation.several import scorer_of
from search.evaluation.weighted import Threshold, decide

# The loss that models are trained with: log loss, weighted.
_LOSS = Metric("loss", lower_is_better=True, limits=(0.0, math.inf))
_CURVES = ("roc_auc", "average_precision")


def names(target: Target | None = None) -> tuple[str, ...]:
    """The metrics of a target, in the order in which they are shown; None: those of any."""
    return tuple(one.name for one in metric_list.METRICS if target is None or target.has(one))


def direction(metric: str) -> Literal["max", "min"]:
    """Whether more or less of a metric is better.

    Args:
        metric: One of `names`, or loss.

    Raises:
        ValueError: There is no such metric.
    """
    return "min" if _named(metric).lower_is_better else "max"


def limits(metric: str) -> tuple[float, float]:
    """The ends of a metric's range, whatever the number of classes; infinite where there is none."""
    return _named(metric).limits


def _named(name: str) -> Metric:
    found = {one.name: one for one in (*metric_list.METRICS, _LOSS)}
    if name not in found:
        raise ValueError(f"Expected one of {', '.join(list(found)[:-1])} or loss. Received: {name}")
    return found[name]


def test_metric(objective: str) -> str:
    """The metric of the test split that stands for an objective.

    Args:
        objective: The objective, such as val_f1; val_loss, the weighted training loss, stands for the log loss.
    """
    name = objective.removeprefix("val_")
    return "log_loss" if name == "loss" else name


def score(
    labels: NDArray[np.integer],
    probabilities: NDArray[np.float64],
    threshold: Threshold = None,
    target: Target | None = None,
) -> dict[str, float]:
    """Every metric of a set of predictions.

    Two classes: `precision`, `recall`, `f1`, `roc_auc` and `average_precision` are the positive class's, `brier` is the
    mean of (p1 - y)². More classes: `roc_auc` (one against the rest) and `average_precision` are means over the
    classes, `brier` is summed over them (Brier, 1950). `log_loss` is in nats. `expected_calibration_error` compares the
    highest probability with how often it is right, in 15 bins of equal width (Guo et al., 2017, On Calibration of
    Modern Neural Networks), whatever the threshold. Precision where nothing is predicted, and MCC where all
    predictions or all labels are one class, are 0, as in scikit-learn.

    Ordered classes: `mae` is the mean number of steps between the place of the predicted class in the order and that of
    the label; `quadratic_kappa` is Cohen's kappa with squared steps as weights (Cohen, 1968), NaN where all predictions
    and all labels are of one and the same class.

    Several labels per text: `micro_f1` counts all pairs of text and label, `macro_f1`, `roc_auc` and
    `average_precision` are means over the labels; `subset_accuracy` is the share of texts all of whose labels are
    right, `hamming_loss` that of wrong labels; `log_loss` is the mean over texts and labels.

    Args:
        labels: int [n, labels], 0 or 1, where a text has several; else int [n], from 0 to classes - 1; in a binary task
            1 is the positive class. A label from `classes` on is of a class that the model doesn't know: an error,
            whatever is predicted.
        probabilities: float [n, classes].
        threshold: See `predict`.
        target: What is predicted; None: as many classes as there are probabilities, without an order.

    Returns:
        Name to value, for each of `names(target)`. Means over more than two classes are over those that the labels
        hold. NaN where a class that is missing from the labels leaves a metric undefined: of two classes the positive
        one's, the macro means, `roc_auc` and `average_precision`.

    Raises:
        ValueError: The arrays do not fit each other, or a probability is not finite.
    """
    scorer = scorer_of(labels, probabilities, threshold)
    scores = scorer(np.ones((1, len(labels))))
    return {name: float(scores[name][0]) for name in names(target or scorer.target)}


def score_by(
    metric: str, labels: NDArray[np.integer], probabilities: NDArray[np.floating], threshold: Threshold = None
) -> float:
    """One metric of a set of predictions, as `score` gives it to a target that has it.

    Args:
        metric: Its name.
        labels: int [n].
        probabilities: float [n, classes].
        threshold: See `predict`.
    """
    scorer = scorer_of(labels, probabilities, threshold, curves=needs_curves(metric))
    return float(scorer(np.ones((1, len(labels))))[metric][0])


def needs_curves(metric: str) -> bool:
    """Whether a metric is an area under a curve, for which scores are sorted."""
    return metric in _CURVES


def predict(probabilities: NDArray[np.float64], threshold: Threshold = None) -> NDArray[np.integer]:
    """The classes that probabilities stand for.

    Args:
        probabilities: float [n, classes].
        threshold: Two classes only: 1 where its probability reaches the threshold. None: the most probable class, the
            first of equals. A sequence: the thresholds of several labels.

    Returns:
        int64 [n], indices of classes; int8 [n, labels] of several labels, 1 where a text has one.

    Raises:
        ValueError: There is a threshold, but more than two classes.
    """
    return decide(np.asarray(probabilities), threshold)
