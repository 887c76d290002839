"""Encoders by name: from Hugging Face's hub, `hf://owner/name`, and from Kaggle, `kaggle://owner/model/framework/name`."""

from __future__ import annotations

import re
from fnmatch import fnmatch
from pathlib import Path

from search.backbones.unpack import LIMIT
from search.errors import InputError
from search.utils.unpacking import GIB

SCHEMES = ("hf://", "kaggle://")
_NAME = re.compile(r"[\w-][\w.-]*/[\w.-]+(@[\w./-]+)?", re.ASCII)
_KAGGLE_NAME = re.compile(r"[\w-]+/[\w.-]+/\w+/[\w.-]+(/\d+)?", re.ASCII)
# The last are those of KerasHub; other files that end in .h5 are the same weights for TensorFlow.
_WANTED = ("*.json", "*.txt", "*.model", "*.safetensors", "*.weights.h5")
_NOT_WANTED = ("onnx/*", "openvino/*", "*.ot")
_TIMEOUT_SECONDS = 30


def fetch_from_hub(handle: str, name: str, max_gib: float | None) -> Path:
    """Fetches a module, unless its files are in the cache of huggingface_hub or kagglehub.

    Args:
        handle: hf://owner/name, perhaps with @revision, or kaggle://owner/model/framework/name, perhaps with /version.
        name: What messages call it.
        max_gib: The limit to what is fetched, in GiB; None: there is none.

    Returns:
        The folder of its files.

    Raises:
        InputError: It cannot be reached, there is no such module, or it is too large.
    """
    scheme = next(one for one in SCHEMES if handle.startswith(one))
    return _FETCH[scheme](handle.removeprefix(scheme), name, max_gib)


def _from_hugging_face(wanted: str, name: str, max_gib: float | None) -> Path:
    if not _NAME.fullmatch(wanted):
        raise InputError(f"module {name}: expected hf://owner/name, perhaps with @revision.")
    try:
        import huggingface_hub
        from huggingface_hub import constants
    except ImportError as error:
        raise InputError(
            f"module {name} needs the package huggingface_hub: pip install 'search[transformers]'"
        ) from error
    owner_and_name, _, revision = wanted.partition("@")
    try:
        size = 0
        if not constants.is_offline_mode():
            info = huggingface_hub.HfApi().model_info(
                owner_and_name, revision=revision or None, files_metadata=True, timeout=_TIMEOUT_SECONDS
            )
            size = sum(one.size or 0 for one in info.siblings or () if _is_wanted(one.rfilename))
    except Exception as error:  # of which type depends on the transport; what is cached serves all the same
        size, reason = 0, str(error).splitlines()[:1]
    else:
        reason = []
    _check_size(size, name, max_gib)
    try:
        return Path(
            huggingface_hub.snapshot_download(
                owner_and_name,
                revision=revision or None,
                allow_patterns=[*_WANTED],
                ignore_patterns=[*_NOT_WANTED],
                local_files_only=bool(reason),
            )
        )
    except Exception as error:  # as above
        raise _not_fetched(name, (reason or [""])[0] or str(error)) from error


def _from_kaggle(wanted: str, name: str, max_gib: float | None) -> Path:
    if not _KAGGLE_NAME.fullmatch(wanted):
        raise InputError(f"module {name}: expected kaggle://owner/model/framework/name, perhaps with /version.")
    try:
        import kagglehub
    except ImportError as error:
        raise InputError(f"module {name} needs the package kagglehub: pip install 'search[transformers]'") from error
    try:
        folder = Path(kagglehub.model_download(wanted))
    except Exception as error:  # of which type depends on the transport
        raise _not_fetched(name, str(error) or type(error).__name__) from error
    _check_size(sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()), name, max_gib)
    return folder


_FETCH = {"hf://": _from_hugging_face, "kaggle://": _from_kaggle}


def _check_size(size: int, name: str, max_gib: float | None) -> None:
    if max_gib is not None and size > max_gib * GIB:
        raise InputError(
            f"module {name} is {size / GIB:.1f} GiB, more than {max_gib:g} GiB, the limit: where it is meant to be so "
            f"large, set {LIMIT} higher (null: no limit)"
        )


def _not_fetched(name: str, reason: str) -> InputError:
    first = (reason.strip().splitlines() or ["no reason given"])[0].rstrip(".")
    return InputError(
        f"module {name} cannot be fetched ({first:.200}): check its name and the connection, or download its files "
        "by other means and give their folder, space.modules=[/path/to/it]"
    )


def _is_wanted(path: str) -> bool:
    return any(fnmatch(path, one) for one in _WANTED) and not any(fnmatch(path, one) for one in _NOT_WANTED)
