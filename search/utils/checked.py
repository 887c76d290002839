"""JSON files with a checksum of their content, for those that decisions rest on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from search.errors import InputError
from search.utils.files import write_json

CHECKSUM = "checksum"


def write_checked(path: Path, content: Mapping[str, Any]) -> None:
    """Writes a JSON file whole, with a checksum of its content among it."""
    write_json(path, {**content, CHECKSUM: _checksum(content)}, indent=None)


def read_checked(path: Path) -> dict[str, Any]:
    """Reads a file from `write_checked`, or an earlier version's without a checksum.

    Args:
        path: The file.

    Returns:
        The content, without the checksum.

    Raises:
        InputError: It is damaged, or was changed.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise damaged(path, str(error)) from error
    if not isinstance(content, dict):
        raise damaged(path, f"expected an object, found {type(content).__name__}")
    checksum = content.pop(CHECKSUM, None)
    if checksum is not None and checksum != _checksum(content):
        raise damaged(path, "its checksum is that of another content")
    return content


def damaged(path: Path, why: str) -> InputError:
    """The error to raise over a file of a run that was changed or cut."""
    return InputError(f"{path} is damaged ({why}): restore it from a copy, or start a new run.")


def _checksum(content: Mapping[str, Any]) -> str:
    # NaN counts as the null that it becomes in the file, and a tuple as a list.
    plain = json.loads(json.dumps(content, ensure_ascii=False), parse_constant=lambda name: None)
    text = json.dumps(plain, sort_keys=True, ensure_ascii=False)
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
