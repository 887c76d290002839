"""Advice on the rows: how many there are, how they were split, what more of them would bring."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import yaml

from search.datasets.folds import FEW
from search.reporting.class_counts import rows_of
from search.reporting.report.advice.commands import again, shown
from search.reporting.report.advice.finding import Advice
from search.reporting.report.run_files import RecordedRun
from search.utils.overrides import typed
from spaces import AUTO
from spaces.settings import ENCODERS

_FOLDS = 5
_SURE = 1.96
_FRACTION = "dataset.train_fraction"


def few_rows(run: RecordedRun) -> Advice | None:
    """Cross-validation, where a small validation split ranked the trials."""
    if not _can_have_folds(run) or (learned := _rows(run, "train") + _rows(run, "valid")) >= FEW:
        return None
    evidence = (
        f"{_rows(run, 'valid'):,} rows ranked the trials, {learned:,} are there to learn from: "
        f"{_FOLDS} folds rank by all of them, in about {_FOLDS} times the time"
    )
    return Advice("Cross-validation", evidence, again(run, {"dataset.folds": _FOLDS}), "dataset.folds")


def valid_differs(run: RecordedRun) -> Advice | None:
    """Folds or other splits, where validation and test differ by more than chance."""
    summary, metric = run.summary, run.metric
    valid, test, ends = summary["valid"].get(metric), summary["test"].get(metric), summary["test_interval"][metric]
    if None in (valid, test, *ends) or summary.get("unseen"):
        return None
    tested = (ends[1] - ends[0]) / 2 / _SURE
    rows = _rows(run, "train" if run.folds else "valid")
    # The interval of a score shrinks with the root of the rows.
    spread = tested * math.sqrt(1 + _rows(run, "test") / rows)
    if spread == 0 or abs(valid - test) <= _SURE * spread:
        return None
    evidence = (
        f"{metric} is {valid:.3f} on the {run.held_out} and {test:.3f} on test, a difference of "
        f"{abs(valid - test) / spread:.1f} standard errors: "
    )
    if _can_have_folds(run):
        evidence += "the best of many trials on few rows flatters itself, folds do so less"
        return Advice("Cross-validation", evidence, again(run, {"dataset.folds": _FOLDS}), "dataset.folds")
    if _is_published(run):
        return None
    evidence += "other splits show how much of it is the split"
    return Advice("Other splits", evidence, again(run, {"seed": (0, 1, 2)}, "-m"), "seed")


def more_labels(run: RecordedRun) -> Advice | None:
    """More labels, where a multirun has measured that more rows to learn from bring more."""
    mine = float(_dataset(run).get("train_fraction", 1.0))
    points: dict[float, list[float]] = {}
    for folder in sorted(run.folder.path.absolute().parent.glob("*/summary.json")):
        found = _point(folder, run)
        if found is not None:
            points.setdefault(found[0], []).append(found[1])
    if len(points) < 2 or mine != max(points):
        return None
    *_, (less, before), (most, now) = sorted(points.items())
    sign = 1 if run.higher_is_better else -1
    means = [sum(scores) / len(scores) for scores in (before, now)]
    low, high = run.summary["test_interval"][run.metric]
    if low is None or sign * (means[1] - means[0]) <= (high - low) / 4:  # a standard error
        return None
    evidence = (
        f"from {less:g} to {most:g} of the training rows {run.metric} went from {means[0]:.3f} to {means[1]:.3f}: "
        "the curve has not flattened, so label more rows; the runs beside each other"
    )
    beside = shown(run.folder.path.absolute().parent)
    return Advice("More labels", evidence, typed("search.leaderboard", f"runs={beside}/*"), "labels")


def _point(file: Path, run: RecordedRun) -> tuple[float, float] | None:
    """The part of the training rows and the test score of a run beside this one; None where it is of another kind."""
    try:
        config = yaml.safe_load((file.parent / ".hydra" / "config.yaml").read_text(encoding="utf-8"))
        summary = json.loads(file.read_text(encoding="utf-8"))
        dataset = {**config["dataset"]}
        fraction, score = float(dataset.pop("train_fraction", 1.0)), float(summary["test"][run.metric])
    except (OSError, ValueError, TypeError, KeyError, yaml.YAMLError):
        return None
    own: dict[str, Any] = {**_dataset(run)}
    own.pop("train_fraction", None)
    alike = dataset == own and all(config.get(key) == run.config.get(key) for key in ("space", "tuner", "objective"))
    return (fraction, score) if alike else None


def _dataset(run: RecordedRun) -> dict[str, Any]:
    return run.config.get("dataset") or {}


def _rows(run: RecordedRun, split: str) -> int:
    return rows_of(run.summary, split)


def _is_published(run: RecordedRun) -> bool:
    """Whether the splits came with the data, and do not follow from the seed."""
    dataset = _dataset(run)
    return any(dataset.get(key) for key in ("split_column", "recipe", "test_path", "test_member"))


def _can_have_folds(run: RecordedRun) -> bool:
    """Whether `dataset.folds` would be accepted: train and valid are one, and classes are large enough."""
    config = run.config
    dataset, space = _dataset(run), config.get("space") or {}
    if run.folds or any(dataset.get(key) for key in ("valid_path", "valid_member", "split_column", "recipe")):
        return False
    if not dataset.get("stratify", True) or dataset.get("train_fraction", 1.0) < 1 or dataset.get("train_size"):
        return False
    # The length of token sequences may not be found out on all rows: search.job.prepare refuses that.
    tokens = {*(space.get("modules") or ())} & {*ENCODERS}
    if tokens and space.get("sequence_length") == AUTO and space.get("embedding") not in (["learned"], "learned"):
        return False
    sizes = run.summary["sizes"]
    counts = [sizes["train"][name] + sizes.get("valid", {}).get(name, 0) for name in run.classes]
    return bool(min(counts) > _FOLDS)
