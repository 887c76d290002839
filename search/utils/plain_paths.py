"""Paths without characters that TensorFlow takes for a pattern."""

from __future__ import annotations

import atexit
import hashlib
import shutil
import tempfile
from functools import cache
from pathlib import Path

from search.errors import InputError

# Whoever restores a checkpoint looks for its files by a pattern, once in Python and once more in native code, and then
# opens them by their name: no way to write such a path means both.
_OF_PATTERNS = frozenset("*?[]{}\\")


def plain_path(folder: Path) -> Path:
    """Finds a path to a folder that TensorFlow can load from, whatever the folder's name.

    Args:
        folder: Such as `runs [1]/model`.

    Returns:
        `folder` itself, or a symbolic link to it. The link lasts as long as the process, since loaded modules find
        their vocabularies by it.

    Raises:
        InputError: The folder for temporary files has such a name as well.
    """
    absolute = str(folder.absolute())
    if not _OF_PATTERNS & set(absolute):
        return folder
    link = _links() / hashlib.sha256(absolute.encode(errors="surrogateescape")).hexdigest()[:32]
    if not link.is_symlink():
        link.symlink_to(absolute, target_is_directory=True)
    return link


@cache
def _links() -> Path:
    """The folder of the links of this process."""
    links = Path(tempfile.mkdtemp(prefix="search-links-"))
    atexit.register(shutil.rmtree, links, ignore_errors=True)
    if _OF_PATTERNS & set(str(links)):
        raise InputError(
            f"The folder for temporary files, {links.parent}, has one of {' '.join(sorted(_OF_PATTERNS))} in its path, "
            "which TensorFlow takes for a pattern: set TMPDIR to another folder."
        )
    return links
