"""Predicts with a finished run: `python -m search.predict run=outputs/… input=new.csv output=scored.csv`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from search.commands.cli import command, key_values
from search.commands.run_model import MODEL_CHOICES, check_choices, check_columns, parsed_threshold
from search.errors import InputError
from search.utils.paths import read_path

_OWN = (
    "run",
    "model",
    "input",
    "output",
    "text",
    "columns",
    "text_column",
    "threshold",
    "bad_rows",
    "format",
    "device",
)
_READING = (
    *("format", "separator", "header", "quoting", "encoding", "undecodable", "member"),
    *("max_row_mib", "max_unpacked_gib"),
)
"""Settings of `dataset` that can be given for the input."""
_BAD_ROWS = ("skip", "error")
_FORMATS = ("table", "kaggle")
_USAGE = "python -m search.predict run=outputs/… input=new.csv output=scored.csv"
_HELP = f"""Predicts with the model of a finished run: adds the columns predicted and prob_<class> to a table.

  {_USAGE}

  run=FOLDER          a finished run
  model=best          the best trial, as tested; ensemble: the run's ensemble; all: the best configuration, trained
                      on the test split too and never tested
  input=FILE          CSV, TSV, JSON Lines or Parquet, also in a .zip, .gz or .tar.gz; read as the run's settings of
                      dataset say; missing or -: texts from standard input, one per line. For a run of images a
                      table of paths, Parquet that holds images, an image, or a folder or archive of them
  output=FILE         in the format of the input; missing: standard output; pipes and devices are written through
  text=TEXT           a single text, or the path of an image, in place of input
  columns={{brand: acme, price: 3.5}}
                      beside text=: the columns that the model takes beside it, if any
  text_column=NAME    the column of texts, or several, [title,body]; by default the run's dataset.text
  threshold=NUMBER    predict the positive class from this probability on; by default the run's
  bad_rows=skip       report rows that cannot be used and go on; error: end at the first
  format=kaggle       a submission, where the run's dataset.submission names its columns; a bad row ends it
  device=auto         auto, cpu or gpu
  dataset.KEY=VALUE   {", ".join(_READING)}: where the input differs from what the run was trained on

Ends with code 2 where something given cannot be used, and then without an output file."""


def main(arguments: Sequence[str]) -> int:
    """Runs the command.

    Args:
        arguments: The command line without the program's name: key=value, see `--help`.

    Returns:
        The exit code: 0, 2 for bad input, 130 after Ctrl-C.
    """
    return command(arguments, _HELP, lambda: _predict(_values(arguments)))


def _values(arguments: Sequence[str]) -> dict[str, str]:
    """Reads the arguments and checks what needs no file."""
    values = key_values(arguments, [*_OWN, *(f"dataset.{key}" for key in _READING)], _USAGE)
    check_choices(values, {**MODEL_CHOICES, "format": _FORMATS, "bad_rows": _BAD_ROWS}, _USAGE)
    if "text" in values and "input" in values:
        raise InputError("text= and input= are both given: expected one of them.")
    check_columns(values)
    return values


def _path(values: dict[str, str], key: str) -> Path | None:
    given = values.get(key, "")
    return None if given in ("", "-") else read_path(given, key)


def _predict(values: dict[str, str]) -> None:
    # Imported only now: --help and mistakes are answered at once.
    from search.datasets.check import check_config
    from search.datasets.dataset_settings import asked_texts, run_settings, setting_of
    from search.inference.asked import columns_of_text
    from search.inference.labels import Labels
    from search.inference.predictor import Predictor
    from search.inference.scoring import Job, score_all
    from search.inference.writers import check_added

    run, read = read_path(values["run"], "run"), _path(values, "input")
    threshold = parsed_threshold(values.get("threshold"))
    model = values["model"]
    labels = Labels.of(run, threshold, model)
    dataset = run_settings(run)
    # Which member of an archive was trained on says nothing about this one, nor do the files about the terminal.
    dataset.member = None
    dataset.encoding = dataset.encoding if read else "utf-8"
    for key in _READING:
        if f"dataset.{key}" in values:
            setattr(dataset, key, setting_of(key, values[f"dataset.{key}"]))
    check_config(dataset)
    asked_format = values.get("dataset.format", "auto")
    job = Job(
        input=read,
        output=_path(values, "output"),
        text=values.get("text"),
        text_columns=asked_texts(dataset, values.get("text_column")),
        file_format=None if asked_format in ("auto", "folder") else asked_format,
        dataset=dataset,
        kaggle=values["format"] == "kaggle",
        columns=labels.columns,
        beside=columns_of_text(values["columns"], labels.columns) if "columns" in values else None,
    )
    # A single text has no others to go on with, and Kaggle takes none but whole files.
    fatal = values["bad_rows"] == "error" or job.kaggle or job.text is not None
    bad = 0

    def refuse(error: InputError) -> None:
        nonlocal bad
        if fatal:
            raise error
        bad += 1
        _say(f"{error}; skipped")

    with job.opened(refuse) as stream:
        if not job.kaggle:
            check_added(labels.columns_added, stream.columns)
        from search.utils.device import configure

        configure(values["device"], mixed_precision=False)
        predictor = Predictor.load(run, threshold, model)
        with job.writing(stream, labels) as write:
            done = score_all(predictor, stream, write, _say)
    _say(done + (f"; {bad:,} bad row{'' if bad == 1 else 's'} skipped" if bad else ""))


def _say(sentence: str) -> None:
    print(f"search: {sentence}", file=sys.stderr, flush=True)
