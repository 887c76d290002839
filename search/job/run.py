"""The context of a run of the main job: its folder, screen and stopwatch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import OmegaConf

from search.reporting.screen import Screen
from search.run_folder import RunFolder
from search.tracking.callbacks import Callbacks, RunEvent
from search.utils.stopwatch import Stopwatch

if TYPE_CHECKING:  # brings TensorFlow
    from search.job.prepare import Prepared


@dataclass(frozen=True)
class Audience:
    """Whoever follows a run, and how much of it they want to see.

    Attributes:
        verbose: Keep TensorFlow's own log messages.
        quiet: Print nothing.
        callbacks: Objects with methods of `search.tracking.callbacks.Callback`.
    """

    verbose: bool = False
    quiet: bool = False
    callbacks: Sequence[Any] = ()


@dataclass(frozen=True)
class Run:
    """The context that all steps of a run share.

    Attributes:
        folder: The run's files.
        screen: Shows the progress.
        stopwatch: Counts the phases.
        catalogs: Folders whose `module/*.yaml` name modules.
        device: The hardware it runs on, in words.
        prepare: Sets up TensorFlow in a worker process, whose number it takes.
        callbacks: Follow the trials.
    """

    folder: RunFolder
    screen: Screen
    stopwatch: Stopwatch
    catalogs: Sequence[Path]
    device: str
    prepare: Callable[[int], object]
    callbacks: Callbacks = field(default_factory=Callbacks)

    def say(self, text: str) -> None:
        """Prints a line on the screen."""
        self.screen.say(text)


def run_event(prepared: Prepared, folder: Path) -> RunEvent:
    """Describes a run that begins to its callbacks.

    Args:
        prepared: Its data and configuration.
        folder: Its folder.
    """
    settings: Any = OmegaConf.to_container(OmegaConf.structured(prepared.config))
    objective, config = prepared.objective, prepared.config
    return RunEvent(
        folder=folder,
        settings=settings,
        objective=objective.name,
        direction=objective.direction,
        classes=prepared.splits.classes,
        resumed=config.resume is not None,
    )
