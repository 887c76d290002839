"""Reports a run to Weights & Biases: one run, with a section of curves for each trial."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from search.tracking.callbacks import Callback, RunEvent
from search.utils.files import write_json

if TYPE_CHECKING:
    from search.tuning.record import TrialRecord

NOTES = "wandb.json"


class WandbTracker(Callback):
    """Reports by the variables that wandb itself reads: WANDB_PROJECT, WANDB_MODE (here offline by default) and so on.

    What was written offline, below the run's folder, is sent later by `wandb sync`.
    """

    def on_run_begin(self, run: RunEvent) -> None:
        """Begins a run, or goes on with that of a resumed one."""
        import wandb

        notes = run.folder / NOTES
        known = json.loads(notes.read_text(encoding="utf-8"))["run"] if notes.exists() else None
        self._run: Any = wandb.init(
            project=os.environ.get("WANDB_PROJECT") or run.settings["dataset"]["name"],
            name=run.folder.name,
            id=known,
            resume="allow",
            dir=str(run.folder.absolute()),
            config=dict(run.settings),
            mode=os.environ.get("WANDB_MODE", "offline"),
            settings=wandb.Settings(silent=True),  # the terminal belongs to the progress bar
        )
        write_json(notes, {"run": self._run.id})

    def on_epoch_end(self, trial: TrialRecord, epoch: int, metrics: Mapping[str, float]) -> None:
        """Logs every metric over the epochs of its trial."""
        name = f"trial {trial.trial_id}"
        self._run.log({f"{name}/epoch": epoch, **{f"{name}/{key}": value for key, value in metrics.items()}})

    def on_trial_end(self, trial: TrialRecord) -> None:
        """Notes the score and the hyperparameters in the run's summary."""
        self._run.summary[f"trial {trial.trial_id}"] = {"score": trial.score, "status": trial.status, **trial.values}

    def on_run_end(self, run: RunEvent) -> None:
        """Notes the result, and ends the run."""
        if run.summary is not None:
            tested = {f"test_{name}": value for name, value in run.summary["test"].items()}
            self._run.summary.update({"score": run.summary["score"], **tested})
        self._run.finish(exit_code=0 if run.error is None else 1)
