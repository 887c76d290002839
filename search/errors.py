"""The two ways in which a run can end without an answer, and the words that help a reader mend a name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class InputError(Exception):
    """What the person gave cannot be used: the command ends with this one line and exit code 2.

    The message says what was expected, what came, where (file, row, configuration key) and what to do.
    """


class MachineFault(InputError):
    """The machine failed (its disk, permissions, network or memory), not what was tried: no trial is to blame for it.

    The run stops; once the machine is mended it goes on where it was.
    """


class SearchError(Exception):
    """The run itself found no answer (every trial failed, say): exit code 1."""


def nearest(name: str, names: Iterable[str]) -> str:
    """Says which known name comes nearest to a misspelt one, and which names there are.

    Args:
        name: What was written.
        names: What could have been written.

    Returns:
        A sentence to end an error message with.

    Example:
        >>> nearest("quorra", ["quora", "imdb"])
        "Did you mean 'quora'? There are: imdb, quora."
    """
    known = sorted(names)
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    listed = f"There are: {', '.join(known)}."
    return f"Did you mean '{close[0]}'? {listed}" if close else listed
