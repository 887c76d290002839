"""A finished run, for use from Python."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from search.config.dataset import DatasetConfig
from search.datasets.dataset_settings import run_settings
from search.datasets.hints import require_known
from search.datasets.stream import ROWS, Rows
from search.errors import InputError
from search.evaluation.metrics import names
from search.inference import FORMATS
from search.inference.asked import Asked, Texts, columns_beside, in_pandas
from search.inference.best import Best
from search.inference.evaluating import Evaluation, evaluate_given
from search.inference.exporting import export
from search.inference.labels import MODELS, Labels
from search.inference.predictor import Predictor
from search.reporting.notebook import Picture, importance_picture, run_card, run_lines
from search.reporting.report.run_files import RecordedRun, read_run
from search.utils.device import configured
from search.utils.overrides import columns_given
from search.utils.paths import read_path


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
        self._predictors: dict[str, Predictor] = {}

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
        scores, ends = self.summary["test"], self.summary["test_interval"]
        found = {name: (scores[name], *ends[name]) for name in names(self._run.target)}
        table = pd.DataFrame.from_dict(found, orient="index", columns=["score", "low", "high"], dtype=np.float64)
        return table.rename_axis("metric")

    @property
    def baselines(self) -> pd.DataFrame:
        """The metrics of the baselines on the same rows, a column for each."""
        tests = {name: one["test"] for name, one in self.summary["baselines"].items() if "test" in one}
        return pd.DataFrame(tests, dtype=np.float64).reindex(names(self._run.target)).rename_axis("metric")

    @property
    def predictions(self) -> pd.DataFrame:
        """A row per text of the test split: predictions.csv."""
        return self._run.predictions.copy()

    @property
    def report(self) -> Path:
        """The path of the report."""
        return self._run.folder.report

    def predict(
        self, texts: Texts, threshold: float | None = None, *, missing: str = "keep", model: str = "best"
    ) -> pd.DataFrame:
        """Predicts the classes of texts.

        Args:
            texts: Any number of strings, or a single one. The index of a pandas Series is kept; of a DataFrame (or what
                has `to_pandas`) the columns that the run learned from are taken, `dataset.text`. Images: paths, bytes,
                arrays of uint8 [n, h, w, 3] or pictures of Pillow.
            threshold: Two classes: predict the second from this probability on; None: the run's own.
            missing: keep: where a text is missing (None, NaN or empty) so is the answer, in all columns; error: raise.
            model: best; ensemble or all, where the run made one.

        Returns:
            A row per text, in their order: text (for images the name, in a column image), predicted, prob_<class>; of
            several labels predicted_<label>, 0 or 1, in place of predicted.

        Raises:
            InputError: A text is no string, a DataFrame has no such column, a text is missing and must not be, there
                is no such model, a threshold is given where there are more than two classes, or texts alone where the
                model takes columns beside them.
        """
        require_known(model, tuple(MODELS), "model")
        texts = in_pandas(texts)
        asked = Asked.of(texts, missing, self._settings)
        labels, found = Labels.of(self._folder, threshold, model), self._predictor(model)
        there, at = asked.there, asked.at
        beside = columns_beside(texts, labels.columns)
        chunks = (
            Rows(there[start : start + ROWS], None, None if beside is None else beside[at[start : start + ROWS]])
            for start in range(0, len(there), ROWS)
        )
        parts = [scored.probabilities for _, scored in found.over(chunks)]
        probabilities = np.full((len(asked.texts), len(self.classes)), np.nan)
        decided = np.full((len(asked.texts), len(labels.classes) if labels.is_several else 1), None, dtype=object)
        if parts:
            probabilities[at] = np.concatenate(parts)
            decided[at] = np.column_stack(labels.predictions(probabilities[at]).decisions)
        columns = dict(zip(labels.columns_added, [*decided.T, *probabilities.T], strict=True))
        return pd.DataFrame({self._settings.content: asked.shown, **columns}, index=asked.index)

    def predict_proba(self, texts: Texts, *, missing: str = "keep", model: str = "best") -> NDArray[np.float64]:
        """The probabilities of texts; arguments as for `predict`.

        Returns:
            float64 [n, classes], in the order of `classes`; NaN where a text is missing.
        """
        return self.predict(texts, missing=missing, model=model).iloc[:, -len(self.classes) :].to_numpy(np.float64)

    def evaluate(
        self,
        data: Any = None,
        *settings: str,
        text: str | Sequence[str] | None = None,
        label: str | Sequence[str] | None = None,
        threshold: float | None = None,
    ) -> Evaluation:
        """Evaluates the model on other labelled texts, as `python -m search.evaluate` does; nothing is written.

        Args:
            data: The texts and their labels, of the kinds that `search.run` takes.
            settings: `dataset.key=value`, such as `dataset.path=later.csv` in place of `data`.
            text: The column of the texts, or several; None: the run's own.
            label: The column of the labels, or the columns of several; None: the run's own.
            threshold: Two classes: predict the second from this probability on; None: the run's own.

        Raises:
            InputError: Something given cannot be used.

        Example:
            >>> run.evaluate(later, label="stars").metrics.loc["macro_f1"]  # doctest: +SKIP
        """
        if isinstance(data, str):
            data, settings = None, (data, *settings)
        return evaluate_given(self._folder, data, [*columns_given(text, label), *settings], threshold)

    def export(self, output: str | Path, format: str = "onnx") -> Path:
        """Converts the whole model, texts in and probabilities out, or writes the trials as a study of Optuna.

        Args:
            output: The file to write.
            format: onnx, tflite or optuna; see `python -m search.export --help`.

        Returns:
            The file.

        Raises:
            InputError: The model cannot be converted, or a package for it is missing; the message says which.
        """
        require_known(format, FORMATS, "format")
        path = read_path(output, "output")
        if path.is_dir():
            raise InputError(f"output={path} is a folder: expected a file.")
        if format != "optuna":
            configured()
        export(self._folder, format, path)
        return path

    @cached_property
    def model(self) -> Any:
        """The refitted model for Keras: strings [batch] to probabilities [batch, classes]."""
        path = self._run.folder.keras_model
        if not path.is_file():
            raise InputError(f"{path} is missing: restore it from a copy.")
        configured()
        import keras

        return keras.models.load_model(path)

    def plot_importance(self) -> Picture:
        """Draws the importance of each hyperparameter, and how certain it is.

        Raises:
            InputError: There are too few trials to say.
        """
        return importance_picture(self._run)

    @cached_property
    def _settings(self) -> DatasetConfig:
        """The data set's settings, which a service asks for with every request."""
        return run_settings(self._folder)

    def _predictor(self, model: str) -> Predictor:
        if model not in self._predictors:
            configured()
            self._predictors[model] = Predictor.load(self._folder, model=model)
        return self._predictors[model]

    def __repr__(self) -> str:
        return run_lines(self._run)

    def _repr_html_(self) -> str:
        return run_card(self._run)
