"""The evaluation of a finished run's model on other labelled texts."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd

from search.config.dataset import DatasetConfig
from search.datasets.column_kinds import asked_columns
from search.datasets.content import content_of
from search.datasets.dataset_settings import other_settings, run_settings
from search.datasets.in_memory import as_frame, write_table
from search.datasets.several import label_columns
from search.datasets.stream import ROWS, Rows, Stream
from search.datasets.table import Examples
from search.datasets.text_columns import text_columns
from search.datasets.whole import is_trained_on, load_whole
from search.errors import InputError
from search.inference.labels import Labels, Predictions
from search.inference.predictor import Predictor
from search.inference.scoring import score_all
from search.reporting.cleaning_counts import describe_faults
from search.reporting.evaluation import Scored
from search.reporting.report.run_files import read_run
from search.reporting.summary import named_columns, versions
from search.utils.device import configured
from search.utils.overrides import literal


@dataclass(frozen=True)
class Evaluation:
    """A model's results on labelled texts.

    Attributes:
        record: All results and where they come from, as evaluation.json keeps them.
        scored: The texts, with the model's probabilities.
        run_test: The metrics of the run's own test split.
    """

    record: dict[str, Any]
    scored: Scored
    run_test: dict[str, Any]

    @property
    def metrics(self) -> pd.DataFrame:
        """The metrics: `score`, and `low` and `high`, the ends of the 95 % bootstrap interval."""
        scores, ends = self.record["metrics"], self.record["intervals"]
        table = pd.DataFrame.from_dict({name: (scores[name], *ends[name]) for name in scores}, orient="index")
        return table.set_axis(["score", "low", "high"], axis=1).rename_axis("metric")

    @property
    def predictions(self) -> pd.DataFrame:
        """A row per text: row, text (image), label, predicted, prob_<class>."""
        examples, classes = self.scored.examples, np.array(self.scored.classes, dtype=object)
        columns: dict[str, Any] = {"row": examples.rows, content_of(examples.texts).name: examples.shown}
        for name, labels in (("label", examples.labels), ("predicted", self.scored.predicted)):
            columns |= named_columns(name, self.scored.classes, classes, labels)
        return pd.DataFrame(
            columns | {f"prob_{name}": self.scored.probabilities[:, k] for k, name in enumerate(classes)}
        )

    @property
    def _heading(self) -> str:
        warning = "; the run was trained on this data: the scores are too good" if self.record["trained_on"] else ""
        return f"{self.record['rows']:,} rows of {self.record['source']}{warning}"

    def __repr__(self) -> str:
        return f"{self._heading}\n{self.metrics}"

    def _repr_html_(self) -> str:
        return f"<p>{escape(self._heading)}</p>{self.metrics.to_html()}"


def evaluate(
    path: Path,
    settings: DatasetConfig,
    threshold: float | None,
    set_up: Callable[[], str],
    say: Callable[[str], None] = lambda line: None,
) -> Evaluation:
    """Evaluates the model of a finished run.

    Args:
        path: The run's folder.
        settings: Where the texts are, and how to read them.
        threshold: Replaces the run's own; None: that.
        set_up: Sets TensorFlow up, and returns the device in words.
        say: Called with the progress.

    Raises:
        InputError: The run, the threshold or the data cannot be used.
    """
    labels = Labels.of(path, threshold)
    run = read_run(path)
    data = Path(run.config.get("paths", {}).get("data", "data"))
    whole = load_whole(settings, data, labels.classes, labels.columns)
    examples = whole.examples
    say(f"{path} on {whole.source}, {len(examples):,} rows")
    if whole.faults:
        say(describe_faults(whole.faults, "evaluation.json"))
    trained_on = not whole.of_test and is_trained_on(settings, run_settings(path), data)
    if trained_on:
        tested = set(run.shown)
        fresh = sum(text in tested for text in examples.shown)
        say(
            f"The run was trained on this data: {fresh:,} of the rows are of its test split, it was trained on the "
            "others or left them out. The scores below are too good."
        )
    # What follows imports TensorFlow, which takes seconds: an error in the data has been told by now.
    device = set_up()
    begun = time.monotonic()
    parts: list[Predictions] = []
    stream = Stream(["text"], _chunks(examples))
    done = score_all(Predictor.load(path, threshold), stream, lambda _, found: parts.append(found), say)
    say(f"Predicted {done}")
    scored = Scored(examples, labels.classes, np.concatenate([one.probabilities for one in parts]), labels.threshold)
    record = {
        "run": str(path),
        "dataset": settings.name,
        "source": whole.source,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "settings": asdict(settings),
        "rows": len(examples),
        "cleaning": asdict(whole.cleaning),
        **({"faults": list(whole.faults)} if whole.faults else {}),
        "trained_on": trained_on,
        **scored.record(run.summary["seed"], run.target),
        "verdict": scored.verdict(run),
        "run_test": run.summary["test"],
        "seconds": round(time.monotonic() - begun, 3),
        "versions": versions(),
        "device": device,
    }
    return Evaluation(record, scored, run.summary["test"])


def evaluate_given(path: Path, data: Any, words: Sequence[str], threshold: float | None) -> Evaluation:
    """Evaluates the model of a finished run, on a table in memory or what settings name; prints nothing.

    Args:
        path: The run's folder.
        data: The table, of the kinds that `search.datasets.in_memory.as_frame` takes; None: the settings say it all.
        words: Settings, dataset.KEY=VALUE, in place of the run's own.
        threshold: Replaces the run's own; None: that.

    Raises:
        InputError: Something given cannot be used.
    """
    own = run_settings(path)
    if data is None:
        return evaluate(path, other_settings(own, None, words), threshold, configured)
    with TemporaryDirectory() as folder:
        at = Path(folder, "data.parquet")
        settings = other_settings(own, None, [*words, f"dataset.path={literal(at)}", "dataset.format=auto"])
        texts = text_columns(settings.text)
        frame = as_frame(data, "data", texts[0], settings.label)
        labels = label_columns(settings) or (settings.label,)
        write_table(frame, at, "data", texts, labels, settings.content, asked_columns(settings))
        try:
            found = evaluate(path, settings, threshold, configured)
        except InputError as error:
            if type(error) is not InputError:
                raise
            raise InputError(str(error).replace(str(at), "data")) from error
    # The file is gone.
    found.record["source"], found.record["settings"]["path"] = "data", None
    return found


def _chunks(examples: Examples) -> Iterator[Rows]:
    for start in range(0, len(examples), ROWS):
        some = examples.take(np.arange(start, min(start + ROWS, len(examples))))
        yield Rows(some.texts.tolist(), None, some.beside)
