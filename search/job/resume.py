"""The configuration of an interrupted run that is resumed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from omegaconf import DictConfig, OmegaConf

from search.config import Config, saved_settings
from search.errors import InputError
from search.run_folder import RunFolder
from search.utils.paths import make_absolute, read_path

# What may change without a trial that has been run becoming another one; of iterations only to more, and an ensemble
# only where none was asked for.
_SECONDS, _ITERATIONS, _ENSEMBLE = "tuner.max_seconds", "tuner.iterations", "ensemble.trials"
_GPUS = "parallel.gpus_per_trial"
_FREE = (
    _SECONDS,
    "features.max_gib",
    "final_refit",
    "tracker",
    "dataset.unlabelled_path",
    "dataset.unlabelled_member",
    "dataset.submission",
    "parallel.workers",
    "parallel.engine",
    "parallel.address",
    "parallel.max_restarts",
    # What they lead to is known by its content.
    "paths.data",
    "paths.modules",
    "paths.features",
)
_DATA = ("dataset.path", "dataset.valid_path", "dataset.test_path")
"""Settings that may change where the run has checksums of its data, which are then compared."""


@dataclass(frozen=True)
class Resumed:
    """A run to resume.

    Attributes:
        config: Its configuration, with those settings of the command line that may change.
        gets_more: Whether the budget of its search was raised: it goes on even where it had ended.
    """

    config: DictConfig
    gets_more: bool


def resumed(node: DictConfig, overrides: Sequence[str]) -> Resumed:
    """The configuration to resume with: the run's own, with those settings of the command line that may change.

    Args:
        node: The configuration that Hydra composed from the command line; `resume` names the run's folder.
        overrides: The overrides of the command line.

    Returns:
        The run to resume; `resume` is set in its configuration.

    Raises:
        InputError: There is no run in the folder, or the command line asks for other settings; it lists them.
    """
    folder = read_path(node.resume, "resume")
    saved = saved_settings(folder, "resume")
    run = RunFolder(folder)
    is_of_earlier = not run.journal.exists() and any(run.trials.glob("trial_*/record.json"))
    if is_of_earlier and not run.summary.exists():
        raise InputError(
            f"resume={folder}: an earlier version (0.1.0 or before) left this run half-way, and kept no journal of "
            "its trials to resume from: start a new run. Its finished trials are in leaderboard.csv."
        )
    for one in (saved, node):
        make_absolute(one, Config)
    OmegaConf.resolve(node)
    free = (*_FREE, *_DATA) if run.inputs.exists() else _FREE
    refused, gets_more = [], False
    for key, then, now in _changes(saved, node, overrides):
        # Two GPUs or more compute batches in parts.
        more = (key == _ITERATIONS and now > then) or (key == _ENSEMBLE and not then)
        if key in free or more or (key == _GPUS and max(then, now) < 2):
            OmegaConf.update(saved, key, now)
            gets_more |= key in (_SECONDS, _ITERATIONS)
        else:
            refused.append(f"{key} was {then}, is {now}")
    if refused:
        raise InputError(
            f"resume={folder}: the run was begun with other settings: {'; '.join(refused)}. Leave them out, or start "
            "a new run."
        )
    saved.resume = str(folder)
    return Resumed(saved, gets_more)


def _changes(saved: DictConfig, node: DictConfig, overrides: Sequence[str]) -> Iterator[tuple[str, Any, Any]]:
    """Key, old and new value of every setting that the overrides change."""
    asked = {override.lstrip("+~").partition("=")[0].partition("@")[0] for override in overrides}
    then, now = dict(_leaves(saved, "")), dict(_leaves(node, ""))
    for key in sorted({*then, *now} - {"resume"}):
        if any(key == prefix or key.startswith(f"{prefix}.") for prefix in asked) and then.get(key) != now.get(key):
            yield key, then.get(key), now.get(key)


def _leaves(node: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    container: Any = OmegaConf.to_container(node) if isinstance(node, DictConfig) else node
    for name, value in container.items():
        key = f"{prefix}.{name}".lstrip(".")
        if isinstance(value, dict) and value:
            yield from _leaves(value, key)
        else:
            yield key, value
