"""The labels of a finished run's model, its decisions by them, and what it predicted."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search.datasets.beside import Column
from search.datasets.content import CONTENTS, TEXT, Content
from search.errors import InputError
from search.evaluation.metrics import predict
from search.evaluation.several import thresholds
from search.evaluation.weighted import Threshold
from search.utils.checksums import Damaged, check_seal
from search.utils.overrides import setting, typed

MODELS = {"best": "model", "ensemble": "ensemble/model", "all": "model_all"}
"""The models of a run: the best trial, the ensemble, and the best configuration trained on all labelled rows."""
MADE_BY = {"ensemble": "ensemble.trials=3", "all": "final_refit=true"}
"""The setting of a search that makes each of those that not every run has."""


@dataclass(frozen=True)
class Labels:
    """The classes of a model, and its decision threshold.

    Attributes:
        classes: The names of the classes, in the order of the probabilities.
        threshold: Two classes: the second is predicted where its probability reaches this; None: the most probable is.
            A sequence: each of several labels is predicted where its probability reaches its own.
        columns: The columns that the model takes beside the texts.
        content: What the model takes: texts, or encoded images.
    """

    classes: tuple[str, ...]
    threshold: Threshold
    columns: tuple[Column, ...] = ()
    content: Content = TEXT

    @classmethod
    def of(cls, run: Path, threshold: float | None = None, model: str = "best") -> Labels:
        """Reads the labels of a finished run.

        Args:
            run: Its folder.
            threshold: Replaces the run's own.
            model: One of `MODELS`.

        Raises:
            InputError: No model is there, or the threshold is no probability, or is given where there are more than two
                classes.
        """
        if threshold is not None and not (isinstance(threshold, Real) and 0 <= threshold <= 1):
            raise InputError(f"threshold={threshold} is impossible: expected a probability, from 0 to 1.")
        path = run / MODELS[model] / "labels.json"
        if model in MADE_BY and run.is_dir() and not path.parent.is_dir():
            raise InputError(f"model={model}: {run} has none; a search makes one with {MADE_BY[model]}.")
        if not path.is_file():
            raise InputError(f"run={run}: expected the folder of a finished run, but {path} is missing.")
        try:
            check_seal(path.parent)
            labels = cls._read(path)
        except Damaged as error:
            raise InputError(
                f"run={run}: {error}. Restore it from a copy, or remove {path.parent} and make it again: "
                f"{typed('search', setting('resume', run))}"
            ) from error
        if threshold is None:
            return labels
        if labels.is_several:
            return replace(labels, threshold=thresholds(threshold, len(labels.classes)))
        if len(labels.classes) != 2:
            raise InputError(
                f"threshold={threshold:g}: the run has {len(labels.classes)} classes, of which the most probable is "
                "predicted; only two have a threshold."
            )
        return replace(labels, threshold=threshold)

    @property
    def is_several(self) -> bool:
        """Whether a text has any number of these, as labels; else one of them, as its class."""
        return isinstance(self.threshold, Sequence)

    @property
    def columns_added(self) -> list[str]:
        """The columns that predictions add to a table.

        They are `predicted`, or `predicted_<label>` for each of several labels, and `prob_<class>` for each class.
        """
        decided = [f"predicted_{name}" for name in self.classes] if self.is_several else ["predicted"]
        return [*decided, *(f"prob_{name}" for name in self.classes)]

    def predictions(self, probabilities: NDArray[np.float64]) -> Predictions:
        """The predictions that probabilities [n, classes] stand for."""
        decided = predict(probabilities, self.threshold)
        if not self.is_several:
            return Predictions([self.classes[one] for one in decided], probabilities)
        names = [", ".join(name for name, has in zip(self.classes, row, strict=True) if has) for row in decided]
        return Predictions(names, probabilities, decided)

    @classmethod
    def _read(cls, path: Path) -> Labels:
        """Reads labels.json; raises Damaged if it is none."""
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            classes, threshold = content["labels"], content["threshold"]
            columns = tuple(map(Column.of, content.get("columns", ())))
            taken = CONTENTS[content.get("content", TEXT.name)]
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise Damaged(f"{path} is damaged ({error})") from error
        if not isinstance(classes, list) or len(classes) < 2 or len(set(map(str, classes))) < len(classes):
            raise Damaged(f"{path} is damaged: expected the names of two classes or more, found {classes!r:.80}")
        if isinstance(threshold, list):
            threshold = tuple(threshold)
            if len(threshold) != len(classes) or not all(isinstance(one, int | float) for one in threshold):
                raise Damaged(f"{path} is damaged: expected a number as the threshold of each label")
            return cls(tuple(map(str, classes)), threshold, columns, taken)
        if threshold is not None and (isinstance(threshold, bool) or not isinstance(threshold, int | float)):
            raise Damaged(f"{path} is damaged: expected a number or null as the threshold, found {threshold!r:.80}")
        if threshold is not None and (len(classes) > 2 or not 0 <= threshold <= 1):
            raise Damaged(
                f"{path} is damaged: expected a threshold from 0 to 1 of two classes, or null of more, found "
                f"{threshold:g} for {len(classes)} classes"
            )
        return cls(tuple(map(str, classes)), threshold, columns, taken)


@dataclass(frozen=True)
class Predictions:
    """The predictions for some texts.

    Attributes:
        predicted: Names of classes [n]; of several labels those that a text has, with commas between them.
        probabilities: float64 [n, classes].
        several: Which of several labels each text has, int8 [n, classes]; None: a text has one class.
    """

    predicted: list[str]
    probabilities: NDArray[np.float64]
    several: NDArray[np.integer] | None = None

    @property
    def decisions(self) -> list[Any]:
        """The columns of decisions: the names, or 0 and 1 for each of several labels."""
        return [self.predicted] if self.several is None else list(self.several.T)

    def part(self, begin: int, end: int) -> Predictions:
        """The predictions for some of the texts."""
        several = None if self.several is None else self.several[begin:end]
        return Predictions(self.predicted[begin:end], self.probabilities[begin:end], several)

    @classmethod
    def joined(cls, parts: Sequence[Predictions]) -> Predictions:
        """The predictions for the texts of several parts, one at least, of the same labels."""
        several = [part.several for part in parts if part.several is not None]
        return cls(
            [name for part in parts for name in part.predicted],
            np.concatenate([part.probabilities for part in parts]),
            np.concatenate(several) if several else None,
        )
