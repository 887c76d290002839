"""The progress of a pass of texts and of a search: bars on a terminal, lines elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack
from typing import TYPE_CHECKING, Protocol

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, TaskID

from search.reporting.tables import short

if TYPE_CHECKING:  # the data are shown before TensorFlow, which these import, is needed
    from search.tuning.oracles import Plan
    from search.tuning.record import TrialRecord


class Speaker(Protocol):
    """A place for lines that people read."""

    console: Console
    noun: str

    def say(self, text: str) -> None:
        """Prints a line."""


class EmbeddingProgress:
    """Shows the progress of a pass of texts through a module; nothing where all texts are in the cache."""

    def __init__(
        self, screen: Speaker, live: Callable[[], AbstractContextManager[Progress]], count: Callable[[float], None]
    ) -> None:
        self.screen = screen
        self.live = live
        self.count = count
        self._shown = ExitStack()

    def on_pass_begin(self, module: str, texts: int, cached: int) -> None:
        """Opens a bar for the texts that the cache does not have."""
        self._shown.close()  # a pass that failed has no end
        self._module, self._new = module, texts - cached
        if self._new:
            self._bar = self._shown.enter_context(self.live())
            doing, unit = f"embedding with {escape(module)}", f"{self.screen.noun}s"
            self._task = self._bar.add_task(doing, total=self._new, unit=unit, best="")
            self._shown.callback(self._bar.remove_task, self._task)

    def on_pass_progress(self, done: int) -> None:
        """Moves the bar."""
        self._bar.update(self._task, completed=done)

    def on_pass_end(self, computed: int, seconds: float) -> None:
        """Prints how long it took."""
        self._shown.close()
        self.count(seconds)
        if computed:
            rows = f"{self.screen.noun}s"
            rate = f"{computed / seconds:,.0f} {rows}/s"
            self.screen.say(f"Embedded {computed:,} {rows} with {self._module} in {seconds:.1f} s ({rate})")


class SearchProgress:
    """Moves the bar; where there is no terminal, prints a line per trial instead.

    Args:
        screen: Gets the lines.
        bar: The bars on the terminal.
        task: The bar of the search.
        plan: The trials and epochs ahead.
        direction: max or min, whichever is better.
        workers: Trials that run at once; where there are several, each worker has a bar of its own too.
    """

    def __init__(
        self, screen: Speaker, bar: Progress, task: TaskID, plan: Plan, direction: str, workers: int = 1
    ) -> None:
        self.screen = screen
        self.bar = bar
        self.task = task
        self.plan = plan
        self.direction = direction
        self._has_bars = workers > 1
        self._bars: dict[int, TaskID] = {}
        self._ended = 0
        self._behind = 0
        # Running trials to their epochs so far.
        self._running: dict[str, int] = {}
        self._best: float | None = None

    def on_trial_resumed(self, record: TrialRecord) -> None:
        """Counts a trial that had ended before the search was interrupted."""
        self._ended += 1
        self._note(record)
        self._behind += record.target_epochs - record.initial_epoch
        self._move()

    def on_trial_begin(self, record: TrialRecord) -> None:
        """Names the trial."""
        if self._has_bars:
            self._bar_of(record, record.epochs)
        else:
            self.bar.update(self.task, description=f"trial {self._ended + 1}{self._of()}")

    def on_epoch_end(self, record: TrialRecord, epoch: int, metrics: Mapping[str, float]) -> None:
        """Moves the bar by an epoch."""
        self._note(record)
        self._running[record.trial_id] = epoch - record.initial_epoch
        if self._has_bars:
            self._bar_of(record, epoch)
        self._move()

    def on_trial_end(self, record: TrialRecord) -> None:
        """Counts the epochs that a failed or early stopped trial did not need."""
        self._ended += 1
        self._note(record)
        self._behind += record.target_epochs - record.initial_epoch
        self._running.pop(record.trial_id, None)
        if self._has_bars:
            self.bar.update(self.task, description=f"{self._ended}{self._of()} trials")
        self._move()
        trial = f"trial {record.trial_id} ({self._ended}{self._of()})"
        if record.error is not None:
            self.screen.say(f"{trial} failed: {record.error}")
        elif not self.screen.console.is_terminal:
            self.screen.say(
                f"{trial}: {short(record.score)} after epoch {record.epochs}, {record.seconds:.1f} s, "
                f"best {short(self._best)}"
            )

    def _move(self) -> None:
        best = "" if self._best is None else f"best {self._best:.4f}"
        self.bar.update(self.task, completed=self._behind + sum(self._running.values()), best=best)

    def _bar_of(self, record: TrialRecord, epoch: int) -> None:
        """Shows a trial in the bar of its worker."""
        if record.worker not in self._bars:
            self._bars[record.worker] = self.bar.add_task("", unit="epochs", best="")
        self.bar.update(
            self._bars[record.worker],
            description=f"  worker {record.worker}: trial {record.trial_id}",
            completed=epoch - record.initial_epoch,
            total=record.target_epochs - record.initial_epoch,
            best="" if record.score is None else f"{record.score:.4f}",
        )

    def _of(self) -> str:
        return "" if self.plan.trials is None else f"/{self.plan.trials}"

    def _note(self, record: TrialRecord) -> None:
        score, best = record.score, self._best
        if score is not None and (best is None or (score > best if self.direction == "max" else score < best)):
            self._best = score
