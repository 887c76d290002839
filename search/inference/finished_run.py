"""A finished run, for use from Python."""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from search.datasets.dataset_settings import run_settings
from search.datasets.hints import find_column
from search.datasets.stream import ROWS, Rows
from search.errors import InputError
from search.evaluation.metrics import names, predict
from search.inference.predictor import Labels, Predictor
from search.reporting.notebook import Picture, importance_picture, run_card, run_lines
from search.reporting.report.run_files import RecordedRun, read_run
from search.utils.paths import read_path

_SURROGATE = re.compile("[\ud800-\udfff]")  # half a letter, which UTF-8 cannot hold


def load_run(path: str | Path) -> FinishedRun:
    """Reads a finished run.

    Args:
        path: Its folder.

    Raises:
        InputError: There is none, it has not ended, or a file of it is damaged.

    Example:
        >>> load_run("outputs/quora/2026-01-31_12-00-00").predict(["How do magnets work?"])  # doctest: +SKIP
    """
    return FinishedRun(read_run(read_path(path, "path")))


@dataclass(frozen=True)
class Best:
    """The configuration that won.

    Attributes:
        trial: Its trial.
        objective: The metric that ranked the trials.
        score: Its objective on the validation split.
        epochs: The epoch of its score, and the number of epochs of the refit.
        hyperparameters: Name to value.
    """

    trial: str
    objective: str
    score: float
    epochs: int
    hyperparameters: dict[str, Any]


class FinishedRun:
    """A finished run; `load_run` and `search.run` make it.

    Attributes:
        path: Its folder.
        summary: summary.json.
        classes: The names of the classes.
        threshold: The probability from which the second of two classes is predicted; None with more classes.
    """

    def __init__(self, run: RecordedRun) -> None:
        self._run = run
        self._folder = run.folder.path.absolute()
        self.path = run.folder.path
        self.summary = run.summary
        self.classes = run.classes
        self.threshold = run.threshold

    @property
    def best(self) -> Best:
        """The configuration that won."""
        found = self.summary
        return Best(found["best_trial"], self._run.objective, found["score"], found["best_epoch"], dict(found["best"]))

    @property
    def leaderboard(self) -> pd.DataFrame:
        """A row per trial, the best first: leaderboard.csv."""
        return self._run.trials.sort_values("rank", kind="stable", na_position="last").reset_index(drop=True)

    @property
    def test(self) -> pd.DataFrame:
        """The metrics of the test split: `score`, and `low` and `high`, the ends of the 95 % bootstrap interval."""
        found = {
            name: (self.summary["test"][name], *self.summary["test_interval"][name])
            for name in names(len(self.classes))
        }
        table = pd.DataFrame.from_dict(found, orient="index", columns=["score", "low", "high"], dtype=np.float64)
        return table.rename_axis("metric")

    @property
    def baselines(self) -> pd.DataFrame:
        """The metrics of the baselines on the same rows, a column for each."""
        tests = {name: one["test"] for name, one in self.summary["baselines"].items() if "test" in one}
        return pd.DataFrame(tests, dtype=np.float64).reindex(names(len(self.classes))).rename_axis("metric")

    @property
    def predictions(self) -> pd.DataFrame:
        """A row per text of the test split: predictions.csv."""
        return self._run.predictions.copy()

    @property
    def report(self) -> Path:
        """The path of the report."""
        return self._run.folder.report

    def predict(self, texts: str | Iterable[str | None] | pd.DataFrame, threshold: float | None = None) -> pd.DataFrame:
        """Predicts the classes of texts.

        Args:
            texts: Any number of strings, or a single one. The index of a pandas Series is kept; of a DataFrame the
                column that the run learned from is taken (`dataset.text`).
            threshold: Two classes: predict the second from this probability on; None: the run's own.

        Returns:
            A row per text, in their order: text, predicted, prob_<class>. Where a text is missing (None, NaN or empty)
            so is the answer, in all columns.

        Raises:
            InputError: A text is no string, a DataFrame has no such column, or a threshold is given where there are
                more than two classes.
        """
        if isinstance(texts, pd.DataFrame):
            texts = texts.iloc[:, self._text_column(texts)]
        if isinstance(texts, Mapping | bytes):
            raise InputError(f"A {type(texts).__name__} is given: expected a list of strings, a Series or a DataFrame.")
        index = texts.index if isinstance(texts, pd.Series) else None
        listed = [texts] if isinstance(texts, str) else list(texts)
        there = [position for position, text in enumerate(listed) if not _is_missing(text)]
        for position in there:
            text = listed[position]
            if not isinstance(text, str) or _SURROGATE.search(text):
                raise InputError(f"Text {position} is {text!r:.80}: expected a string of letters, or None.")
        if threshold is not None and not 0 <= threshold <= 1:
            raise InputError(f"threshold={threshold} is impossible: expected a probability, from 0 to 1.")
        labels = Labels.of(self._folder, threshold)
        chunks = (
            Rows([listed[position] for position in there[start : start + ROWS]], None)
            for start in range(0, len(there), ROWS)
        )
        parts = [found.probabilities for _, found in self._predictor.over(chunks)]
        probabilities = np.full((len(listed), len(self.classes)), np.nan)
        predicted = np.full(len(listed), None, dtype=object)
        if parts:
            probabilities[there] = np.concatenate(parts)
            predicted[there] = np.array(labels.classes, dtype=object)[predict(probabilities[there], labels.threshold)]
        columns = {f"prob_{name}": probabilities[:, k] for k, name in enumerate(labels.classes)}
        return pd.DataFrame({"text": listed, "predicted": predicted, **columns}, index=index)

    def _text_column(self, table: pd.DataFrame) -> int:
        """Finds the column of texts by its name in the run's own data."""
        name = run_settings(self._folder).text
        return find_column([str(column) for column in table.columns], name, "dataset.text", "The DataFrame")

    def plot_importance(self) -> Picture:
        """Draws the importance of each hyperparameter, and how certain it is.

        Raises:
            InputError: There are too few trials to say.
        """
        return importance_picture(self._run)

    @cached_property
    def _predictor(self) -> Predictor:
        if "tensorflow" not in sys.modules:  # else it is set up as somebody wants it
            from search.utils.device import configure

            configure("auto", mixed_precision=False)
        return Predictor.load(self._folder)

    def __repr__(self) -> str:
        return run_lines(self._run)

    def _repr_html_(self) -> str:
        return run_card(self._run)


def _is_missing(text: Any) -> bool:
    """Whether there is no text: None, NaN, NA, or nothing but white space."""
    if isinstance(text, str):
        return not text.strip()
    return text is None or text is pd.NA or (isinstance(text, float) and math.isnan(text))
