"""Reports a run to MLflow: a parent run, a nested run for each trial, the model as pyfunc."""

from __future__ import annotations

import json
import logging
import os
import sys
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from search.datasets.content import CONTENTS, TEXT
from search.tracking.callbacks import Callback, RunEvent
from search.utils.files import write_json

if TYPE_CHECKING:
    from search.tuning.record import TrialRecord

NOTES = "mlflow.json"
"""The file of a run's folder that says which run of MLflow it is, so that a resumed one goes on with that."""
_AT_ONCE = 100  # parameters of one call
_FILES = ("report.html", "leaderboard.csv", "summary.json", ".hydra/config.yaml")
_FACTS = ("backbone", "bracket", "round", "parent", "worker", "parameters", "error")
_TRIAL = "search.trial"


class MlflowTracker(Callback):
    """Reports to the server or store of MLFLOW_TRACKING_URI, by default MLflow's own, an SQLite file.

    The experiment is MLFLOW_EXPERIMENT_NAME, by default the data set's name.
    """

    def on_run_begin(self, run: RunEvent) -> None:
        """Makes the parent run, or goes on with that of a resumed one."""
        import mlflow

        # Its news and progress bars would come between ours.
        logging.getLogger("mlflow").setLevel(logging.ERROR)
        os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
        os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
        self._client = mlflow.MlflowClient()
        self._has_ended = False
        self._trials: dict[str, str] = {}
        self._logged: dict[str, int] = {}
        self._objective = run.objective
        notes = run.folder / NOTES
        if notes.exists():
            found = json.loads(notes.read_text(encoding="utf-8"))
            self._experiment, self._parent = str(found["experiment"]), str(found["run"])
            self._has_ended = self._client.get_run(self._parent).info.status == "FINISHED"
            self._client.update_run(self._parent, status="RUNNING")
            self._trials = {one.data.tags[_TRIAL]: one.info.run_id for one in self._nested()}
            return
        name = os.environ.get("MLFLOW_EXPERIMENT_NAME") or run.settings["dataset"]["name"]
        known = self._client.get_experiment_by_name(name)
        self._experiment = known.experiment_id if known else self._client.create_experiment(name)
        made = self._client.create_run(
            self._experiment, run_name=run.folder.name, tags={"search.folder": str(run.folder)}
        )
        self._parent = made.info.run_id
        write_json(notes, {"experiment": self._experiment, "run": self._parent})
        self._log_parameters(self._parent, dict(_leaves(run.settings)))

    def on_trial_resumed(self, trial: TrialRecord) -> None:
        """Writes the end of a trial that the interrupt kept from being reported."""
        known = self._trials.get(trial.trial_id)
        if known is None or self._client.get_run(known).info.status == "RUNNING":
            self.on_trial_begin(trial)
            self.on_trial_end(trial)

    def on_trial_begin(self, trial: TrialRecord) -> None:
        """Makes the nested run, or goes on with it; one that begins anew has a new one."""
        self._has_ended = False
        known = self._trials.get(trial.trial_id)
        if known is not None and trial.epochs > trial.initial_epoch:
            points = self._client.get_metric_history(known, self._objective)
            self._logged[trial.trial_id] = max((point.step for point in points), default=0)
            return
        if known is not None:
            self._client.delete_run(known)
        tags = {"mlflow.parentRunId": self._parent, _TRIAL: trial.trial_id}
        made = self._client.create_run(self._experiment, run_name=f"trial {trial.trial_id}", tags=tags)
        self._trials[trial.trial_id] = made.info.run_id
        self._logged[trial.trial_id] = -1
        self._log_parameters(made.info.run_id, trial.values)

    def on_epoch_end(self, trial: TrialRecord, epoch: int, metrics: Mapping[str, float]) -> None:
        """Logs every metric, unless the epoch is one that was reported before a kill: it gives the same again."""
        if epoch > self._logged[trial.trial_id]:
            self._log_metrics(self._trials[trial.trial_id], metrics, epoch)

    def on_trial_end(self, trial: TrialRecord) -> None:
        """Logs the score and the facts, and ends the nested run."""
        run = self._trials[trial.trial_id]
        if trial.score is not None:
            self._log_metrics(run, {"score": trial.score, "best_epoch": float(trial.best_epoch or 0)}, trial.epochs)
        for name in _FACTS:
            if (fact := getattr(trial, name)) is not None:
                self._client.set_tag(run, f"search.{name}", str(fact))
        self._client.set_terminated(run, "FINISHED" if trial.status == "COMPLETED" else "FAILED")

    def on_run_end(self, run: RunEvent) -> None:
        """Logs the result, the report and the model, and ends the parent run."""
        if run.summary is None:
            killed = isinstance(run.error, KeyboardInterrupt)
            for one in self._nested():
                if one.info.status == "RUNNING":
                    self._client.set_terminated(one.info.run_id, "KILLED")
            self._client.set_terminated(self._parent, "KILLED" if killed else "FAILED")
            return
        if not self._has_ended:  # else all of it is there
            self._log_answer(run, run.summary)
        self._client.set_terminated(self._parent)

    def _log_answer(self, run: RunEvent, summary: Mapping[str, Any]) -> None:
        tested = {f"test_{name}": value for name, value in summary["test"].items() if value is not None}
        self._log_metrics(self._parent, {"score": summary["score"], **tested}, 0)
        self._client.set_tag(self._parent, "search.best_trial", summary["best_trial"])
        for name in _FILES:
            if (path := run.folder / name).is_file():
                self._client.log_artifact(self._parent, str(path))
        text = run.settings["dataset"].get("text")
        log_model(run.folder, self._parent, run.classes, text if isinstance(text, str) else TEXT.name)

    def _nested(self) -> list[Any]:
        return list(
            self._client.search_runs(
                [self._experiment], f"tags.`mlflow.parentRunId` = '{self._parent}'", max_results=50_000
            )
        )

    def _log_metrics(self, run: str, metrics: Mapping[str, float], step: int) -> None:
        from mlflow.entities import Metric

        now = time.time_ns() // 1_000_000
        self._client.log_batch(run, metrics=[Metric(name, value, now, step) for name, value in metrics.items()])

    def _log_parameters(self, run: str, values: Mapping[str, Any]) -> None:
        from mlflow.entities import Param

        found = [Param(name, str(value)[:500]) for name, value in values.items()]
        for start in range(0, len(found), _AT_ONCE):
            self._client.log_batch(run, params=found[start : start + _AT_ONCE])


