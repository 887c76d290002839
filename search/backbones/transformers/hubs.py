"""Encoders by name, from Hugging Face's hub: `hf://owner/name`."""

from __future__ import annotations

import re
from fnmatch import fnmatch
from pathlib import Path

from search.backbones.unpack import LIMIT
from search.errors import InputError
from search.utils.unpacking import GIB

SCHEME = "hf://"
_NAME = re.compile(r"[\w-][\w.-]*/[\w.-]+(@[\w./-]+)?", re.ASCII)
_WANTED = ("*.json", "*.txt", "*.safetensors")
_NOT_WANTED = ("onnx/*", "openvino/*", "*.ot")
_TIMEOUT_SECONDS = 30


def fetch_from_hub(handle: str, name: str, max_gib: float | None) -> Path:
    """Fetches an encoder, unless its files are in the cache of huggingface_hub.

    Args:
        handle: hf://owner/name, perhaps with @revision.
        name: What messages call it.
        max_gib: The limit to what is fetched, in GiB; None: there is none.

    Returns:
        The folder of its files.

    Raises:
        InputError: It cannot be reached, there is no such encoder, or it is too large.
    """
    wanted = handle.removeprefix(SCHEME)
    if not _NAME.fullmatch(wanted):
        raise InputError(f"module {name}: expected hf://owner/name, perhaps with @revision.")
    try:
        import huggingface_hub
    except ImportError as error:
        raise InputError(
            f"module {name} needs the package huggingface_hub: pip install 'search[transformers]'"
        ) from error
    owner_and_name, _, revision = wanted.partition("@")
    try:
        size = 0
        if not huggingface_hub.constants.is_offline_mode():
            info = huggingface_hub.HfApi().model_info(
                owner_and_name, revision=revision or None, files_metadata=True, timeout=_TIMEOUT_SECONDS
            )
            size = sum(one.size or 0 for one in info.siblings or () if _is_wanted(one.rfilename))
    except Exception as error:  # of which type depends on the transport; what is cached serves all the same
        size, reason = 0, str(error).splitlines()[:1]
    else:
        reason = []
    if max_gib is not None and size > max_gib * GIB:
        raise InputError(
            f"module {name} is {size / GIB:.1f} GiB, more than {max_gib:g} GiB, the limit: where it is meant to be so "
            f"large, set {LIMIT} higher (null: no limit)"
        )
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
        told = (reason or str(error).splitlines()[:1] or [type(error).__name__])[0].rstrip(".")
        raise InputError(
            f"module {name} cannot be fetched ({told:.200}): check its name and the connection, or download its files "
            "by other means and give their folder, space.modules=[/path/to/it]"
        ) from error


def _is_wanted(path: str) -> bool:
    return any(fnmatch(path, one) for one in _WANTED) and not any(fnmatch(path, one) for one in _NOT_WANTED)
