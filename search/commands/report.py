"""Writes the report and the model card of finished runs again: `python -m search.report run=outputs/…`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from search.commands.cli import command
from search.errors import InputError
from search.utils.paths import read_path

_USAGE = "python -m search.report run=outputs/… [run=…]"
_HELP = f"Writes report.html and MODEL_CARD.md of finished runs again.\n\n  {_USAGE}"


def main(arguments: Sequence[str]) -> int:
    """Runs the command.

    Args:
        arguments: `run=FOLDER`, once or more often.

    Returns:
        The exit code: 0, or 2 for bad input.
    """
    return command(arguments, _HELP, lambda: _write(_folders(arguments)))


def _write(folders: Sequence[Path]) -> None:
    # Imported only now: --help and mistakes are answered without scikit-learn.
    from search.reporting.report.write import write_report

    for folder in folders:
        write_report(folder)
        print(f"Written: {folder / 'report.html'}, {folder / 'MODEL_CARD.md'}")


def _folders(arguments: Sequence[str]) -> list[Path]:
    folders = []
    for argument in arguments:
        key, _, value = argument.partition("=")
        if key != "run" or not value:
            raise InputError(f"'{argument}' cannot be read: expected run=FOLDER, as in {_USAGE}")
        folders.append(read_path(value, "run"))
    if not folders:
        raise InputError(f"run= must be given: {_USAGE}")
    return folders
