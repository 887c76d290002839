"""Checks of a configuration before data are read and TensorFlow is imported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from itertools import chain
from pathlib import Path

from search.backbones.catalog import Entry, ModulePlaces
from search.backbones.joined_names import parts, sized
from search.backbones.resolve import origin
from search.config import Config
from search.config.tuner import SAMPLERS
from search.datasets.check import check_config
from search.datasets.content import CONTENTS, Content
from search.datasets.several import has_several
from search.errors import InputError
from search.tuning.objective import check_objective
from spaces import TFIDF, UNPUBLISHED, TextClassifierSpace


def check_beforehand(
    config: Config, space: TextClassifierSpace, catalogs: Sequence[Path], known: Mapping[str, str]
) -> dict[str, str]:
    """Checks the objective, the sampler, the modules and their packages, and resolves the paths of modules.

    Args:
        config: The checked configuration.
        space: The search space.
        catalogs: Folders whose `module/*.yaml` name modules.
        known: The result of this function when the run was begun.

    Returns:
        Modules, and a preprocessor, that are named by a path: the name as the user typed it to the absolute path.

    Raises:
        InputError: There is no such objective or module, or a package that is needed is not installed.
    """
    several = has_several(config.dataset)
    check_objective(config.objective, bool(config.dataset.ordered), several)
    if several:
        _check_several(config)
    _check_sampler(config.tuner.sampler)
    names, below, content = space.module_names(), space.embedding_names(), CONTENTS[config.dataset.content]
    _check_words(content, space)
    preprocessor = config.module.preprocessor
    entries = ModulePlaces(config.module, Path(config.paths.modules), catalogs, known).entries([*names, *below])
    joined = {name: parts(name, entries) for name in names}
    _check_packaged([entries[one] for one in chain.from_iterable(joined.values()) if one in entries], content)
    _check_trainable(space, [name for name, several in joined.items() if len(several) > 1])
    found = {name: origin(name, entries) for name in (*chain.from_iterable(joined.values()), *below)}
    if preprocessor is not None:
        try:
            found[preprocessor] = origin(preprocessor, entries)
        except InputError as error:
            raise InputError(f"module.preprocessor={preprocessor}: {error}") from error
    paths = {name: str(place.absolute()) for name, place in found.items() if isinstance(place, Path)}
    listed = {name for name in entries if (of_size := sized(name)) is None or of_size[0] in entries}
    return {**{name: path for name, path in paths.items() if name not in listed}, **known}


def misfit(name: str, takes: str, content: Content) -> InputError:
    """The error about a module of something else than the rows hold.

    Args:
        name: Its name.
        takes: What it takes, in the plural.
        content: What the rows hold.
    """
    return InputError(
        f"space.modules: {name} takes {takes}, and the rows are {content.name}s: leave it out, or set "
        f"space={content.space}."
    )


def _check_packaged(entries: Sequence[Entry], content: Content) -> None:
    """Refuses packaged modules of something else than the rows hold; what others take is known once they are loaded."""
    for entry in entries:
        if entry.source is not None and entry.takes != f"{content.name}s":
            raise misfit(entry.name, entry.takes, content)


def _check_words(content: Content, space: TextClassifierSpace) -> None:
    """Refuses words in a space for rows that have none."""
    if content.has_words:
        return
    asked = [name for name in space["module"].options or () if name in UNPUBLISHED]
    beside = TFIDF in (space["wide"].options or ()) if "wide" in space else False
    if asked or beside:
        key = f"space.modules: {asked[0]}" if asked else f"space.wide: {TFIDF}"
        raise InputError(
            f"{key} is of words, and the rows are {content.name}s: leave it out, or set space={content.space}."
        )


def _check_several(config: Config) -> None:
    """Refuses what is not there for several labels per text."""
    check_config(config.dataset)
    if config.ensemble.trials > 0:
        raise InputError(
            "ensemble.trials is for one label per text, and dataset.labels or label_separator gives it several."
        )


def _check_sampler(sampler: str) -> None:
    """Refuses a sampler whose packages are not installed."""
    if missing := [package for package in SAMPLERS[sampler] if find_spec(package) is None]:
        asked = " ".join(SAMPLERS[sampler]).replace("optuna", "'search[optuna]'")
        raise InputError(f"tuner.sampler={sampler} needs the package {missing[0]}: pip install {asked}")


def _check_trainable(space: TextClassifierSpace, joined: Sequence[str]) -> None:
    """Refuses joined modules in a space that fine-tunes every module."""
    if joined and "trainable" in space and False not in (space["trainable"].options or ()):
        raise InputError(
            f"space.trainable=[true]: {', '.join(joined)} cannot be fine-tuned, being several modules side by side: "
            "allow false in space.trainable, or leave them out."
        )
