"""The data set's settings of a finished run, used or replaced for other data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args, get_type_hints

from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig, MissingMandatoryValue, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from search.config import configuration_folder, saved_settings
from search.config.dataset import DatasetConfig
from search.datasets.text_columns import text_columns
from search.errors import InputError, nearest
from search.utils.overrides import readable

_KEYS = tuple(one.name for one in fields(DatasetConfig))
_PREFIX = "dataset."
_PARTS = ("test_path", "test_member", "valid_path", "valid_member", "split_column", "recipe")
"""Settings that distinguish the parts of a data set."""
_SPLITTING = (
    *("valid_size", "test_size", "train_size", "train_fraction", "folds", "stratify", "shared", "positive", "columns"),
    *("ordered", *_PARTS[2:]),
)
"""Settings without a meaning here: no row is trained on, and the model knows its positive class, order and columns."""
_ALL_ROWS = {"limit": None, "duplicates": "keep", "conflicts": "keep"}


def run_settings(run: Path) -> DatasetConfig:
    """The data set's settings of a run.

    Args:
        run: Its folder.

    Raises:
        InputError: There is no run, or its configuration is damaged.
    """
    saved = saved_settings(run, "run")
    try:
        config = OmegaConf.to_object(saved.dataset)
    except OmegaConfBaseException as error:
        raise InputError(f"{run}: its configuration is damaged ({str(error).splitlines()[0]}).") from error
    assert isinstance(config, DatasetConfig)
    return config


def setting_of(key: str, given: str) -> Any:
    """Reads the value of a setting that a command takes as it is typed.

    Args:
        key: A setting of `dataset` that is a text, a number, or true or false.
        given: The value as typed.

    Raises:
        InputError: It is of another type.
    """
    default = getattr(DatasetConfig, key)
    if isinstance(default, bool):
        if given.lower() not in ("true", "false"):
            raise InputError(f"{_PREFIX}{key}={given}: expected true or false.")
        return given.lower() == "true"
    if not isinstance(default, float):
        return given
    if given == "null" and type(None) in get_args(get_type_hints(DatasetConfig)[key]):
        return None
    try:
        return float(given)
    except ValueError as error:
        raise InputError(f"{_PREFIX}{key}={given}: expected a number.") from error


def asked_texts(own: DatasetConfig, given: str | None) -> tuple[str, ...]:
    """The columns of texts of a command's input.

    Args:
        own: The settings of the run, whose columns they are unless others are given.
        given: A name as typed, or names in brackets.

    Raises:
        InputError: They name no columns.
        HydraException: They are not of the grammar.
    """
    if not given:
        return text_columns(own.text)
    if not (given.startswith("[") and given.endswith("]")):
        return (given,)
    return text_columns(OverridesParser.create().parse_override(readable(f"{_PREFIX}text={given}")).value())


def other_settings(own: DatasetConfig, name: str | None, overrides: Sequence[str]) -> DatasetConfig:
    """The settings of other data for a run's model.

    Args:
        own: The settings of the run.
        name: A file of conf/dataset that replaces them; None: they stay.
        overrides: `dataset.KEY=VALUE`, as `search` takes them. A path among them makes the run's members and test
            file void.

    Returns:
        The settings. Repeated texts are left out, or a sample (`limit`) is taken, only if the overrides ask for it.

    Raises:
        InputError: There is no such file or key, a value cannot be read, or one is missing.
        HydraException: An override is not of the grammar.
    """
    node = OmegaConf.structured(own if name is None else DatasetConfig)
    assert isinstance(node, DictConfig)
    if name is not None:
        found = OmegaConf.load(_catalogued(name))
        assert isinstance(found, DictConfig)
        # A file that chooses a space besides holds its settings under this key.
        node = OmegaConf.merge(node, found.get("dataset", found))
    parsed = OverridesParser.create().parse_overrides([readable(one) for one in overrides])
    elsewhere = any(override.key_or_group == f"{_PREFIX}path" for override in parsed)
    parts = (*_PARTS, *["member"] * (name is None)) if elsewhere else _PARTS[2:]
    for key, value in {**dict.fromkeys(parts), **_ALL_ROWS}.items():
        OmegaConf.update(node, key, value)
    for override in parsed:
        key = override.key_or_group.removeprefix(_PREFIX)
        if key.partition(".")[0] not in _KEYS:
            raise InputError(
                f"There is no setting '{override.key_or_group}'. "
                f"{nearest(override.key_or_group, [_PREFIX + one for one in _KEYS])}"
            )
        if key in _SPLITTING:
            raise InputError(
                f"{override.key_or_group} is about a run's own splits and model: here each row is evaluated."
            )
        if override.is_sweep_override() or override.is_delete() or override.package is not None:
            raise InputError(f"'{override.input_line}' cannot be used here: expected {_PREFIX}KEY=VALUE.")
        try:
            OmegaConf.update(node, key, override.value(), merge=False)
        except OmegaConfBaseException as error:
            raise InputError(f"{override.key_or_group}: {str(error).splitlines()[0]}.") from error
    try:
        config = OmegaConf.to_object(node)
    except MissingMandatoryValue as error:
        raise InputError(f"{_PREFIX}{error.full_key} must be given, for example {_PREFIX}{error.full_key}=…") from error
    assert isinstance(config, DatasetConfig)
    return config


def _catalogued(name: str) -> Path:
    folder = configuration_folder() / "dataset"
    path = folder / f"{name}.yaml"
    if Path(name).name != name or not path.is_file():
        raise InputError(f"dataset={name} is unknown. {nearest(name, (one.stem for one in folder.glob('*.yaml')))}")
    return path
