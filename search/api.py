"""A search from Python, with the settings of the command line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
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
from search.job.given import Given
from search.job.run import Audience
from search.utils.overrides import columns_given, literal, readable, require_mapping
from search.utils.paths import absolute_path
from spaces import settings_of

if TYPE_CHECKING:  # brings pandas
    from search.inference.finished_run import FinishedRun


def run(
    data: Any = None,
    *settings: str,
    text: str | Sequence[str] | None = None,
    label: str | Sequence[str] | None = None,
    valid: Any = None,
    test: Any = None,
    space: Any = None,
    callbacks: Sequence[Any] = (),
    overrides: Mapping[str, Any] | None = None,
    config_dir: str | Path | None = None,
    quiet: bool = False,
    verbose: bool = False,
) -> FinishedRun:
    """Searches, refits, tests and reports, as `python -m search` does.

    Args:
        data: The texts and their labels: a pandas DataFrame, a `datasets.Dataset`, a mapping of columns, or a pair
            (texts, labels) of lists or arrays. They are kept in the run's folder, so that the run can be resumed. Left
            out where the settings name a file or a data set.
        settings: As on the command line, `key=value`. `resume=outputs/…` goes on with a run that was interrupted.
        text: The column of the texts, `dataset.text`, or a list of columns, whose texts become one.
        label: The column of the labels, `dataset.label`; where a text has several a list of columns of 0 and 1,
            `dataset.labels`.
        valid: The validation split, of the same kinds as `data`; None: it is taken from `data`.
        test: The test split, likewise.
        space: What may vary: a `spaces.TextClassifierSpace`, a subclass of it, or a mapping from setting to range.
        callbacks: Objects with methods of `search.Callback`, which follow the run.
        overrides: Settings as a mapping from key to Python value; lists and dicts are ranges of the space.
        config_dir: A folder of the caller's own YAML files, `--config-dir` on the command line.
        quiet: Print nothing.
        verbose: Keep TensorFlow's own log messages.

    Returns:
        The finished run.

    Raises:
        InputError: Something given cannot be used; one line says what and what to do.
        CallbackError: A callback failed; the message says how to go on.
        SearchError: Every trial failed.
        KeyboardInterrupt: It was interrupted; the message says how to go on.

    Example:
        >>> overrides = {"tuner.max_epochs": 3, "space.units": [64, 128]}
        >>> run(frame, text="review", label="stars", overrides=overrides)  # doctest: +SKIP
        >>> run("dataset=csv", "dataset.path=reviews.csv", overrides=overrides)  # doctest: +SKIP
    """
    if isinstance(data, str):
        settings, data = (data, *settings), None
    for setting in settings:
        if not isinstance(setting, str) or setting.startswith("-"):
            raise InputError(f"{setting!r:.80} cannot be read: expected key=value, without flags.")
    require_mapping(overrides or {}, "overrides")
    with explained():
        words = [
            *columns_given(text, label),
            *_of_space(space),
            *map(readable, settings),
            *(f"{key}={literal(value)}" for key, value in (overrides or {}).items()),
        ]
        held = Given(data, valid, test)
        with composing():
            node = _composed([part for word in held.words(words) for part in replacing(word)], config_dir)
        folder, hydra_config = Path(node.hydra.run.dir), node.hydra
        with open_dict(node):
            del node["hydra"]
        with held.kept(node, folder) as paths:
            hydra_config.overrides.task.extend([f"{key}={literal(path)}" for key, path in paths.items()])
            output = execute(node, hydra_config, folder, Audience(verbose, quiet, callbacks))
    # Imported only now: a mistake in the settings is told without pandas.
    from search.inference.finished_run import load_run

    return load_run(output)


def _of_space(space: Any) -> Iterator[str]:
    """The settings of a space that is given as an object."""
    ranges = {} if space is None else settings_of(space)
    if "_target_" in ranges:
        yield "space=class"
    yield from (f"space.{name}={literal(value)}" for name, value in ranges.items())


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
