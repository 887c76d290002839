"""Shows runs side by side: `python -m search.leaderboard runs=outputs/quora/*`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from search.commands.cli import command, whole_number
from search.errors import InputError, nearest
from search.utils.overrides import setting, typed
from search.utils.paths import read_path
from search.utils.special_files import special

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console

    from search.reporting.report.run_files import RecordedRun

_FORMATS = ("table", "csv", "json", "markdown", "html")
_ENDINGS = {".txt": "table", ".csv": "csv", ".json": "json", ".md": "markdown", ".html": "html"}
_OWN = ("runs", "sort", "metrics", "format", "output", "trials")
_USAGE = "python -m search.leaderboard runs=outputs/quora/*"
# What is written to a file is as wide as it needs to be.
_FILE_WIDTH = 160
_HELP = f"""Shows runs side by side: what each chose, what it reached, and whether the best is better by chance alone.

  {_USAGE}

  runs=FOLDERS        folders of runs, with commas between them; a pattern; a folder in which runs stand, such as that
                      of a multirun. Further folders may follow as words of their own
  sort=METRIC         a test metric (average_precision) or any number of summary.json by its path (valid.f1,
                      seconds.total); by default the objective's metric on the test split
  metrics=A,B         the metrics to show
  trials=N            the N best trials of each run, by the validation split
  format=table        or csv, json, markdown, html: a page with pictures
  output=FILE         to a file; its ending tells the format: .txt, .csv, .json, .md or .html

