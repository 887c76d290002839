"""The preparation of a search: the space, the modules, the objective."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search.backbones.base import TRAINS_PUBLISHED, Backbone
from search.backbones.catalog import ModulePlaces
from search.backbones.hub.load import published
from search.backbones.hub.purity import impurity, telling
from search.backbones.of_space import plain_backbones, resolve_backbones
from search.config import Config
from search.datasets import Splits
from search.datasets.content import Content
from search.errors import InputError
from search.job.beforehand import misfit
from search.job.latency import LatencyLimit
from search.models.beside.encoder import ColumnEncoder
from search.models.hypermodel import TextClassifierHyperModel
from search.models.wide.words import Words
from search.run_folder import RunFolder
from search.tuning.objective import make_objective
from spaces import AUTO, TextClassifierSpace, space_from


@dataclass(frozen=True)
class Prepared:
    """The starting point of a search.

    Attributes:
        config: The checked configuration.
        splits: The data.
        objective: KerasTuner's objective.
        backbones: The backbones, by the value of `module`.
        modules: Name of each published module to its folder.
        space: The search space.
        limit: The limit on the time per text.
        plain: Backbones that nothing was learned for, which baselines look through, by their names.
    """

    config: Config
    splits: Splits
    objective: Any
    backbones: Mapping[str, Backbone]
    modules: Mapping[str, Path]
    space: TextClassifierSpace
    limit: LatencyLimit
    plain: Mapping[str, Backbone]


def prepare(
    config: Config,
    ranges: Mapping[str, Any],
    splits: Splits,
    output: Path,
    catalogs: Sequence[Path],
    say: Callable[[str], None],
    known: Mapping[str, str],
) -> Prepared:
    """Fetches the modules and narrows the space to what they allow.

    Args:
        config: The checked configuration.
        ranges: The settings of the space, as ranges.
        splits: The data.
        output: Folder of the run; nothing is written there.
        catalogs: Folders whose `module/*.yaml` name modules.
        say: Called with what is left out of the space.
        known: Paths of modules as the user typed them, to where they led when the run was begun.

    Raises:
        InputError: A module cannot be used, or all of them are too slow.
    """
    texts, content = splits.train.texts, splits.content
    has_views = content.altered is not None
    made = partial(space_from, rows=len(splits.train), text_columns=splits.text_columns, has_views=has_views)
    objective = make_objective(config.objective, splits.target)
    space = made(ranges)
    places = ModulePlaces(config.module, Path(config.paths.modules), catalogs, known)
    backbones = resolve_backbones(space, texts, places)
    _check_content(backbones, content)
    modules = _modules(backbones)
    _check_purity(modules, texts)
    tokens = list(dict.fromkeys(name for backbone in backbones.values() for name in backbone.token_level))
    layered = [name for name, backbone in backbones.items() if backbone.layered]
    if splits.columns and (alone := [name for name, backbone in backbones.items() if not backbone.has_vectors]):
        raise InputError(
            f"space.modules: {alone[0]} is words alone, and takes no dataset.columns beside them: leave it out; words "
            "stand beside a module and the columns with space.wide=[tfidf]."
        )
    if tokens and splits.fold is not None and AUTO in space["sequence_length"].limits:
        raise InputError(
            f"space.sequence_length=auto over {tokens[0]} looks at all rows to learn from, also those that a fold "
            "holds out: with dataset.folds give a number, such as space.sequence_length=64, or take one validation "
            "split by dataset.folds=null."
        )
    space = made(ranges, token_level=tokens, layered=layered)
    limit = LatencyLimit(config.objective.max_ms_per_text, RunFolder(output).latency, splits.train.inputs)
    beside: dict[str, Any] = {"words": Words(texts), "columns": column_encoder(splits)}
    timed = TextClassifierHyperModel(space, backbones, splits.target, config.seed, **beside)
    ranges = limit.narrowed(ranges, timed, say)
    space = made(ranges, token_level=tokens, layered=layered)
    if any(name in space and True in (space[name].options or ()) for name in TRAINS_PUBLISHED):
        frozen = _untrainable(space, backbones)
        if frozen:
            space = made(ranges, untrainable=frozen, token_level=tokens, layered=layered)
            say(f"Searched frozen only, as nothing of them can be trained: {', '.join(frozen)}")
    plain = plain_backbones(content.plain_modules, places)
    return Prepared(config, splits, objective, backbones, modules, space, limit, plain)


def column_encoder(splits: Splits) -> ColumnEncoder | None:
    """The preprocessing of the columns beside the training texts; None where there are none."""
    if not splits.columns:
        return None
    assert splits.train.beside is not None
    return ColumnEncoder(splits.columns, splits.train.beside)


def _modules(backbones: Mapping[str, Backbone]) -> dict[str, Path]:
    return {module.name: module.folder for backbone in backbones.values() for module in backbone.modules}


def _check_content(backbones: Mapping[str, Backbone], content: Content) -> None:
    """Refuses modules of something else than the rows hold."""
    for module in chain.from_iterable(backbone.modules for backbone in backbones.values()):
        if module.content is not content:
            raise misfit(module.name, f"{module.content.name}s", content)


def _untrainable(space: TextClassifierSpace, backbones: Mapping[str, Backbone]) -> list[str]:
    """The modules of a space that cannot be trained."""
    searched = {*space.module_names(), *space.embedding_names()}
    found = [name for option in space["module"].options or () for name in backbones[str(option)].untrainable()]
    return [name for name in dict.fromkeys(found) if name in searched]


def _check_purity(modules: Mapping[str, Path], texts: NDArray[np.object_]) -> None:
    """Checks on a few texts that modules give the same for a text whatever else is in its batch."""
    some = telling(texts)
    # A module can stand in several places.
    for folder, name in {folder: name for name, folder in modules.items()}.items():
        if fault := impurity(published(folder, name), some, f"module {name}"):
            raise InputError(f"module {name} cannot be searched: {fault}.")
