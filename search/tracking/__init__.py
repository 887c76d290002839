"""Callbacks that follow a run: the person's own, and those that report to experiment trackers."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

from search.errors import InputError
from search.tracking.callbacks import Callback

_TRACKERS = {
    "mlflow": ("search.tracking.mlflow", "MlflowTracker"),
    "optuna": ("search.tracking.optuna", "OptunaTracker"),
    "wandb": ("search.tracking.wandb", "WandbTracker"),
}


def trackers(name: str | None) -> list[Callback]:
    """Makes the callback that reports to a tracker.

    Args:
        name: Of the setting `tracker`; None: there is none.

    Raises:
        InputError: Its package is not installed.
    """
    if name is None:
        return []
    if find_spec(name) is None:
        raise InputError(f"tracker={name} needs the package {name}: pip install 'search[{name}]'")
    module, tracker = _TRACKERS[name]
    found: Callback = getattr(import_module(module), tracker)()
    return [found]
