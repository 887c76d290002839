"""Tests a finished run on other labelled texts: `python -m search.evaluate run=outputs/… dataset.path=new.csv`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from search.commands.cli import command
from search.commands.run_model import parsed_threshold
from search.config import DEVICES
from search.errors import InputError, nearest
from search.utils.paths import read_path

_OWN = ("run", "dataset", "threshold", "output", "device")
_USAGE = "python -m search.evaluate run=outputs/… dataset.path=new.csv"
_HELP = f"""Tests the model of a finished run on labelled texts: metrics with intervals, each class, the most wrong.

  {_USAGE}

  run=FOLDER          a finished run
  dataset=NAME        a data set of conf/dataset, such as csv; without it the run's own settings hold
  dataset.KEY=VALUE   any setting of it: path, text, label, separator, encoding, label_ranges, classes, limit …
  threshold=NUMBER    predict the positive class from this probability on; by default the run's
  output=FOLDER       evaluation.json and predictions.csv go there; by default evaluations/NAME_TIME in the run
  device=auto         auto, cpu or gpu

Each row with a text and a label counts, also one whose text comes up again: dataset.duplicates=first and
dataset.conflicts=majority clean as a search does. Where the data set has a part of its own for the test, that is read.
Ends with code 2 where something given cannot be used, and then writes nothing."""


@dataclass(frozen=True)
class _Asked:
    run: Path
    dataset: str | None
    overrides: list[str]
    threshold: float | None
    output: Path | None
    device: str


def main(arguments: Sequence[str]) -> int:
    """Runs the command.

    Args:
        arguments: The command line without the program's name: key=value, see `--help`.

    Returns:
        The exit code: 0, 2 for bad input, 130 after Ctrl-C.
    """
    return command(arguments, _HELP, lambda: _evaluate(_read(arguments)))


def _read(arguments: Sequence[str]) -> _Asked:
    values, overrides = {"device": DEVICES[0]}, []
    for argument in arguments:
        key, equals, value = argument.partition("=")
        if not equals:
            raise InputError(f"'{argument}' cannot be read: expected key=value, as in {_USAGE}")
        if key.startswith("dataset."):
            overrides.append(argument)
        elif key in _OWN:
            values[key] = value
        else:
            raise InputError(f"There is no setting '{key}'. {nearest(key, [*_OWN, 'dataset.…'])}")
    if not values.get("run"):
        raise InputError(f"run= must be given: {_USAGE}")
    if values["device"] not in DEVICES:
        raise InputError(f"device={values['device']} is unknown. {nearest(values['device'], DEVICES)}")
    output = read_path(values["output"], "output") if values.get("output") else None
    if output is not None and output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise InputError(f"output={output} is there already: expected a new folder.")
    return _Asked(
        read_path(values["run"], "run"),
        values.get("dataset"),
        overrides,
        parsed_threshold(values.get("threshold")),
        output,
        values["device"],
    )


def _evaluate(asked: _Asked) -> None:
    # Imported only now: --help and mistakes are answered at once.
    from search.datasets.dataset_settings import other_settings, run_settings
    from search.inference.evaluating import evaluate
    from search.inference.labels import Labels
    from search.reporting.evaluation import show_evaluation
    from search.reporting.screen import Screen
    from search.utils.device import configure

    Labels.of(asked.run, asked.threshold)  # what cannot be used is told before settings are read
    settings = other_settings(run_settings(asked.run), asked.dataset, asked.overrides)
    screen = Screen()
    set_up = partial(configure, asked.device, mixed_precision=False)
    found = evaluate(asked.run, settings, asked.threshold, set_up, screen.say)
    show_evaluation(screen, found.record, found.run_test)
    folder = asked.output or _new_folder(asked.run / "evaluations", settings.name)
    found.scored.write(folder, found.record)
    screen.say(f"Written: {folder / 'evaluation.json'}, {folder / 'predictions.csv'}")


def _new_folder(parent: Path, name: str) -> Path:
    """A folder that is not there yet, named by the time."""
    stem = f"{name}_{datetime.now():%Y-%m-%d_%H-%M-%S}"
    names = (stem if again == 1 else f"{stem}_{again}" for again in range(1, sys.maxsize))
    return next(parent / one for one in names if not (parent / one).exists())
