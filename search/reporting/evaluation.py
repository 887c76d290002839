"""The evaluation of a model on labelled texts: a record to keep, and its table on the terminal."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from rich.text import Text

from search.datasets import Cleaning
from search.datasets.content import content_of
from search.datasets.table import every
from search.evaluation.baseline_models import MAJORITY
from search.evaluation.bootstrap import intervals
from search.evaluation.confident_mistakes import confident_mistakes
from search.evaluation.curves import confusion, reliability
from search.evaluation.metric_list import Target, shown_metrics
from search.evaluation.metrics import score
from search.evaluation.paired import Predictions
from search.evaluation.per_class import per_class
from search.evaluation.verdict import judge
from search.reporting.cleaning_counts import describe_left_out
from search.reporting.report.run_files import RecordedRun
from search.reporting.report.sections.training import always_named
from search.reporting.results import ScoredRows
from search.reporting.screen import Screen
from search.reporting.summary import write_predictions
from search.reporting.tables import cut_names, meaning_of_classes, short, table_of_classes, table_of_numbers
from search.utils.files import whole_folder, write_json

_MOST_WRONG, _SHOWN_WRONG = 200, 10
# Classes of which the confusion matrix is shown, and letters of their names above its columns.
_MATRIX, _WIDEST_HEAD = 8, 14
# A thousand resamples of a million rows would take minutes and narrow no interval that anyone could see.
_DRAWS, _LEAST_RESAMPLES, _RESAMPLES = 100_000_000, 200, 1000


class Scored(ScoredRows):
    """Labelled texts and the probabilities that a finished run's model gives them."""

    def record(self, seed: int, target: Target) -> dict[str, Any]:
        """Every metric, and what lies behind them.

        Args:
            seed: Seed of the bootstrap.
            target: What the run predicts.

        Returns:
            classes, ordered or several (where they are), threshold, metrics and intervals (NaN where a class that is
            missing leaves one undefined), resamples, confusion (a row per true class), per_class, calibration (the bins
            of expected_calibration_error), mistakes, and most_wrong, the most confident of each kind first; no
            confusion, calibration and most_wrong of several labels per text.
        """
        labels, probabilities = self.examples.labels, self.probabilities
        resamples = max(_LEAST_RESAMPLES, min(_RESAMPLES, _DRAWS // len(labels)))
        return {
            "classes": list(self.classes),
            **({"ordered": True} if target.ordered else {}),
            **({"several": True} if target.several else {}),
            "threshold": self.threshold,
            "metrics": score(labels, probabilities, self.threshold, target),
            "intervals": intervals(labels, probabilities, self.threshold, target, resamples=resamples, seed=seed),
            "resamples": resamples,
            "per_class": per_class(self.classes, labels, probabilities, self.predicted),
            "mistakes": int((~every(labels == self.predicted)).sum()),
            **({} if target.several else self._of_classes()),
        }

    def _of_classes(self) -> dict[str, Any]:
        """The part of a record that is of texts with one class each."""
        labels, probabilities, predicted = self.examples.labels, self.probabilities, self.predicted
        bins = reliability(labels, probabilities)
        return {
            "confusion": confusion(labels, predicted, len(self.classes)).tolist(),
            "calibration": [
                {"confidence": confidence, "accuracy": accuracy, "rows": rows}
                for confidence, accuracy, rows in zip(
                    bins.confidence.tolist(), bins.accuracy.tolist(), bins.rows.tolist(), strict=True
                )
            ],
            "most_wrong": [
                {
                    "row": int(self.examples.rows[i]),
                    content_of(self.examples.texts).name: str(self.examples.shown[i]),
                    "label": self.classes[labels[i]],
                    "predicted": self.classes[predicted[i]],
                    "probability": float(probabilities[i, predicted[i]]),
                    "of_label": float(probabilities[i, labels[i]]),
                }
                for i in confident_mistakes(labels, predicted, probabilities, _MOST_WRONG).tolist()
            ],
        }

    def verdict(self, run: RecordedRun) -> dict[str, Any] | None:
        """Compares the model with always answering the largest class of the run's training data.

        The other baselines of a run are not kept, only their predictions for its test split.

        Args:
            run: The run that trained the model.

        Returns:
            The verdict as in summary.json; None for a run that kept nothing of its baselines.
        """
        if MAJORITY not in run.baselines:
            return None
        # It gives every text the shares of the classes.
        shares = run.baselines[MAJORITY][:1].astype(np.float64).repeat(len(self.examples), axis=0)
        rival = Predictions(shares, run.summary["baselines"][MAJORITY].get("threshold"))
        found = judge(self.examples.labels, self.predictions, {MAJORITY: rival}, run.metric, seed=run.summary["seed"])
        return {**found.record(), "text": found.told("The model", f"always answering {always_named(run)}", "here")}

    def write(self, folder: Path, record: Mapping[str, Any]) -> None:
        """Writes evaluation.json and predictions.csv into a new folder, both or neither."""
        with whole_folder(folder) as beside:
            write_json(beside / "evaluation.json", record)
            write_predictions(beside / "predictions.csv", self)


def show_evaluation(screen: Screen, record: Mapping[str, Any], test: Mapping[str, float | None]) -> None:
    """Prints a record.

    Args:
        screen: The console to print to.
        record: As `Scored.record` gives it, with `cleaning`, the counts of rows, and the `verdict`.
        test: The metrics of the run's own test split, to compare with.
    """
    screen.say(describe_left_out(Cleaning(**record["cleaning"])))
    metrics, classes = record["metrics"], record["classes"]
    table = table_of_numbers("metric", "here", "95 % interval", "the run's test")
    target = Target.of(record)
    for name in (*shown_metrics(target), *([] if target.several else ["expected_calibration_error"])):
        ends = record["intervals"][name]
        interval = "-" if any(map(math.isnan, ends)) else " to ".join(map(short, ends))
        table.add_row(name, f"[bold]{short(metrics[name])}[/bold]", interval, short(test.get(name)))
    screen.console.print(table)
    if told := meaning_of_classes(classes, target):
        screen.say(told)
    if record["verdict"]:
        screen.say(record["verdict"]["text"])
    if undefined := [name for name, value in metrics.items() if math.isnan(value)]:
        absent = [one["name"] for one in record["per_class"] if not one["rows"]]
        screen.say(f"No row is of class {', '.join(absent) or 'any other'}: not defined are {', '.join(undefined)}.")
    _show_classes(screen, record, target)
    if target.several:
        return
    for kind in dict.fromkeys((one["label"], one["predicted"]) for one in record["most_wrong"]):
        if len(classes) == 2:
            _show_wrong(screen, record, kind)
    if len(classes) > 2:
        _show_wrong(screen, record, None)


def _show_classes(screen: Screen, record: Mapping[str, Any], target: Target) -> None:
    classes, each, width = record["classes"], record["per_class"], screen.console.width
    columns = {name: [f"{one[name]:,}" for one in each] for name in ("rows", "predicted")}
    columns |= {name: [short(one[name]) for one in each] for name in ("precision", "recall", "f1")}
    screen.console.print(table_of_classes(classes, columns, width, target.one))
    if len(classes) <= _MATRIX and "confusion" in record:
        # The names of the rows have as much room as two columns.
        heads = cut_names(classes, min(_WIDEST_HEAD, width // (len(classes) + 2) - 2))
        taken = zip(heads, zip(*record["confusion"], strict=True), strict=True)
        matrix = {f"as\n{head}": [f"{count:,}" for count in counts] for head, counts in taken}
        screen.console.print(table_of_classes(classes, matrix, width))


def _show_wrong(screen: Screen, record: Mapping[str, Any], kind: tuple[str, str] | None) -> None:
    chosen = [one for one in record["most_wrong"] if kind in (None, (one["label"], one["predicted"]))]
    # Beside the names of classes there is to be room for the text.
    shortened = dict(zip(record["classes"], cut_names(record["classes"], _WIDEST_HEAD), strict=True))
    what = "" if kind is None else f", {kind[0]} taken for {kind[1]}"
    noun = record["settings"]["content"]
    screen.say(f"Most wrong{what} (row, probability, {noun}), the most confident first:")
    for one in chosen[: _SHOWN_WRONG if kind is None else _SHOWN_WRONG // 2]:
        taken = f"{shortened[one['label']]} taken for {shortened[one['predicted']]}: " if kind is None else ""
        text = "".join(letter for letter in " ".join(one[noun].split()) if letter.isprintable())
        line = Text(f"{one['row']:>9,}  {one['probability']:.3f}  {taken}{text}")
        screen.console.print(line, no_wrap=True, overflow="ellipsis", highlight=False)
