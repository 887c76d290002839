"""KerasTuner's distribution of a search over a chief and workers, which the tuners here refuse."""

from __future__ import annotations

import os

from search.errors import InputError

_SIGNS = ("KERASTUNER_ORACLE_IP", "KERASTUNER_TUNER_ID")


def refuse_workers() -> None:
    """Refuses to run as a chief or a worker of KerasTuner.

    A worker sees only the chief's oracle: it would remove checkpoints that other workers need, and take a project in
    use for an interrupted one.

    Raises:
        InputError: The environment asks for it.
    """
    for name in _SIGNS:
        if value := os.environ.get(name):
            raise InputError(
                f"{name}={value} is set, but trials here run one after another in one process, since a worker would "
                "delete states that others need: unset the KERASTUNER_ variables, or use keras_tuner's own "
                "tuner. To run several searches in parallel, start processes with a directory each."
            )
