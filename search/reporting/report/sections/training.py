"""The learning curves of the models in one picture, beside the score of always answering the largest class."""

from __future__ import annotations

from typing import Any

import numpy as np

from search.evaluation.baseline_models import MAJORITY
from search.evaluation.metric_list import shown_in
from search.reporting.class_counts import rows_of
from search.reporting.report.figures import WIDTHS
from search.reporting.report.figures.epochs import Trained, epoch_curves
from search.reporting.report.learning_curves import SPLITS, curves
from search.reporting.report.models import MOST, Shown, models
from search.reporting.report.run_files import RecordedRun
from search.reporting.report.sections.answer import spoken

# Log loss is the loss that weighs all rows alike and is of the weights after the epoch, for both splits.
PICTURED = {"accuracy": "accuracy", "log_loss": "log loss"}


def training(run: RecordedRun, configurations: int) -> dict[str, Any] | None:
    """The picture of all models, or of the best of each; None where the run has no curves.

    Args:
        run: The run.
        configurations: The number of configurations that completed a trial.
    """
    shown = [_trained(run, one) for one in models(run.trials, higher_is_better=run.higher_is_better)]
    shown = [one for one in shown if any(one.valid.values())]
    if not shown:
        return None
    majority, always, rows = majority_scores(run), always_named(run), run.held_out
    return {
        "pictures": [epoch_curves(shown, PICTURED, majority, f"always {always}", rows, width) for width in WIDTHS],
        "all": configurations <= MOST,
        "always": always,
        "held_out": rows,
        "majority": [(spoken(name), majority[name]) for name in (*shown_metrics(run), "log_loss") if name in majority],
    }


def shown_metrics(run: RecordedRun) -> tuple[str, ...]:
    """The metrics to show beside the objective."""
    return shown_in(f"report_{run.target.kind}", run.target)


def majority_scores(run: RecordedRun) -> dict[str, float]:
    """The scores of always answering the largest class, on the rows that rank trials; empty where not measured."""
    return dict(run.summary["baselines"].get(MAJORITY, {}).get("valid") or {})


def always_named(run: RecordedRun) -> str:
    """The largest class of the training split, in quotation marks; of several labels those that most texts have."""
    sizes = run.summary["sizes"]["train"]
    if run.target.several:
        half = rows_of(run.summary, "train") / 2
        return f"“{', '.join(name for name in run.classes if sizes[name] >= half) or 'none'}”"
    return f"“{run.classes[int(np.argmax([sizes.get(name, 0) for name in run.classes]))]}”"


def _trained(run: RecordedRun, one: Shown) -> Trained:
    folder = run.folder.tensorboard / one.root
    return Trained(
        one.name,
        one.best_epoch,
        *(curves(folder, tuple(PICTURED), split) for split in SPLITS),
    )
