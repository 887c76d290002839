"""Commands that repeat a run with other settings, or add something to it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from search.reporting.report.run_files import RecordedRun
from search.utils.overrides import as_given, literal, quoted, setting, typed

_OWN_FOLDER = ("hydra.run.", "hydra.sweep.", "resume")
_PLAIN = re.compile(r"\w[\w./,+-]*")


def again(run: RecordedRun, changes: Mapping[str, Any], *flags: str) -> str:
    """A new run with some settings changed.

    Args:
        run: The run to repeat.
        changes: Settings to their values; they replace those that the run was begun with, and settings below them.
        flags: Flags of the command line.
    """
    words = shlex.split(run.summary["command"])[3:] if "command" in run.summary else as_given(run.overrides)
    kept = [word for word in words if not _is_of(word, (*changes, *_OWN_FOLDER)) and word not in flags]
    return typed("search", *flags, *kept, *(f"{key}={_written(value)}" for key, value in changes.items()))


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


def _written(value: Any) -> str:
    """A value as a person would type it."""
    if isinstance(value, list | tuple):
        return f"[{','.join(map(_written, value))}]"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_written(one)}" for key, one in value.items()) + "}"
    if isinstance(value, str):
        return value if _PLAIN.fullmatch(value) else quoted(value)
    return literal(value)
