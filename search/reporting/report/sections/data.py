"""The data that the model was trained and tested on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from search.datasets import Cleaning
from search.evaluation.metrics import score_by
from search.reporting.class_counts import describe_classes, rows_of
from search.reporting.cleaning_counts import describe_cleaning
from search.reporting.report.figures.overview import length_histogram
from search.reporting.report.run_files import RecordedRun
from search.reporting.report.sections.answer import spoken
from search.reporting.tables import describe_columns, describe_texts

_QUANTILES = ("5\u00a0%", "25\u00a0%", "median", "75\u00a0%", "95\u00a0%", "longest")


def data(run: RecordedRun) -> dict[str, Any]:
    """The context of the section."""
    measured = run.measurements
    sizes = run.summary["sizes"]
    totals = {split: rows_of(run.summary, split) for split in sizes}
    lengths = measured.get("lengths", {})
    return {
        "several": run.target.several,
        "splits": list(sizes),
        "rows": [
            (name, [(counts[name], counts[name] / max(1, totals[split])) for split, counts in sizes.items()])
            for name in run.names
        ],
        "totals": list(totals.values()),
        "cleaning": describe_cleaning(Cleaning(**run.summary["cleaning"]), run.noun),
        "differing": classes_told(run.summary),
        "columns": columns_told(run.summary),
        "conflicting": run.summary["cleaning"].get("conflicting_texts", 0),
        "checksums": [(key, one["sha256"]) for key, one in run.summary.get("data", {}).items()],
        "quantiles": _QUANTILES,
        "lengths": [(split, found["words"], found["characters"]) for split, found in lengths.items()],
        "histogram": length_histogram(
            measured["word_bins"], {split: found["histogram"] for split, found in lengths.items()}
        )
        if lengths
        else None,
        "twins": measured.get("near_duplicates"),
        "without_twins": without_twins(run),
        "metric": spoken(run.metric),
        "examples": _examples(measured),
    }


def _examples(measured: Mapping[str, Any]) -> dict[str, list[tuple[str, str | None]]]:
    """The examples of each class, each with its picture, if it is one."""
    pictures = measured.get("pictures", {}).get("examples", {})
    return {
        name: list(zip(shown, pictures.get(name, [None] * len(shown)), strict=True))
        for name, shown in measured.get("examples", {}).items()
    }


def columns_told(summary: Mapping[str, Any]) -> str:
    """The columns that the model takes, but for one of texts; empty where there are no others."""
    texts, beside = summary.get("texts"), summary.get("columns")
    return " ".join([*([describe_texts(texts)] if texts else []), *([describe_columns(beside)] if beside else [])])


def classes_told(summary: Mapping[str, Any]) -> str:
    """Which classes were too rare, and in which train and test differ; empty where there are none."""
    cleaning = Cleaning(**summary["cleaning"])
    return describe_classes(summary.get("rare", {}), cleaning, summary.get("unseen", ()), summary["sizes"]["test"])


def without_twins(run: RecordedRun) -> tuple[float, float] | None:
    """The test score with and without the texts that have a near duplicate among those trained on."""
    twins = run.measurements.get("near_duplicates", {}).get("test_positions", [])
    alone = np.ones(len(run.labels), dtype=bool)
    alone[twins] = False
    if not len(twins) or not alone.any():
        return None
    without = score_by(run.metric, run.labels[alone], run.probabilities[alone], run.threshold)
    return run.summary["test"][run.metric], without
