"""What can be told of a run before its data are read and TensorFlow is imported."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, ListConfig, OmegaConf

from search.backbones.catalog import lookup
from search.backbones.resolve import origin
from search.config import Config
from search.errors import InputError
from search.tuning.objective import check_objective
from spaces import TextClassifierSpace

_NAMES_OF_MODULES = ("modules", "embedding", "frozen")


def check_beforehand(
    config: Config, composed: DictConfig, space: TextClassifierSpace, catalogs: Sequence[Path]
) -> None:
    """Checks what would else be found out late, and makes the paths of modules absolute.

    Args:
        config: The checked configuration; its preprocessor is made absolute.
        composed: The same as Hydra composed it, for the run folder; changed likewise.
        space: What may vary.
        catalogs: Folders whose `module/*.yaml` name modules.

    Raises:
        InputError: There is no such objective or module, or a package that a module needs is not installed.
    """
    check_objective(config.objective)
    names = [*space.module_names(), *space.embedding_names()]
    modules = Path(config.paths.modules)
    entries = lookup(names, catalogs, modules)
    paths = {}
    for name in names:
        found = origin(name, entries)
        if isinstance(found, Path) and name not in entries:
            paths[name] = str(found.absolute())
    preprocessor = config.module.preprocessor
    if preprocessor is not None:
        try:
            found = origin(preprocessor, entries)
        except InputError as error:
            raise InputError(f"module.preprocessor={preprocessor}: {error}") from error
        if isinstance(found, Path) and preprocessor not in entries:
            config.module.preprocessor = composed.module.preprocessor = str(found.absolute())
    for name in _NAMES_OF_MODULES:
        key = f"space.{name}"
        if (given := OmegaConf.select(composed, key)) is not None:
            OmegaConf.update(composed, key, _renamed(given, paths))
            config.space[name] = _renamed(given, paths)


def _renamed(given: Any, paths: dict[str, str]) -> Any:
    if isinstance(given, ListConfig):
        return [_renamed(one, paths) for one in given]
    return paths.get(given, given) if isinstance(given, str) else given
