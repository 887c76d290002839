"""The results of a run's last steps, as reporting reads them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search.datasets import Examples
from search.evaluation.baselines import Baseline
from search.evaluation.metrics import predict
from search.evaluation.paired import Predictions

Classify = Callable[[NDArray[np.object_]], Any]


@dataclass(frozen=True)
class ScoredRows:
    """Labelled texts and the probabilities that a model gives them.

    Attributes:
        examples: The texts.
        classes: Names of the classes.
        probabilities: float64 [n, classes].
        threshold: The threshold of two classes; None with more.
    """

    examples: Examples
    classes: Sequence[str]
    probabilities: NDArray[np.float64]
    threshold: float | None

    @property
    def predicted(self) -> NDArray[np.int64]:
        """Class indices, int64 [n]."""
        return predict(self.probabilities, self.threshold)

    @property
    def predictions(self) -> Predictions:
        """Probabilities and threshold, to be compared with another classifier's for the same rows."""
        return Predictions(self.probabilities, self.threshold)


@dataclass(frozen=True)
class Evaluation:
    """The refitted model and the baselines on the test split.

    Attributes:
        scored: The test split and the model's probabilities.
        metrics: Metrics by name.
        interval: Their 95 % intervals.
        milliseconds: The model's time per text.
        baselines: By name, fitted and scored.
    """

    scored: ScoredRows
    metrics: Mapping[str, float]
    interval: Mapping[str, Any]
    milliseconds: float
    baselines: Mapping[str, Baseline]


@dataclass(frozen=True)
class TimedModels:
    """Models whose time per text is to be measured, by the name of the module.

    Attributes:
        modules: For each module with a completed trial, the function that embeds texts.
        classifiers: By the same names, the whole classifier of its best trial.
    """

    modules: Mapping[str, Classify]
    classifiers: Mapping[str, Classify]
