"""The results of a run's last steps, as reporting reads them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search.backbones.description import Description
from search.datasets import Examples
from search.evaluation.baselines import Baseline
from search.evaluation.metrics import predict
from search.evaluation.paired import Predictions
from search.evaluation.weighted import Threshold

Classify = Callable[[NDArray[np.object_]], Any]


@dataclass(frozen=True)
class ScoredRows:
    """Labelled texts and the probabilities that a model gives them.

    Attributes:
        examples: The texts.
        classes: Names of the classes.
        probabilities: float64 [n, classes].
        threshold: The threshold of two classes; None with more; a sequence, one for each of several labels.
        unseen: Names of classes that only these rows hold, of labels beyond `classes`.
    """

    examples: Examples
    classes: Sequence[str]
    probabilities: NDArray[np.float64]
    threshold: Threshold
    unseen: Sequence[str] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The name of each label."""
        return (*self.classes, *self.unseen)

    @property
    def predicted(self) -> NDArray[np.integer]:
        """Class indices, int64 [n]; several labels int8 [n, labels]."""
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
class TriedModels:
    """The models of a search: their facts, and functions of texts whose time is to be measured.

    Attributes:
        modules: For each published module under a completed trial, and for each backbone that is more than a module,
            the function that embeds texts or is the whole classifier.
        classifiers: The whole classifier of the best trial of each backbone, by the value of `module`.
        backbones: The facts about that trial's backbone, by the same names.
        on_features: The trials that were trained on features which are computed once and kept.
    """

    modules: Mapping[str, Classify]
    classifiers: Mapping[str, Classify]
    backbones: Mapping[str, Description]
    on_features: Sequence[str]
