"""The context of a run of the main job: its folder, screen and stopwatch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from search.config import Config
from search.reporting.screen import Screen
from search.run_folder import RunFolder
from search.tracking.callbacks import Callbacks, RunEvent
from search.utils.stopwatch import Stopwatch


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


def run_event(
    config: Config, folder: Path, classes: Sequence[str], objective: Mapping[str, str], space: Any
) -> RunEvent:
    """Describes a run to its callbacks.

    Args:
        config: Its configuration.
        folder: Its folder.
        classes: The names of the classes.
        objective: The objective, as in summary.json.
        space: Each hyperparameter to its range.
    """
    settings: Any = OmegaConf.to_container(OmegaConf.structured(config))
    return RunEvent(
        folder, settings, objective["name"], objective["direction"], classes, space, resumed=config.resume is not None
    )
