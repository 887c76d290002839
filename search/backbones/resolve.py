"""Resolves the name of a module to its folder on disk."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import url2pathname

from search.backbones.builders.packaged import build_packaged, check_packages, check_transformers
from search.backbones.catalog import Entry, ModulePlaces
from search.backbones.hub.identity import seal_once
from search.backbones.images.applications import SCHEME as KERAS
from search.backbones.images.applications import Application, read_application
from search.backbones.images.layout import ImageLayout
from search.backbones.module_download import download, remove_broken_downloads
from search.backbones.transformers.build import build_folder
from search.backbones.transformers.folders import read_folder
from search.backbones.transformers.hubs import SCHEMES, fetch_from_hub
from search.backbones.transformers.layout import is_transformer
from search.backbones.unpack import is_archive, unpack
from search.errors import InputError, MachineFault, nearest
from search.utils.files import is_refused
from search.utils.leftovers import remove_leftovers
from search.utils.paths import read_path
from search.utils.special_files import special
from spaces import UNPUBLISHED

if TYPE_CHECKING:  # it imports TensorFlow
    from search.backbones.hub.parts import Preprocessor

_ADDRESSES = ("https://", "http://", "gs://")


def resolve_modules(names: Sequence[str], places: ModulePlaces) -> dict[str, Path]:
    """Finds, downloads or builds modules, and checks that each of them embeds texts.

    Args:
        names: Names of the catalog, TF Hub handles, paths or URLs of .tar.gz files, folders.
        places: Where modules are looked for and kept.

    Returns:
        Each name to the folder of its SavedModel, which embeds texts by itself.

    Raises:
        InputError: A module cannot be found, reached, written or used.
    """
    from search.backbones.hub.load import published

    remove_leftovers(places.folder)
    remove_broken_downloads(places.folder)
    entries = places.entries(names)
    found = {name: resolve(name, entries, places) for name in names}
    for name, folder in found.items():
        found[name] = _text_module(folder, name, entries, places)
        published(found[name], name)
    return found


def _text_module(folder: Path, name: str, entries: Mapping[str, Entry], places: ModulePlaces) -> Path:
    """Composes a module with its preprocessor and pooling, if it needs them; see `compose.text_module`."""
    from search.backbones.hub.compose import text_module

    preprocessor = preprocessor_of(name, entries, places)
    with writable(places.folder):
        size = entries[name].image_size if name in entries else None
        return text_module(folder, name, preprocessor, places.settings.pooling, places.folder, size)


def preprocessor_of(name: str, entries: Mapping[str, Entry], places: ModulePlaces) -> Preprocessor | None:
    """Finds the preprocessor of a module: its own, or else the one of the settings.

    Raises:
        InputError: It cannot be found, reached or written.
    """
    from search.backbones.hub.parts import Preprocessor

    own = entries[name].preprocessor if name in entries else None
    handle = own or places.settings.preprocessor
    if handle is None:
        return None
    try:
        return Preprocessor(handle, resolve(handle, entries, places))
    except InputError as error:
        key = "module.preprocessor" if own is None else f"the preprocessor of {name}"
        raise InputError(f"{key}={handle}: {error}") from error


def resolve(name: str, entries: Mapping[str, Entry], places: ModulePlaces) -> Path:
    """Finds, downloads or builds one module; see `resolve_modules`, which also loads it.

    Raises:
        InputError: It cannot be found, reached or written, or is no TF2 SavedModel.
    """
    source, settings, modules = origin(name, entries), places.settings, places.folder
    size = entries[name].image_size if name in entries else None
    if isinstance(source, Entry):
        with _writing(modules):
            return _sealed(build_packaged(source, settings, modules))
    if isinstance(source, Application):
        with _writing(modules):
            return _sealed(source.build(modules, size))
    if isinstance(source, str):
        with _writing(modules):
            if source.startswith(SCHEMES):
                fetched = fetch_from_hub(source, name, settings.max_unpacked_gib)
                if not is_transformer(fetched):
                    return _saved_model(fetched, name)  # as TensorFlow Hub's models are at Kaggle
                return _sealed(build_folder(fetched, name, settings.prompt, modules, size))
            found = _saved_model(download(source, name, modules, settings.max_unpacked_gib), name)
            # TensorFlow Hub's own folder is not ours to write to.
            return _sealed(found) if modules in found.parents else found
    if source.is_dir():
        if not is_transformer(source):
            return _saved_model(source, name)
        with _writing(modules):
            return _sealed(build_folder(source, name, settings.prompt, modules, size))
    with _writing(modules):
        return _sealed(_saved_model(unpack(source, modules, settings.max_unpacked_gib), name))


def origin(name: str, entries: Mapping[str, Entry]) -> Entry | Application | str | Path:
    """Finds out where a module comes from, and checks what can be checked quickly.

    Args:
        name: Its name in `space.modules`.
        entries: Entries of the catalog and of exported modules.

    Returns:
        The entry of a module that is built here, a network of Keras, the address of one that is downloaded, else a
        folder or an archive.

    Raises:
        InputError: There is no such module, or nothing that it could be read from.
    """
    if name in UNPUBLISHED:
        raise InputError(
            f"{name} is no published module: a search makes it from the training texts, space.modules=[{name}]"
        )
    entry = entries.get(name)
    if entry is not None and entry.source is not None:
        check_packages(entry)
        return entry
    handle = entry.handle if entry is not None and entry.handle is not None else name
    if handle.startswith("file://"):
        handle = url2pathname(urlsplit(handle).path)
    if handle.startswith(KERAS):
        return read_application(handle, name)
    if "://" in handle:
        if handle.startswith(SCHEMES):
            check_transformers(name, ImageLayout.packages)  # what texts need besides is told once its files are here
            return handle
        if not handle.startswith(_ADDRESSES):
            raise InputError(
                f"module {name}: expected an address that begins with {' or '.join((*_ADDRESSES, *SCHEMES, KERAS))}."
            )
        return handle
    path = read_path(handle, f"module {name}") if handle else Path(name)
    if handle and path.is_dir() and is_transformer(path):
        check_transformers(name, read_folder(path, name).packages)
        return path
    if handle and path.is_dir():
        _saved_model(path, name)
        return path
    if path.is_file() and is_archive(path):
        return path
    if handle and path.exists():
        kind = special(path) or "neither"
        raise InputError(f"module {name}: expected a folder or a .tar.gz file, but {path} is {kind}.")
    if os.sep in handle or handle.startswith(("~", ".")) or is_archive(path):
        raise InputError(f"module {name}: there is no such folder or file.")
    raise InputError(
        f"module {name} is unknown: expected a name of the catalog, a handle (https://…), a .tar.gz or a folder. "
        f"{nearest(name, [*(entries.keys() - {name}), *UNPUBLISHED])}"
    )


def _saved_model(folder: Path, name: str) -> Path:
    """Finds the SavedModel in a folder, or in the only folder inside it, as archives often have one."""
    inside = [path.parent for path in sorted(folder.glob("*/saved_model.pb"))]
    found = inside[0] if not (folder / "saved_model.pb").is_file() and len(inside) == 1 else folder
    if (found / "tfhub_module.pb").is_file():
        raise InputError(
            f"module {name} has the format of TensorFlow 1's Hub, which TensorFlow 2 cannot train or call: choose a "
            "version of it for TensorFlow 2."
        )
    if not (found / "saved_model.pb").is_file():
        listed = ", ".join(sorted(path.name for path in folder.iterdir())[:8]) or "nothing"
        raise InputError(f"module {name} is no SavedModel: expected saved_model.pb in {folder}, found {listed}.")
    return found


def _sealed(folder: Path) -> Path:
    """The folder of a cached module, after sealing it with checksums."""
    seal_once(folder)
    return folder


@contextmanager
def _writing(modules: Path) -> Iterator[None]:
    """Makes the folder of modules, and turns a refusal to write there into one line."""
    try:
        modules.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(modules, error.strerror or str(error)) from error
    with writable(modules):
        yield


@contextmanager
def writable(modules: Path) -> Iterator[None]:
    """Turns a refusal to write modules into one line, where the folder is made only when it is needed.

    Raises:
        InputError: The disk is full, or nothing may be written there.
    """
    try:
        yield
    except OSError as error:
        if not is_refused(error):
            raise
        raise _unwritable(modules, error.strerror or str(error)) from error


def _unwritable(modules: Path, reason: str) -> MachineFault:
    return MachineFault(f"modules cannot be written to {modules} ({reason}): set paths.modules to a folder with room.")
