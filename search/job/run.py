"""The context of a run of the main job: its folder, screen and stopwatch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from search.reporting.screen import Screen
from search.run_folder import RunFolder
from search.utils.stopwatch import Stopwatch


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
    """

    folder: RunFolder
    screen: Screen
    stopwatch: Stopwatch
    catalogs: Sequence[Path]
    device: str
    prepare: Callable[[int], object]

    def say(self, text: str) -> None:
        """Prints a line on the screen."""
        self.screen.say(text)
