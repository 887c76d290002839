"""Seeds that follow from what a trial is, not from when it runs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

# KerasTuner's oracles keep their own state of a trial (epochs, bracket, parent) among its values, under this prefix.
_TUNER_STATE = "tuner/"


def hyperparameter_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """The hyperparameters among a trial's values, without the tuner's own state."""
    return {name: value for name, value in values.items() if not name.startswith(_TUNER_STATE)}


def trial_seed(seed: int, values: Mapping[str, Any]) -> int:
    """The seed of a trial: the same for the same search seed and hyperparameters, in whatever order trials run.

    A promoted trial has its parent's hyperparameters, hence its seed: it goes on with the same stream.

    Args:
        seed: The seed of the search.
        values: The trial's values; the tuner's own state among them does not count.

    Returns:
        A number from 0 to 2**31 - 1.
    """
    identity = json.dumps([seed, hyperparameter_values(values)], sort_keys=True)
    return int.from_bytes(hashlib.blake2b(identity.encode(), digest_size=4).digest()) >> 1
