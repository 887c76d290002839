"""What a model is worth on labelled texts: as a record to keep, and on the terminal."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.markup import escape
from rich.text import Text

from search.datasets import Cleaning, Examples
from search.evaluation.bootstrap import intervals
from search.evaluation.curves import confusion, reliability
from search.evaluation.metrics import predict, score
from search.evaluation.per_class import per_class
from search.evaluation.surest import surest_mistakes
from search.reporting.screen import Screen, describe_left_out, shown_metrics
from search.reporting.summary import write_predictions
from search.reporting.tables import short, table_of_numbers
from search.utils.files import whole_folder, write_json

_MOST_WRONG, _SHOWN_WRONG = 200, 10
_MATRIX = 8
# A thousand resamples of a million rows would take minutes and narrow no interval that anyone could see.
_DRAWS, _LEAST_RESAMPLES, _RESAMPLES = 100_000_000, 200, 1000


@dataclass(frozen=True)
class Scored:
    """Labelled texts and what a model says of them.

    Attributes:
        examples: The texts.
        classes: Names of the classes.
        probabilities: float64 [n, classes].
        threshold: Of two classes, or None.
    """

    examples: Examples
    classes: Sequence[str]
    probabilities: NDArray[np.float64]
    threshold: float | None

    def record(self, seed: int) -> dict[str, Any]:
        """Every metric, and what lies behind them.

        Args:
            seed: Of the bootstrap.

        Returns:
            classes, threshold, metrics and intervals (NaN where a class that is missing leaves one undefined),
            resamples, confusion (a row per true class), per_class, calibration (the bins of
            expected_calibration_error), mistakes, and most_wrong, the surest first of each kind.
        """
        labels, probabilities = self.examples.labels, self.probabilities
        predicted = predict(probabilities, self.threshold)
        counts = confusion(labels, predicted, len(self.classes))
        bins = reliability(labels, probabilities)
        resamples = max(_LEAST_RESAMPLES, min(_RESAMPLES, _DRAWS // len(labels)))
        return {
            "classes": list(self.classes),
            "threshold": self.threshold,
            "metrics": score(labels, probabilities, self.threshold),
            "intervals": intervals(labels, probabilities, self.threshold, resamples=resamples, seed=seed),
            "resamples": resamples,
            "confusion": counts.tolist(),
            "per_class": per_class(self.classes, labels, probabilities, counts),
            "calibration": [
                {"confidence": confidence, "accuracy": accuracy, "rows": rows}
                for confidence, accuracy, rows in zip(
                    bins.confidence.tolist(), bins.accuracy.tolist(), bins.rows.tolist(), strict=True
                )
            ],
            "mistakes": int((labels != predicted).sum()),
            "most_wrong": [
                {
                    "row": int(self.examples.rows[i]),
                    "text": self.examples.texts[i],
                    "label": self.classes[labels[i]],
                    "predicted": self.classes[predicted[i]],
                    "probability": float(probabilities[i, predicted[i]]),
                    "of_label": float(probabilities[i, labels[i]]),
                }
                for i in surest_mistakes(labels, predicted, probabilities, _MOST_WRONG).tolist()
            ],
        }

    def write(self, folder: Path, record: Mapping[str, Any]) -> None:
        """Writes evaluation.json and predictions.csv into a new folder, both or neither."""
        predicted = predict(self.probabilities, self.threshold)
        with whole_folder(folder) as beside:
            write_json(beside / "evaluation.json", record)
            write_predictions(
                beside / "predictions.csv", self.examples, tuple(self.classes), predicted, self.probabilities
            )


def show_evaluation(screen: Screen, record: Mapping[str, Any], test: Mapping[str, float | None]) -> None:
    """Prints a record.

    Args:
        screen: Where to.
        record: As `Scored.record` gives it, with `cleaning`, the counts of rows.
        test: The metrics of the run's own test split, to compare with.
    """
    screen.say(describe_left_out(Cleaning(**record["cleaning"])))
    metrics, classes = record["metrics"], record["classes"]
    table = table_of_numbers("metric", "here", "95 % interval", "the run's test")
    for name in (*shown_metrics(len(classes)), "expected_calibration_error"):
        ends = record["intervals"][name]
        interval = "-" if any(map(math.isnan, ends)) else " to ".join(map(short, ends))
        table.add_row(name, f"[bold]{short(metrics[name])}[/bold]", interval, short(test.get(name)))
    screen.console.print(table)
    if undefined := [name for name, value in metrics.items() if math.isnan(value)]:
        absent = [one["name"] for one in record["per_class"] if not one["rows"]]
        screen.say(f"No row is of class {', '.join(absent) or 'any other'}: not defined are {', '.join(undefined)}.")
    _show_classes(screen, record)
    for kind in dict.fromkeys((one["label"], one["predicted"]) for one in record["most_wrong"]):
        if len(classes) == 2:
            _show_wrong(screen, record, kind)
    if len(classes) > 2:
        _show_wrong(screen, record, None)


def _show_classes(screen: Screen, record: Mapping[str, Any]) -> None:
    classes, counts = record["classes"], record["confusion"]
    few = len(classes) <= _MATRIX
    # The columns of the confusion matrix carry the numbers of the classes: names of eight would not fit beside it.
    taken = [f"as {k + 1}" for k in range(len(classes))] if few else ["predicted"]
    table = table_of_numbers("class", "rows", "precision", "recall", "f1", *taken)
    for k, one in enumerate(record["per_class"]):
        cells = [f"{count:,}" for count in counts[k]] if few else [f"{one['predicted']:,}"]
        name = f"{k + 1} {one['name']}" if few else one["name"]
        table.add_row(
            escape(name), f"{one['rows']:,}", *(short(one[key]) for key in ("precision", "recall", "f1")), *cells
        )
    screen.console.print(table)


def _show_wrong(screen: Screen, record: Mapping[str, Any], kind: tuple[str, str] | None) -> None:
    chosen = [one for one in record["most_wrong"] if kind in (None, (one["label"], one["predicted"]))]
    what = "" if kind is None else f", {kind[0]} taken for {kind[1]}"
    screen.say(f"Most wrong{what} (row, probability, text), the surest first:")
    for one in chosen[: _SHOWN_WRONG if kind is None else _SHOWN_WRONG // 2]:
        taken = f"{one['label']} taken for {one['predicted']}: " if kind is None else ""
        text = "".join(letter for letter in " ".join(one["text"].split()) if letter.isprintable())
        line = Text(f"{one['row']:>9,}  {one['probability']:.3f}  {taken}{text}")
        screen.console.print(line, no_wrap=True, overflow="ellipsis", highlight=False)
