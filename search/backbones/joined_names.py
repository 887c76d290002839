"""Names of modules side by side: `use-multilingual+minilm`."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path

from search.errors import InputError
from spaces import TFIDF, UNPUBLISHED

_AND = "+"
_ADDRESS = re.compile(r"\w+://")
_SIZED = re.compile(r"(?P<name>.+)@(?P<size>[1-9]\d{0,3})")


def parts(name: str, known: Collection[str]) -> tuple[str, ...]:
    """Takes a value of `space.modules` apart.

    A name or a folder that holds a + itself is found as it is, an address ends where the next module begins.

    Args:
        name: The value.
        known: The names of the catalog.

    Returns:
        The names of the modules that it joins; of one module its own name alone.

    Raises:
        InputError: It joins what cannot be joined.
    """
    pieces = name.split(_AND)
    if len(pieces) == 1 or _is_there(name, known):
        return (name,)
    found = _taken_apart(pieces, known)
    if found is None:  # the one that is not known is told by its name, where others are
        found = tuple(pieces) if any(_is_there(piece, known) for piece in pieces) else (name,)
    for part in found:
        if len(found) > 1 and part in UNPUBLISHED:
            beside = ": words stand beside any head by space.wide=[tfidf]" if part == TFIDF else ""
            raise InputError(
                f"module {name}: expected published modules to join, but {part} is learned from the training "
                f"texts{beside}."
            )
    check_distinct(name, found)
    return found


def sized(name: str) -> tuple[str, int] | None:
    """The module, and the height and width of its images, of a name such as `efficientnet-lite0@160`; else None."""
    found = _SIZED.fullmatch(name)
    return None if found is None else (found["name"], int(found["size"]))


def check_distinct(name: str, identities: Collection[str]) -> None:
    """Checks that a value of `space.modules` joins no module to itself, by what tells each from all others.

    Raises:
        InputError: Two are the same.
    """
    if len({*identities}) < len(identities):
        raise InputError(f"module {name}: expected different modules to join, but one of them comes twice.")


def _taken_apart(pieces: list[str], known: Collection[str]) -> tuple[str, ...] | None:
    """The names of modules that pieces of a name make up; None where they do not."""
    if not pieces:
        return ()
    ends = range(1, len(pieces) + 1)
    is_address = _ADDRESS.match(pieces[0]) is not None
    # Of folders the longest name, which may hold a +; of an address the shortest that leaves nothing but modules.
    for end in ends if is_address else reversed(ends):
        head = _AND.join(pieces[:end])
        if is_address or _is_there(head, known):
            rest = _taken_apart(pieces[end:], known)
            if rest is not None:
                return (head, *rest)
    return None


def _is_there(name: str, known: Collection[str]) -> bool:
    """Whether a name, without a size of images, is known, or a file or folder."""
    if name in known or name in UNPUBLISHED:
        return True
    if (of_size := sized(name)) is not None and _AND not in of_size[0] and _is_there(of_size[0], known):
        return True
    try:
        return bool(name.strip()) and Path(name).expanduser().exists()
    except (OSError, RuntimeError, ValueError):  # no path at all
        return False
