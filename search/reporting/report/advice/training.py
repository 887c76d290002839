"""Advice on what was trained: longer, several as one, with other weights of classes."""

from __future__ import annotations

import numpy as np

from search.evaluation.metrics import predict
from search.reporting.report.advice.commands import added, again
from search.reporting.report.advice.finding import Advice
from search.reporting.report.learning_curves import curve
from search.reporting.report.promotion_chains import roots
from search.reporting.report.run_files import RecordedRun
from spaces import TFIDF

_RISING = 0.005
"""The gain over the last third of a curve from which it counts as rising, of a metric from 0 to 1."""
_CARRIES = 0.5
_DISAGREE = 0.02
_LEAST_EPOCHS, _MOST_EPOCHS = 2, 1000


def rising(run: RecordedRun) -> Advice | None:
    """More epochs, where the best trial still got better in its last one."""
    most = int((run.config.get("tuner") or {}).get("max_epochs", 0))
    best = run.trials[run.trials["trial_id"] == run.summary["best_trial"]].iloc[0]
    if int(best["best_epoch"]) != most or int(best["epochs"]) != most or run.summary["best"].get("module") == TFIDF:
        return None
    root = roots(run.trials)[str(best["trial_id"])]
    points = curve(run.folder.tensorboard / root, run.metric, "validation")
    before, last = points.get(most - max(1, most // 3)), points.get(most)
    if before is None or last is None or most < _LEAST_EPOCHS or 3 * most > _MOST_EPOCHS:
        return None
    gain = (last - before) * (1 if run.higher_is_better else -1)
    if gain <= _RISING * max(1.0, abs(before)):
        return None
    evidence = (
        f"the best trial was best in its last epoch, {most}: {run.metric} went from {before:.3f} to {last:.3f} "
        "over the last third of them"
    )
    return Advice("More epochs", evidence, again(run, {"tuner.max_epochs": 3 * most}), "tuner.max_epochs")


def ensemble(run: RecordedRun) -> Advice | None:
    """An ensemble, where the best baseline is right about rows that the model is wrong about."""
    name = run.verdict.best_baseline
    if run.target.several or run.summary.get("ensembles") or name not in run.baselines or len(run.trials) < 2:
        return None
    threshold = run.summary["baselines"][name].get("threshold")
    others = predict(run.baselines[name].astype(np.float64), threshold)
    only, both = (others == run.labels) & (run.predicted != run.labels), run.predicted != run.labels
    share = float(only.mean())
    if share < _DISAGREE:
        return None
    evidence = (
        f"{name.replace('_', ' ')} is right about {int(only.sum()):,} of the {int(both.sum()):,} test rows that the "
        "model is wrong about; the trials stay as they are"
    )
    return Advice("An ensemble", evidence, added(run, "ensemble.trials=3"), "ensemble.trials")


def one_class(run: RecordedRun) -> Advice | None:
    """Weights of classes, or an objective that counts them alike, where one class carries the errors."""
    wrong = run.predicted != run.labels
    if run.target.several or len(run.classes) < 3 or not wrong.any():
        return None
    counts = np.bincount(run.labels[wrong], minlength=len(run.names))
    k = int(counts.argmax())
    share, rows = counts[k] / counts.sum(), float((run.labels == k).mean())
    if share < _CARRIES or share < 1.5 * rows or k >= len(run.classes):
        return None
    evidence = f"{share:.0%} of the errors are rows of the class {run.names[k]}, which is {rows:.0%} of the test rows: "
    space = run.config.get("space") or {}
    weights = space.get("class_weight", ["none", "balanced"])
    if "balanced" not in weights:
        evidence += "balanced weights make errors on rare classes count more"
        return Advice("Balanced classes", evidence, again(run, {"space.class_weight": ["balanced"]}), "class_weight")
    if run.metric in ("accuracy", "weighted_f1", "log_loss"):
        evidence += f"macro F1 counts all classes alike, {run.metric} does not"
        changed = {"objective.name": "val_macro_f1", "objective.direction": "auto"}
        return Advice("Another objective", evidence, again(run, changed), "objective.name")
    return None