def log_model(folder: Path, run: str, classes: Sequence[str], text: str) -> None:
    """Logs the model of a finished run as pyfunc: a column of texts to predicted, and a probability per class.

    Of a model of other rows it is a column of bytes, encoded as the SavedModel takes them.

    Where the model takes columns beside the texts, all columns have the names of the table. The signature leaves their
    types open: a table may hold whole numbers or not, dates or strings, and MLflow would refuse one as the other.

    It brings its own few lines of code, and needs TensorFlow and pandas, not this package.

    Args:
        folder: The run's folder.
        run: The run of MLflow.
        classes: The names of the classes.
        text: The column of texts in the run's own table.
    """
    import mlflow
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema
    from mlflow.types.schema import AnyType

    labels = json.loads((folder / "model" / "labels.json").read_text(encoding="utf-8"))
    columns, several = labels.get("columns", ()), isinstance(labels["threshold"], list)
    beside = [ColSpec(AnyType(), one["name"]) for one in columns]  # type: ignore[no-untyped-call]
    content = CONTENTS[labels.get("content", TEXT.name)]
    kind = "string" if content is TEXT else "binary"
    inputs: list[Any] = [ColSpec(kind, text if columns else content.name), *beside]
    decided = [ColSpec("integer", f"predicted_{name}") for name in classes if several]
    outputs: list[Any] = decided or [ColSpec("string", "predicted")]
    outputs += [ColSpec("double", f"prob_{name}") for name in classes]
    packages = ["tensorflow", "numpy", "pandas", *["tensorflow-text"] * ("tensorflow_text" in sys.modules)]
    with warnings.catch_warnings(), mlflow.start_run(run_id=run, nested=mlflow.active_run() is not None):
        warnings.simplefilter("ignore")  # it misses an example, and a type of its own
        mlflow.pyfunc.log_model(
            name="model",
            python_model=str(Path(__file__).with_name("served_model.py")),
            artifacts={"model": str(folder / "model")},
            signature=ModelSignature(inputs=Schema(inputs), outputs=Schema(outputs)),
            pip_requirements=[f"{name}=={version(name)}" for name in packages],
        )


def _leaves(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The settings that are set, by their whole keys."""
    for name, value in settings.items():
        if isinstance(value, Mapping) and not {"min", "max"} <= set(value):
            yield from _leaves(value, f"{prefix}{name}.")
        elif value is not None:
            yield f"{prefix}{name}", value
