"""A search from Python, with the settings of the command line."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import ConfigCompositionException
from omegaconf import DictConfig, open_dict

from search.commands.arguments import adding_absent, replacing
from search.commands.cli import explained
from search.commands.search import composing, execute
from search.config import configuration_folder, register
from search.errors import InputError
from search.utils.overrides import literal, readable
from search.utils.paths import absolute_path

if TYPE_CHECKING:  # brings pandas
    from search.inference.finished_run import FinishedRun


def run(
    *settings: str,
    overrides: Mapping[str, Any] | None = None,
    config_dir: str | Path | None = None,
    verbose: bool = False,
) -> FinishedRun:
    """Searches, refits, tests and reports, as `python -m search` does.

    Args:
        settings: As on the command line, `key=value`. `resume=outputs/…` goes on with a run that was interrupted.
        overrides: Settings as a mapping from key to Python value; lists and dicts are ranges of the space.
        config_dir: A folder of the caller's own YAML files, `--config-dir` on the command line.
        verbose: Keep TensorFlow's own log messages.

    Returns:
        The finished run.

    Raises:
        InputError: Something given cannot be used; one line says what and what to do.
        SearchError: Every trial failed.
        KeyboardInterrupt: It was interrupted; the message says how to go on.

    Example:
        >>> overrides = {"tuner.max_epochs": 3, "space.units": [64, 128]}
        >>> run("dataset=csv", "dataset.path=reviews.csv", overrides=overrides)  # doctest: +SKIP
    """
    for setting in settings:
        if not isinstance(setting, str) or setting.startswith("-"):
            raise InputError(f"{setting!r} cannot be read: expected key=value, without flags.")
    with explained():
        words = [*map(readable, settings), *(f"{key}={literal(value)}" for key, value in (overrides or {}).items())]
        with composing():
            node = _composed([part for word in words for part in replacing(word)], config_dir)
        folder, hydra_config = Path(node.hydra.run.dir), node.hydra
        with open_dict(node):
            del node["hydra"]
        output = execute(node, hydra_config, folder, verbose)
    # Imported only now: a mistake in the settings is told without pandas.
    from search.inference.finished_run import load_run

    return load_run(output)


def _composed(words: list[str], config_dir: str | Path | None) -> DictConfig:
    if config_dir is not None:
        folder = absolute_path(config_dir, "config_dir")
        if not folder.is_dir():
            raise InputError(f"config_dir={config_dir}: there is no such folder.")
        words = [f"hydra.searchpath=[{literal(f'file://{folder}')}]", *words]
    register()
    theirs = GlobalHydra.instance().hydra
    try:
        while True:
            GlobalHydra.instance().clear()
            try:
                with initialize_config_dir(str(configuration_folder()), version_base="1.3"):
                    return compose("config", words, return_hydra_config=True)
            except ConfigCompositionException as error:
                words = adding_absent(error, words)
    finally:
        # Whoever else in this process uses Hydra finds it as it was.
        GlobalHydra.instance().hydra = theirs
