"""Commands that repeat a run with other settings, or add something to it."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from search.reporting.report.run_files import RecordedRun
from search.utils.overrides import as_given, literal, setting, typed

_OWN_FOLDER = ("hydra.run.", "hydra.sweep.", "resume")


def again(run: RecordedRun, changes: Mapping[str, Any], *flags: str) -> str:
    """A new run with some settings changed.

    Args:
        run: The run to repeat.
        changes: Settings to their values; they replace those that the run was begun with, and settings below them. A
            tuple holds the values of several runs.
        flags: Flags of the command line, such as -m for several runs.
    """
    words = shlex.split(run.summary["command"])[3:] if "command" in run.summary else as_given(run.overrides)
    kept = [word for word in words if not _is_of(word, (*changes, *_OWN_FOLDER)) and word not in flags]
    changed = {key: value if isinstance(value, tuple) else (value,) for key, value in changes.items()}
    return typed("search", *flags, *kept, *(f"{key}={','.join(map(literal, one))}" for key, one in changed.items()))


def added(run: RecordedRun, what: str) -> str:
    """The command that adds something to the run, which has ended."""
    return typed("search", setting("resume", shown(run.folder.path)), what)


def shown(folder: Path) -> Path:
    """The folder relative to the working directory, where it is below that."""
    here = Path.cwd()
    return folder.relative_to(here) if folder.is_absolute() and folder.is_relative_to(here) else folder


def _is_of(word: str, keys: tuple[str, ...]) -> bool:
    name = word.lstrip("+~").partition("=")[0].partition("@")[0]
    return any(name == key or name.startswith(key if key.endswith(".") else f"{key}.") for key in keys)
