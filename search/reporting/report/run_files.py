"""A finished run, read from its files."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from numpy.typing import NDArray

from search.datasets.content import TEXT
from search.errors import InputError
from search.evaluation.metric_list import Target
from search.evaluation.metrics import predict, test_metric
from search.evaluation.paired import Predictions
from search.evaluation.verdict import Verdict, judge
from search.evaluation.weighted import Threshold
from search.reporting.report.backbones import with_backbones
from search.reporting.report.predictions_file import labels_in, probabilities_in, read_predictions
from search.run_folder import RunFolder
from search.tuning.record import order
from search.utils.overrides import setting, typed

_VALIDATION = "the validation split"
_SUMMARY = ("dataset", "classes", "sizes", "objective", "seed", "best_trial", "best", "threshold", "test", "baselines")
_MEASUREMENTS = ("created", "milliseconds")
"""Keys that report.json has had from the first version on."""


@dataclass(frozen=True)
class RecordedRun:
    """The files of a finished run.

    Attributes:
        folder: The run's folder.
        summary: summary.json.
        trials: leaderboard.csv, a row per trial in the order in which they began.
        hyperparameters: The columns of hyperparameters in `trials`.
        predictions: predictions.csv.
        labels: True classes of the test split, int64 [n]; several labels int8 [n, classes].
        probabilities: The model's probabilities for the test split, float64 [n, classes].
        baselines: The baselines' probabilities by name; empty where the run did not keep them.
        measurements: report.json; empty for a run that has none.
        config: The configuration of the run.
        overrides: The settings of the command line.
    """

    folder: RunFolder
    summary: dict[str, Any]
    trials: pd.DataFrame
    hyperparameters: list[str]
    predictions: pd.DataFrame
    labels: NDArray[Any]
    probabilities: NDArray[np.float64]
    baselines: dict[str, NDArray[np.float32]]
    measurements: dict[str, Any]
    config: dict[str, Any]
    overrides: list[str]

    @property
    def classes(self) -> list[str]:
        """Names of the classes."""
        return list(self.summary["classes"])

    @property
    def noun(self) -> str:
        """The word for what a row holds, text or image."""
        return str(self.summary.get("content", TEXT.name))

    @property
    def shown(self) -> pd.Series[Any]:
        """The texts of the test rows, or the names of their images."""
        return self.predictions[self.noun]

    @property
    def target(self) -> Target:
        """The classes, and whether they are ordered."""
        return Target.of(self.summary)

    @property
    def names(self) -> list[str]:
        """The name of each label: the classes, and those that only the test split holds."""
        return [*self.classes, *self.summary.get("unseen", ())]

    @property
    def threshold(self) -> Threshold:
        """The probability from which the second of two classes is predicted, or each of several labels."""
        return self.summary["threshold"]  # type: ignore[no-any-return]

    @property
    def higher_is_better(self) -> bool:
        """Whether a larger objective is better."""
        return bool(self.summary["objective"]["direction"] == "max")

    @property
    def objective(self) -> str:
        """The metric that ranks trials, such as val_macro_f1."""
        return str(self.summary["objective"]["name"])

    @property
    def metric(self) -> str:
        """The objective's name on the test split."""
        return test_metric(self.objective)

    @property
    def folds(self) -> int | None:
        """The number of folds of cross-validation; None: one validation split."""
        folds = self.summary.get("folds")
        return None if folds is None else int(folds["count"])

    @property
    def judged_by(self) -> str:
        """The rows that trials were ranked by, in words."""
        return f"the {self.folds} folds of the training split, each held out in turn" if self.folds else _VALIDATION

    @property
    def held_out(self) -> str:
        """The rows that trials were ranked by, in two words."""
        return "held-out folds" if self.folds else "validation split"

    @property
    def validation(self) -> str:
        """The name of a score on those rows."""
        return "cross-validation" if self.folds else "validation"

    @cached_property
    def predicted(self) -> NDArray[np.integer]:
        """Predicted classes of the test split, int64 [n]; several labels int8 [n, classes]."""
        return predict(self.probabilities, self.threshold)

    @cached_property
    def verdict(self) -> Verdict:
        """The verdict on the model against its baselines by the objective's metric."""
        found = Verdict.read(self.summary["verdict"])
        # An earlier version kept the baselines' predictions, but asked chance only for the report.
        return found if found.gains or not self.baselines else self.judged(self.metric)

    def judged(self, metric: str) -> Verdict:
        """The verdict on the model against its baselines by any metric.

        Args:
            metric: One of `search.evaluation.names` of the run's target; the run must have kept the
                predictions of its baselines.
        """
        others = {
            name: Predictions(found.astype(np.float64), self.summary["baselines"][name].get("threshold"))
            for name, found in self.baselines.items()
        }
        model = Predictions(self.probabilities, self.threshold)
        ensemble, seed = self._ensemble(), self.summary["seed"]
        return judge(self.labels, model, others, metric, ensemble=ensemble, seed=seed)

    def _ensemble(self) -> tuple[str, Predictions] | None:
        """The method of the chosen ensemble, and its predictions for the test split; None without an ensemble."""
        found, file = self.summary.get("ensembles"), self.folder.ensemble / "predictions.csv"
        if found is None or not file.is_file():
            return None
        method = found["chosen"]
        try:
            probabilities = probabilities_in(read_predictions(file), self.classes)
        except (ValueError, KeyError) as error:
            raise _damaged(file, error) from error
        return method, Predictions(probabilities, found["methods"][method]["threshold"])


