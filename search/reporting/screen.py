"""The terminal output of a run."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from search.datasets import Splits
from search.datasets.content import TEXT
from search.evaluation.metric_list import Target, shown_metrics
from search.evaluation.paired import compared
from search.reporting.class_counts import describe_classes
from search.reporting.cleaning_counts import describe_cleaning, describe_faults
from search.reporting.progress import EmbeddingProgress, SearchProgress
from search.reporting.tables import (
    describe_columns,
    describe_texts,
    meaning_of_classes,
    short,
    short_time,
    table_of_baselines,
    table_of_classes,
    table_of_ensembles,
    table_of_numbers,
    with_article,
)
from search.utils.overrides import typed

if TYPE_CHECKING:  # the data are shown before TensorFlow, which these import, is needed
    from search.reporting.report.advice.finding import Advice
    from search.tuning.oracles import Plan


_ADVISED = 3


class _Terminal(Console):
    """A console whose reader may leave, as `head` does: the run goes on and prints no more."""

    def on_broken_pipe(self) -> None:
        """Discards all further output."""
        self.quiet = True
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class Screen:
    """Writes to a terminal, or plain lines where the output goes to a file.

    Args:
        console: Where to; None: standard output.
        quiet: Write nothing.

    Attributes:
        noun: The word for what a row holds, text or image.
    """

    def __init__(self, console: Console | None = None, *, quiet: bool = False) -> None:
        self.console = console or _Terminal(quiet=quiet)
        self.noun = TEXT.name
        self._bars: Progress | None = None

    def say(self, text: str) -> None:
        """Prints a line; it is never broken, so that paths and commands in it can be copied."""
        self.console.print(text, highlight=False, markup=False, soft_wrap=True)

    def show_data(self, name: str, splits: Splits, texts: Sequence[str] = ()) -> None:
        """Prints the sizes of the splits, class by class, what cleaning dropped, and several columns of texts."""
        self.noun = splits.content.name
        self.say(f"{name}: rows {'with each label' if splits.target.several else 'per class'} and split")
        columns = {
            split: [*(f"{counts[label]:,}" for label in splits.names), f"{len(splits.parts[split]):,}"]
            for split, counts in splits.sizes().items()
        }
        self.console.print(table_of_classes([*splits.names, "all"], columns, self.console.width, splits.target.one))
        if told := meaning_of_classes(splits.classes, splits.target):
            chosen = (
                ""
                if not splits.target.is_binary or splits.ordered
                else " (dataset.positive chooses it; else the last in sorted order)"
            )
            self.say(told + chosen)
        if splits.fold is not None:
            why = f" (dataset.folds=auto: few {self.noun}s to learn from, in all or of a class)" if splits.few else ""
            self.say(f"Cross-validation: train in {len(splits.folds)} folds, each held out in turn{why}")
        self.say(describe_cleaning(splits.cleaning, self.noun))
        if splits.faults:
            self.say(describe_faults(splits.faults, "search.log"))
        if len(texts) > 1:
            self.say(describe_texts(texts))
        if splits.columns:
            self.say(describe_columns([asdict(column) for column in splits.columns]))
        if told := describe_classes(splits.rare, splits.cleaning, splits.unseen, splits.sizes()["test"]):
            self.say(told)

    @contextmanager
    def busy(self, doing: str) -> Iterator[None]:
        """Shows on a terminal that something goes on while the block runs, such as seconds of imports."""
        if not self.console.is_terminal:
            yield
            return
        with self.console.status(doing):
            yield

    @contextmanager
    def progress(self, plan: Plan, objective: Any, workers: int = 1) -> Iterator[SearchProgress]:
        """Shows a progress bar over the epochs of the search while the block runs.

        Args:
            plan: The trials and epochs ahead.
            objective: KerasTuner's: the metric that trials are ranked by, and its direction.
            workers: Trials that run at once.

        Yields:
            The observer to give to the tuner.
        """
        side_by_side = f", {workers} trials at once" if workers > 1 else ""
        self.say(f"Searching by {objective.name}{side_by_side}")
        with self._live() as bar:
            task = bar.add_task("search", total=plan.epochs, unit="epochs", best="")
            yield SearchProgress(self, bar, task, plan, objective.direction, workers)

    def embedding(self, count: Callable[[float], None]) -> EmbeddingProgress:
        """Makes the observer of passes of texts through modules.

        Args:
            count: Called with the seconds of each pass.
        """
        return EmbeddingProgress(self, self._live, count)

    @contextmanager
    def _live(self) -> Iterator[Progress]:
        """The bars on the terminal; those that are there already, where there are any."""
        if self._bars is not None:
            yield self._bars
            return
        columns = (
            TextColumn("{task.description}"),
            BarColumn(bar_width=12),
            TextColumn("{task.completed:.0f}/{task.total} {task.fields[unit]}"),
            TextColumn("{task.fields[best]}"),
            TimeElapsedColumn(),
            TextColumn("elapsed,"),
            TimeRemainingColumn(),
            TextColumn("left"),
        )
        with Progress(*columns, console=self.console, disable=not self.console.is_terminal) as self._bars:
            try:
                yield self._bars
            finally:
                self._bars = None

    def show_result(self, summary: Mapping[str, Any], folder: Path, advice: Sequence[Advice] = ()) -> None:
        """Prints the answer: the best configuration, its scores, the baselines', what to try next, where all is."""
        each_row = f"ms {with_article(summary.get('content', TEXT.name))}"
        best = Table("Best configuration", "", box=box.SIMPLE_HEAD, pad_edge=False)
        for name, value in summary["best"].items():
            best.add_row(name, f"{value:.4g}" if isinstance(value, float) else escape(str(value)))
        self.console.print(best)
        scores = table_of_numbers("metric", "valid", "test", "95 % interval")
        for metric in shown_metrics(Target.of(summary)):
            interval = " to ".join(short(end) for end in summary["test_interval"][metric])
            tested = f"[bold]{short(summary['test'][metric])}[/bold]"
            scores.add_row(metric, short(summary["valid"][metric]), tested, interval)
        if (spent := summary.get("milliseconds_per_text")) is not None:
            scores.add_row(each_row, "", f"[bold]{short_time(spent)}[/bold]", "")
        self.console.print(scores)
        if told := meaning_of_classes(summary["classes"], Target.of(summary)):
            self.say(told)
        self.console.print(table_of_baselines(summary["baselines"], summary["verdict"], each_row))
        if folds := summary.get("folds"):
            each = ", ".join(map(short, folds["scores"]))
            self.say(f"Cross-validated score {short(summary['score'])} ± {short(folds['std'])}; by fold {each}")
        self.say(summary["verdict"]["text"])
        if ensembles := summary.get("ensembles"):
            members = ", ".join(member["name"] for member in ensembles["members"])
            self.say(f"Ensembles of {members}: {ensembles['metric']}")
            self.console.print(table_of_ensembles(ensembles))
            spent = short(ensembles["milliseconds_per_text"])
            against = compared(ensembles["methods"][ensembles["chosen"]]["against_best"]["outcome"])
            self.say(
                f"Chosen on validation: {ensembles['chosen']}, {against} the best trial alone, {spent} {each_row}; "
                "saved in ensemble/model"
            )
        if summary.get("final_refit"):
            self.say(summary["final_refit"]["text"])
        if summary.get("latency"):
            self.say(summary["latency"]["text"])
        for advised in advice[:_ADVISED]:
            self.say(f"Next: {advised.title.lower()}: {advised.evidence}")
            self.say(f"  {advised.command}")
        self.say(f"Run folder: {folder}")
        self.say(f"Look at the trials: {typed('search.board', f'run={folder}')}")
