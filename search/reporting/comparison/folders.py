"""Finds the folders of runs that a person names: one by one, by a pattern, or by the folder they stand in."""

from __future__ import annotations

import glob
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from search.errors import InputError
from search.reporting.report.run_files import RecordedRun, read_run
from search.run_folder import RunFolder
from search.utils.paths import read_path

# From `outputs` to a run of a multirun: multirun, its date and time, the run.
_DEPTH = 3


def read_runs(words: Iterable[str | Path], unfinished: Callable[[Path], None] = lambda _: None) -> list[RecordedRun]:
    """Reads finished runs.

    Args:
        words: See `run_folders`.
        unfinished: Called with the folder of each run that has not ended; those runs are left out.

    Returns:
        The runs, in the order in which they were named.

    Raises:
        InputError: A word names no run, or a file of a run is damaged.
    """
    runs = []
    for folder in run_folders(words):
        if RunFolder(folder).summary.is_file():
            runs.append(read_run(folder))
        else:
            unfinished(folder)
    return runs


def run_folders(words: Iterable[str | Path]) -> list[Path]:
    """Finds folders of runs, finished or not.

    Args:
        words: Each the folder of a run, a folder in which runs stand (as that of a multirun), a pattern such as
            `outputs/quora/*`, or several of these with commas between them.

    Returns:
        Every folder once, in the order of the words; what one word names, in the order of the names.

    Raises:
        InputError: A word names no run.
    """
    found: dict[Path, Path] = {}
    for word in words:
        for path in _expanded(str(word)):
            folders = list(_runs_below(path, _DEPTH)) if path.is_dir() else []
            if not folders:
                reason = "it is a file" if path.is_file() else "neither it nor a folder in it has a .hydra/config.yaml"
                raise InputError(f"runs={path}: expected the folder of a run, or of several, but {reason}.")
            for folder in folders:
                found.setdefault(folder.resolve(), folder)
    return list(found.values())


def short_names(folders: Iterable[Path]) -> list[str]:
    """The names of folders without their common beginning."""
    paths = [folder.absolute() for folder in folders]
    shared = 0
    for parts in zip(*(path.parts[:-1] for path in paths), strict=False):
        if len(set(parts)) > 1:
            break
        shared += 1
    return ["/".join(path.parts[shared:]) for path in paths]


def _expanded(word: str) -> list[Path]:
    """The folders that a word stands for. The shell does not expand `runs=outputs/quora/*`."""
    whole = read_path(word, "runs")
    if whole.exists() and word:
        return [whole]
    paths = []
    for part in word.split(","):
        pattern = str(read_path(part, "runs"))
        if Path(pattern).exists() and part:
            paths.append(Path(pattern))
        elif glob.has_magic(pattern):
            matches = [Path(one) for one in glob.glob(pattern, recursive=True)]  # noqa: PTH207 - absolute ones too
            if not matches:
                raise InputError(f"runs={part}: nothing matches this name.")
            # Beside the runs of a multirun stand the files of its summary.
            paths += sorted((one for one in matches if one.is_dir()), key=_natural)
        else:
            raise InputError(f"runs={part}: there is no such folder.")
    return paths


def _runs_below(folder: Path, depth: int) -> Iterator[Path]:
    if (folder / ".hydra" / "config.yaml").is_file():
        yield folder
    elif depth:
        children = (child for child in folder.iterdir() if child.is_dir() and not child.name.startswith("."))
        for child in sorted(children, key=_natural):
            yield from _runs_below(child, depth - 1)


def _natural(path: Path) -> list[tuple[int, str]]:
    """A sort key that puts run 10 after run 9."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", str(path))]
