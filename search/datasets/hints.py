"""Hints in error messages: the nearest name, a short list of names."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

from search.errors import InputError

_LISTED = 20


def nearest(name: str, known: Iterable[str]) -> str:
    """`; did you mean 'x'?` with the known name most like `name`; empty where none is close."""
    by_lower = {candidate.lower(): candidate for candidate in known}
    close = difflib.get_close_matches(name.lower(), list(by_lower), n=1, cutoff=0.6)
    return f"; did you mean {by_lower[close[0]]!r}?" if close else ""


def listing(names: Sequence[str]) -> str:
    """Lists names for a message, the first twenty where there are more."""
    shown = ", ".join(repr(name) for name in names[:_LISTED])
    return shown if len(names) <= _LISTED else f"{shown} and {len(names) - _LISTED:,} more"


def require_known(name: object, known: Sequence[str], what: str) -> None:
    """Checks that a name is one of those known.

    Args:
        name: The name as given.
        known: The known names.
        what: Where it was given, such as the configuration key; the message begins with it.

    Raises:
        InputError: It is unknown; the message lists the known names and the nearest.
    """
    if name not in known:
        raise InputError(f"{what}={name} is unknown: expected one of {listing(known)}{nearest(str(name), known)}")


def find_column(columns: Sequence[str], wanted: str, key: str, source: str, header: bool | None = None) -> int:
    """Finds a column by its name; white space around the names in the header does not count.

    Args:
        columns: The names in the header.
        wanted: The name asked for.
        key: The configuration key that asked, `dataset.text` or `dataset.label`.
        source: The file, for the message.
        header: Whether the first row of a CSV is taken for a header; None: it is no CSV.

    Returns:
        The position of the column.

    Raises:
        InputError: There is no such column, or there are two.
    """
    names = [column.strip() for column in columns]
    found = [position for position, name in enumerate(names) if name == wanted.strip()]
    if len(found) == 1:
        return found[0]
    if found:
        raise InputError(f"{source} has {len(found)} columns called {wanted!r} ({key}): rename all but one")
    hint = nearest(wanted, names)
    if len(names) == 1 and header:
        hint += _separator_hint(names[0])
    if header and not hint:
        hint = f"; if these are no names, its first row is no header: set dataset.header=false and a number as {key}"
    if header is False:
        hint = "; without a header they go by their number (dataset.header=false)"
    raise InputError(f"{source} has no column {wanted!r} ({key}): its columns are {listing(names)}{hint}")


def _separator_hint(header: str) -> str:
    """A hint at `dataset.separator` where the header is one long name."""
    for separator, typed in ((";", "';'"), ("\t", r"'\t'"), ("|", "'|'"), (",", "','")):
        if separator in header:
            return f"; if the fields are separated by {separator!r}, set dataset.separator={typed}"
    return ""
