"""Tables of data sets on Hugging Face's hub: `hf://datasets/owner/name/path/of/the/table.parquet`."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

from search.datasets.hints import listing
from search.errors import InputError
from search.utils.unpacking import GIB

SCHEME = "hf://datasets/"
_PLACE = re.compile(r"(?P<name>[\w-][\w.-]*/[\w.-]+)(@(?P<revision>[\w.-]+))?(/(?P<file>.+))?", re.ASCII)
_TABLES = (".csv", ".tsv", ".parquet", ".jsonl", ".json", ".xlsx", ".zip", ".gz")
_TIMEOUT_SECONDS = 30


def is_of_hub(path: str) -> bool:
    """Whether a path names a table of the hub."""
    return path.startswith("hf://")


def fetch_table(path: str, key: str, max_gib: float | None) -> Path:
    """Fetches a table, unless it is in the cache of huggingface_hub.

    Args:
        path: hf://datasets/owner/name, perhaps with @revision, and the file in it; without one, its only table.
        key: The setting that names it, for messages.
        max_gib: The limit to what is fetched, in GiB; None: there is none.

    Returns:
        The file.

    Raises:
        InputError: There is no such table, it cannot be reached, or it is too large.
    """
    found = _PLACE.fullmatch(path.removeprefix(SCHEME)) if path.startswith(SCHEME) else None
    if found is None or ".." in path.split("/"):
        raise InputError(f"{key}={path}: expected hf://datasets/owner/name/table.parquet, perhaps with @revision")
    try:
        import huggingface_hub
        from huggingface_hub import constants
    except ImportError as error:
        raise InputError(
            f"{key}={path} needs the package huggingface_hub: pip install 'search[transformers]'"
        ) from error
    name, revision, file = found["name"], found["revision"], found["file"]
    offline = bool(constants.is_offline_mode())
    reason = ""
    if not offline:
        try:
            info = huggingface_hub.HfApi().dataset_info(
                name, revision=revision, files_metadata=True, timeout=_TIMEOUT_SECONDS
            )
        except Exception as error:  # of which type depends on the transport; what is cached serves all the same
            reason = str(error)
        else:
            sizes = {one.rfilename: one.size or 0 for one in info.siblings or ()}
            file = _chosen(file, list(sizes), path, key)
            if max_gib is not None and sizes[file] > max_gib * GIB:
                raise InputError(
                    f"{key}={path} is {sizes[file] / GIB:.1f} GiB, more than {max_gib:g} GiB, the limit: where it is "
                    "meant to be so large, set dataset.max_unpacked_gib higher (null: no limit)"
                )
    if file is None:
        raise _not_fetched(path, key, reason or "offline, and no file of it is named")
    try:
        return Path(
            huggingface_hub.hf_hub_download(
                name, file, repo_type="dataset", revision=revision, local_files_only=offline or bool(reason)
            )
        )
    except Exception as error:  # as above
        raise _not_fetched(path, key, reason or str(error)) from error


def _chosen(file: str | None, there: list[str], path: str, key: str) -> str:
    tables = [one for one in there if PurePosixPath(one).suffix.lower() in _TABLES]
    if file is None and len(tables) == 1:
        return tables[0]
    if file is None:
        example = f"{key}={path}/{(tables or ['train.csv'])[0]}"
        raise InputError(f"{key}={path} holds {listing(tables) or 'no table'}: name one file of it, such as {example}")
    if file not in there:
        raise InputError(f"{key}={path}: there is no {file!r}, it holds {listing(tables)}")
    return file


def _not_fetched(path: str, key: str, reason: str) -> InputError:
    first = (reason.strip().splitlines() or ["no reason given"])[0].rstrip(".")
    return InputError(
        f"{key}={path} cannot be fetched ({first:.200}): check its name and the connection, or download the file by "
        "other means and give its path"
    )
