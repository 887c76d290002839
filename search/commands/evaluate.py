"""Tests a finished run on other labelled texts: `python -m search.evaluate run=outputs/… dataset.path=new.csv`."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from search.commands.cli import command
from search.commands.predict import parsed_threshold
from search.config import DEVICES
from search.errors import InputError, nearest
from search.utils.paths import read_path

if TYPE_CHECKING:
    from search.datasets.stream import Rows
    from search.datasets.table import Examples

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
    from search.datasets.stream import Stream
    from search.datasets.whole import is_trained_on, load_whole
    from search.inference.predictor import Labels, Predictions, Predictor
    from search.reporting.report.run_files import read_run
    from search.reporting.screen import Screen

    labels = Labels.of(asked.run, asked.threshold)
    own = run_settings(asked.run)
    settings = other_settings(own, asked.dataset, asked.overrides)
    run = read_run(asked.run)
    data = Path(run.config.get("paths", {}).get("data", "data"))
    whole = load_whole(settings, data, labels.classes)
    examples = whole.examples
    screen = Screen()
    screen.say(f"{asked.run} on {whole.source}, {len(examples):,} rows")
    trained_on = not whole.of_test and is_trained_on(settings, own, data)
    if trained_on:
        tested = set(run.predictions["text"])
        fresh = sum(text in tested for text in examples.texts)
        screen.say(
            f"The run was trained on this data: {fresh:,} of the rows are of its test split, it was trained on the "
            "others or left them out. The scores below are too good."
        )

    # What follows imports TensorFlow, which takes seconds: an error in the data has been told by now.
    from search.utils.device import configure

    device = configure(asked.device, mixed_precision=False)
    import numpy as np

    from search.reporting.evaluation import Scored, show_evaluation
    from search.reporting.summary import versions

    begun = time.monotonic()
    parts: list[Predictions] = []
    stream = Stream(["text"], _chunks(examples))
    from search.inference.scoring import score_all

    screen.say(
        "Predicted "
        + score_all(
            Predictor.load(asked.run, asked.threshold), stream, lambda _, found: parts.append(found), screen.say
        )
    )
    scored = Scored(examples, labels.classes, np.concatenate([one.probabilities for one in parts]), labels.threshold)
    record = {
        "run": str(asked.run),
        "dataset": settings.name,
        "source": whole.source,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "settings": asdict(settings),
        "rows": len(examples),
        "cleaning": asdict(whole.cleaning),
        "trained_on": trained_on,
        **scored.record(run.summary["seed"]),
        "verdict": scored.verdict(run),
        "run_test": run.summary["test"],
        "seconds": round(time.monotonic() - begun, 3),
        "versions": versions(),
        "device": device,
    }
    show_evaluation(screen, record, run.summary["test"])
    folder = asked.output or _new_folder(asked.run / "evaluations", settings.name)
    scored.write(folder, record)
    screen.say(f"Written: {folder / 'evaluation.json'}, {folder / 'predictions.csv'}")


def _chunks(examples: Examples) -> Iterator[Rows]:
    from search.datasets.stream import ROWS, Rows

    for start in range(0, len(examples), ROWS):
        yield Rows(examples.texts[start : start + ROWS].tolist(), None)


def _new_folder(parent: Path, name: str) -> Path:
    """A folder that is not there yet, named by the time."""
    stem = f"{name}_{datetime.now():%Y-%m-%d_%H-%M-%S}"
    names = (stem if again == 1 else f"{stem}_{again}" for again in range(1, sys.maxsize))
    return next(parent / one for one in names if not (parent / one).exists())
