"""Proposes trials and runs them.

`Hyperband` and `HyperbandOracle` are drop-ins for KerasTuner's. The names are imported when they are first used, since
they bring TensorFlow along.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from search.tuning.keras_tuner_adapter import Hyperband
    from search.tuning.oracles.hyperband import HyperbandOracle

__all__ = ["Hyperband", "HyperbandOracle"]

_ROOMS = {"Hyperband": "search.tuning.keras_tuner_adapter", "HyperbandOracle": "search.tuning.oracles.hyperband"}


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return getattr(import_module(_ROOMS[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