Where the test rows are the same texts with the same labels, each run is compared with the best one by a paired
bootstrap. Runs that have not ended are left out."""


@dataclass
class _Asked:
    """The command line."""

    runs: list[str] = field(default_factory=list)
    sort: str | None = None
    metrics: list[str] = field(default_factory=list)
    trials: int | None = None
    format: str = _FORMATS[0]
    output: Path | None = None


def main(arguments: Sequence[str]) -> int:
    """Runs the command.

    Args:
        arguments: The command line without the program's name: key=value, see `--help`.

    Returns:
        The exit code: 0, 2 for bad input, 130 after Ctrl-C.
    """
    return command(arguments, _HELP, lambda: _compare(_asked(arguments)))


def _asked(arguments: Sequence[str]) -> _Asked:
    """Reads the arguments and checks what needs no file."""
    asked, values = _Asked(), {}
    for argument in arguments:
        key, equals, value = argument.partition("=")
        if key == "runs" and value:
            asked.runs.append(value)
        elif key in _OWN and equals:
            values[key] = value
        elif not equals or Path(argument).exists():  # the shell made several words of a pattern
            asked.runs.append(argument)
        else:
            raise InputError(f"There is no setting '{key}'. {nearest(key, _OWN)}")
    if not asked.runs:
        raise InputError(f"runs= must be given: {_USAGE}")
    asked.sort = values.get("sort")
    asked.metrics = [name for name in values.get("metrics", "").split(",") if name]
    if values.get("output"):
        asked.output = read_path(values["output"], "output")
        if "format" not in values and not special(asked.output):
            asked.format = _format_of(asked.output)
    asked.format = values.get("format", asked.format)
    if asked.format not in _FORMATS:
        raise InputError(f"format={asked.format} is unknown. {nearest(asked.format, _FORMATS)}")
    if "trials" in values:
        asked.trials = whole_number(values["trials"], "trials", 1)
    return asked


def _format_of(output: Path) -> str:
    ending = output.suffix.lower()
    if ending not in _ENDINGS:
        raise InputError(
            f"output={output}: expected a name that ends in {', '.join(_ENDINGS)}, or format={' or '.join(_FORMATS)}."
        )
    return _ENDINGS[ending]


def _compare(asked: _Asked) -> None:
    # Imported only now: --help and mistakes are answered without pandas.
    from search.reporting.comparison.folders import read_runs

    def left_out(folder: Path) -> None:
        going_on = typed("search", setting("resume", folder))
        print(f"search: {folder} has not ended and is left out. Resume it with {going_on}", file=sys.stderr)

    runs = read_runs(asked.runs, left_out)
    if not runs:
        raise InputError("None of the runs has ended: there is nothing to compare.")
    text = _trials(runs, asked) if asked.trials else _runs(runs, asked)
    if asked.output is None:
        sys.stdout.write(text)
    else:
        from search.utils.files import write_text

        write_text(asked.output, text)
        print(f"Written: {asked.output}")


def _runs(runs: list[RecordedRun], asked: _Asked) -> str:
    """A row per run."""
    from search.reporting.comparison.pairs import paired_columns, pairs
    from search.reporting.comparison.run_table import column_named, default_columns, ordered, table_of_runs
    from search.reporting.comparison.show import best_metric, chosen, comparison, positive_classes, scores, shared_facts
    from search.reporting.comparison.text_columns import markdown, screen_table

    table = table_of_runs(runs)
    sort = column_named(table, asked.sort, "sort") if asked.sort else best_metric(runs)
    metrics = [column_named(table, name, "metrics") for name in asked.metrics]
    by = sort if sort.startswith("test.") else best_metric(runs)
    found = pairs(runs, by.removeprefix("test."))
    table = ordered(table.join(paired_columns(runs, found)), sort, runs)
    rows = table.index.tolist()
    runs = [runs[row] for row in rows]
    if asked.format in ("csv", "json"):
        return _data(table[default_columns(table, metrics)], asked.format)
    shown = metrics or list(dict.fromkeys([by, sort]))
    if asked.format == "html":
        from search.reporting.comparison.runs_page import runs_page

        return runs_page(runs, table, found, shown, asked.output and asked.output.parent)
    if asked.format == "markdown":
        return markdown(scores(runs, table, shown, None))
    console = _console(asked)
    facts = shared_facts(table, "dataset", "seed")
    with console.capture() as captured:
        _say(console, f"{_counted(len(runs), 'run')}{' of ' if facts else ''}{facts}, sorted by {sort}")
        console.print(screen_table(scores(runs, table, shown, None if metrics else console.width), console.width))
        if told := positive_classes(runs):
            _say(console, told)
        columns, same = chosen(table)
        console.print(screen_table(columns, console.width))
        if same:
            _say(console, f"The same in all: {same}")
        if any(pair.behind for pair in found):
            _say(console, f"Paired bootstrap of {by}: each run against the best one on the same test rows")
            console.print(screen_table(comparison(found, rows), console.width))
        elif len(runs) > 1:
            _say(console, "No two runs were tested on the same rows: their differences may be those of the rows.")
    return captured.get()


def _trials(runs: list[RecordedRun], asked: _Asked) -> str:
    """A row per trial."""
    from search.reporting.comparison.folders import short_names
    from search.reporting.comparison.run_table import column_named, ordered, table_of_trials
    from search.reporting.comparison.show import majority, metric_column, positive_classes, shared_facts, trials
    from search.reporting.comparison.text_columns import markdown, screen_table

    assert asked.trials is not None
    table = table_of_trials(runs, asked.trials)
    sort = column_named(table, asked.sort, "sort") if asked.sort else "score"
    table = ordered(table, sort, runs)
    metrics = [column_named(table, name, "metrics") for name in asked.metrics]
    hyperparameters = list(dict.fromkeys(name for run in runs for name in run.hyperparameters))
    if asked.format in ("csv", "json"):
        if metrics:
            known = [*("run", "dataset", "seed", "trial_id", "rank", "score", "epochs"), *hyperparameters, *metrics]
            table = table[[name for name in dict.fromkeys(known) if name in table]]
        return _data(table, asked.format)
    folders = [run.folder.path for run in runs]
    names = dict(zip(map(str, folders), short_names(folders), strict=True))
    columns, same = trials(table, hyperparameters, [names[run] for run in table["run"]])
    columns[-1:-1] = [metric_column(table, metric) for metric in dict.fromkeys([*metrics, sort]) if metric != "score"]
    if asked.format == "markdown":
        return markdown(columns)
    if asked.format == "html":
        from search.reporting.comparison.runs_page import Part, page_of_parts

        title = f"{_counted(len(table), 'trial')} of {_counted(len(runs), 'run')}"
        return page_of_parts(
            title, [Part("", (), f"Sorted by {sort}", columns, None, same and f"The same in all: {same}")]
        )
    console = _console(asked)
    facts = shared_facts(table, "dataset", "seed")
    with console.capture() as captured:
        heading = f"{_counted(len(table), 'trial')} of {_counted(len(runs), 'run')}{' of ' if facts else ''}{facts}"
        objectives = ", ".join(dict.fromkeys(run.objective for run in runs))
        _say(console, f"{heading}, sorted by {sort}; score is {objectives}")
        console.print(screen_table(columns, console.width))
        if same:
            _say(console, f"The same in all: {same}")
        for sentence in (*majority(runs, [*metrics, sort]), positive_classes(runs)):
            if sentence:
                _say(console, sentence)
    return captured.get()


def _data(table: pd.DataFrame, form: str) -> str:
    if form == "csv":
        return table.to_csv(index=False)
    return f"{table.to_json(orient='records', indent=2, force_ascii=False, double_precision=15)}\n"


def _console(asked: _Asked) -> Console:
    from rich.console import Console

    return Console() if asked.output is None else Console(width=_FILE_WIDTH, no_color=True, force_terminal=False)


def _say(console: Console, sentence: str) -> None:
    console.print(sentence, highlight=False, markup=False, soft_wrap=True)


def _counted(number: int, name: str) -> str:
    return f"{number} {name}{'' if number == 1 else 's'}"
