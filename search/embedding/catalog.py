"""The modules that have a short name: one YAML file each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from omegaconf import MISSING, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from search.errors import InputError


@dataclass(frozen=True)
class Entry:
    """What a file of the catalog says of a module; it must give a handle or a source."""

    name: str = MISSING
    """As in `space.modules`, and as the file is called."""
    handle: str | None = None
    """A TF Hub handle, or the URL or path of a .tar.gz, or a folder."""
    source: str | None = None
    """The Python package that the module is built from."""
    dimension: int = MISSING
    licence: str = MISSING
    language: str = MISSING
    notes: str = ""


def catalog(folders: Sequence[Path]) -> dict[str, Entry]:
    """Reads the catalog.

    Args:
        folders: Configuration folders; each one's `module/*.yaml` is read. An entry takes the place of one of the same
            name in an earlier folder.

    Returns:
        The entries by name.

    Raises:
        InputError: A file is not such an entry.
    """
    entries = {}
    for folder in folders:
        for path in sorted((folder / "module").glob("*.yaml")):
            entry = _read(path)
            entries[entry.name] = entry
    return entries


def _read(path: Path) -> Entry:
    try:
        entry = OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(Entry), OmegaConf.load(path)))
    except (OmegaConfBaseException, YAMLError, UnicodeDecodeError) as error:
        key = getattr(error, "full_key", None)
        reason = f"{key}: {str(error).splitlines()[0]}" if key else str(error).splitlines()[0]
        raise InputError(f"{path} is no entry of the module catalog: {reason}.") from error
    assert isinstance(entry, Entry)
    if entry.name != path.stem:
        raise InputError(f"{path} is called {entry.name} inside: the file must be named {entry.name}.yaml.")
    if (entry.handle is None) == (entry.source is None):
        raise InputError(f"{path} must give either a handle or a source.")
    return entry