def read_run(path: Path) -> RecordedRun:
    """Reads a run that has ended.

    Args:
        path: Folder of the run.

    Raises:
        InputError: There is none, it has not ended, or a file of it is damaged.
    """
    folder = RunFolder(path)
    if not (path / ".hydra" / "config.yaml").is_file():
        raise InputError(f"run={path}: there is no run, {path / '.hydra' / 'config.yaml'} is missing.")
    for file in (folder.summary, folder.leaderboard, folder.predictions):
        if not file.is_file():
            raise InputError(
                f"run={path}: the run has not ended, {file.name} is missing. Resume it with "
                + typed("search", setting("resume", path))
            )
    file = folder.summary
    try:
        summary = _mapping(file, _SUMMARY)
        file = folder.predictions
        predictions = read_predictions(file)
        classes = list(summary["classes"])
        labels = labels_in(predictions, summary)
        probabilities = probabilities_in(predictions, classes)
        file = folder.leaderboard
        trials = _trials(file)
        file = folder.measurements
        measurements = _mapping(file, _MEASUREMENTS) if file.is_file() else {}
        file = folder.baselines
        baselines = _arrays(file, probabilities.shape) if file.is_file() else {}
        file = path / ".hydra" / "config.yaml"
        config = yaml.safe_load(file.read_text(encoding="utf-8"))
        file = path / ".hydra" / "overrides.yaml"
        overrides = yaml.safe_load(file.read_text(encoding="utf-8")) if file.is_file() else []
    except (ValueError, KeyError, TypeError, IndexError, zipfile.BadZipFile, yaml.YAMLError) as error:
        raise _damaged(file, error) from error
    columns = [str(column) for column in trials]
    hyperparameters = columns[columns.index("rank") + 1 : columns.index("backbone")]
    said = [str(override) for override in overrides or []]
    read = (predictions, labels, probabilities, baselines, measurements, config, said)
    return RecordedRun(folder, summary, trials, hyperparameters, *read)


def _damaged(file: Path, error: Exception) -> InputError:
    return InputError(f"{file} is damaged ({' '.join(str(error).split())}): restore it from a copy.")


def _mapping(file: Path, keys: Iterable[str]) -> dict[str, Any]:
    """Reads a JSON file that has certain keys; raises ValueError if it has not."""
    content = json.loads(file.read_text(encoding="utf-8"))
    if not isinstance(content, dict):
        raise ValueError(f"expected a mapping, found {content!r:.40}")
    if missing := [key for key in keys if key not in content]:
        raise ValueError(f"{', '.join(missing)} missing")
    return content


def _trials(file: Path) -> pd.DataFrame:
    names = dict.fromkeys(("trial_id", "parent", "error", "status", "backbone", "pretrained"), str)
    # class_weight=none is a value, not a missing one.
    trials = with_backbones(pd.read_csv(file, dtype=names, keep_default_na=False, na_values=[""]))
    return trials.sort_values("trial_id", key=lambda ids: ids.map(order), kind="stable").reset_index(drop=True)


def _arrays(file: Path, shape: tuple[int, ...]) -> dict[str, NDArray[np.float32]]:
    with np.load(file, allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    for name, array in arrays.items():
        if array.shape != shape:
            raise ValueError(f"{name} has shape {array.shape}, not {shape}")
    return arrays
