"""The two ways in which a run can end without an answer."""


class InputError(Exception):
    """What the person gave cannot be used: the command ends with this one line and exit code 2.

    The message says what was expected, what came, where (file, row, configuration key) and what to do.
    """


class SearchError(Exception):
    """The run itself found no answer (every trial failed, say): exit code 1."""
