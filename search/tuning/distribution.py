"""KerasTuner's way of sharing a search out over a chief and workers, which the tuners here refuse."""

from __future__ import annotations

import os

from search.errors import InputError

_SIGNS = ("KERASTUNER_ORACLE_IP", "KERASTUNER_TUNER_ID")


def refuse_workers() -> None:
    """Refuses to be a chief or a worker of KerasTuner's.

    A worker sees the chief's oracle alone: it would remove checkpoints that trials of other workers are to go on from,
    and take a project that others work in for one of its own that was interrupted.

    Raises:
        InputError: The environment asks for it.
    """
    for name in _SIGNS:
        if value := os.environ.get(name):
            raise InputError(
                f"{name}={value} is set, but trials here run one after another in one process, since a worker would "
                "delete states that others go on from: unset the KERASTUNER_ variables, or use keras_tuner's own "
                "tuner. Several searches side by side are several processes with a directory each."
            )
