"""The errors that end a run without an answer, and the hint for a misspelt name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class InputError(Exception):
    """Unusable input (a setting, a file, its content): the command ends with this one line and exit code 2.

    The message says what was expected, what came, where (file, row, configuration key) and what to do.
    """


class MachineFault(InputError):
    """A failure of the machine (its disk, permissions, network or memory), for which no trial is to blame.

    The run stops; once the machine is mended it goes on where it was.
    """


class CallbackError(InputError):
    """An error in a callback of the person's own, or in a tracker: the run stops, and can be resumed."""


class SearchError(Exception):
    """A run that found no answer, for example since every trial failed: exit code 1."""


def nearest(name: str, names: Iterable[str]) -> str:
    """Says which known name comes nearest to a misspelt one, and which names there are.

    Args:
        name: What was written.
        names: What could have been written.

    Returns:
        A sentence to append to an error message.

    Example:
        >>> nearest("quorra", ["quora", "imdb"])
        "Did you mean 'quora'? There are: imdb, quora."
    """
    known = sorted(names)
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    listed = f"There are: {', '.join(known)}."
    return f"Did you mean '{close[0]}'? {listed}" if close else listed
