"""The origin of a run's answer: its data, code, command and packages, so that it can be repeated."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import distributions, version
from pathlib import Path
from typing import Any

import search
from search.utils.files import write_text
from search.utils.overrides import as_given, typed

_SECONDS = 10


def provenance(data: Mapping[str, Any], overrides: Iterable[str], catalogs: Sequence[str]) -> dict[str, Any]:
    """The origin of a run, for summary.json; nothing of the environment's variables is in it.

    Args:
        data: Each setting that names data to its checksum, as JSON.
        overrides: The settings of the command line.
        catalogs: Folders of the person's own YAML files.

    Returns:
        data, code (the version, and where it is a checkout the commit and whether files differ from it), command.
    """
    flags = [word for folder in catalogs for word in ("--config-dir", folder)]
    command = typed("search", *flags, *as_given(one for one in overrides if not one.lstrip("+").startswith("resume=")))
    return {"data": dict(data), "code": code(Path(search.__file__).parent), "command": command}


def code(package: Path) -> dict[str, Any]:
    """The version of this package, and the commit of a checkout in which it lies; None where it is none.

    Args:
        package: The folder of the package.
    """
    found: dict[str, Any] = {"version": version("search"), "commit": None, "modified": None}
    # The package could lie in somebody else's checkout, in an environment there: then it is not among its files.
    if not _git(package, "ls-files", "--error-unmatch", "__init__.py"):
        return found
    found["commit"] = (_git(package, "rev-parse", "HEAD") or "").strip() or None
    changed = _git(package.parent, "status", "--porcelain", "--untracked-files=no")
    return {**found, "modified": None if changed is None else bool(changed.strip())}


def write_packages(path: Path) -> None:
    """Writes the versions of all packages as `pip freeze` does, without the places they were installed from."""
    found = {one.metadata["Name"]: one.version for one in distributions() if one.metadata["Name"]}
    lines = [f"{name}=={found[name]}\n" for name in sorted(found, key=str.lower)]
    write_text(path, "".join(lines))


def _git(folder: Path, *words: str) -> str | None:
    """The output of a git command; None where it fails, or there is no git."""
    try:
        done = subprocess.run(
            ["git", "--no-optional-locks", "-C", str(folder), *words],
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout
