"""Checks a data set's configuration before anything is read or downloaded."""

from __future__ import annotations

import math
import re
from dataclasses import fields
from typing import Any

from search.config.dataset import DatasetConfig
from search.datasets.column_kinds import asked_columns
from search.datasets.content import IMAGE
from search.datasets.hints import nearest, require_known
from search.datasets.several import check_several
from search.datasets.table import SPLITS
from search.datasets.text_columns import text_columns
from search.errors import InputError
from search.utils.constraints import check
from spaces import AUTO

_DECLARED = [one.name for one in fields(DatasetConfig) if {"names", "least", "above"} & set(one.metadata)]
"""Settings whose domain the schema says."""
_TAKE = {"take", "test_size", "train_size", "random_state", "stratify"}


def check_config(config: DatasetConfig) -> None:
    """Checks what can be checked without the data.

    Raises:
        InputError: A rule is unknown or a value impossible; the message names the key.
    """
    check({name: getattr(config, name) for name in _DECLARED}, DatasetConfig, "dataset.")
    if config.valid_size is not None:
        _check_size(config.valid_size, "dataset.valid_size")
    _check_size(config.test_size, "dataset.test_size")
    if config.folds not in (None, AUTO) and not (type(config.folds) is int and config.folds >= 2):
        raise InputError(f"dataset.folds={config.folds}: expected 2 or more, auto, or null for one validation split")
    if config.train_size is not None:
        _check_size(config.train_size, "dataset.train_size")
    if not 0 < config.train_fraction <= 1:
        raise InputError(f"dataset.train_fraction={config.train_fraction}: expected a number above 0 and up to 1")
    if config.train_size is not None and config.train_fraction < 1:
        raise InputError("dataset.train_size and dataset.train_fraction are both set: they mean the same, give one")
    _check_ways(config)
    if len(text_columns(config.text)) > 1 and config.content == IMAGE.name:
        raise InputError(f"dataset.text={config.text}: expected one column of pictures (dataset.content=image)")
    asked_columns(config)
    if config.limit is not None and (isinstance(config.limit, bool) or config.limit < 1):
        raise InputError(f"dataset.limit={config.limit}: expected a number of rows, at least 1")
    separator = "," if config.separator in (None, r"\t") else config.separator
    if len(separator) != 1 or not separator.isascii() or separator in '"\r\n\0':
        raise InputError(f"dataset.separator={separator!r}: expected one character, such as ';' or '\\t'")
    if config.classes is not None and len(config.classes) < 2:
        raise InputError(f"dataset.classes={config.classes}: expected two classes or more, or null for all")
    if config.checksum is not None and not re.fullmatch(r"(md5|sha1|sha256|sha512):[0-9a-fA-F]+", config.checksum):
        raise InputError(f"dataset.checksum={config.checksum}: expected sha256:… or md5:…")
    if config.package is not None and not all(part.isidentifier() for part in config.package.split(".")):
        raise InputError(f"dataset.package={config.package}: expected the name that a Python package is imported by")
    _check_submission(config)
    _check_encoding(config.encoding)
    _check_ordered(config)
    if config.label_ranges is not None:
        _check_ranges(config.label_ranges)
    check_several(config)


def _check_submission(config: DatasetConfig) -> None:
    given = config.submission
    if given is None or len(given) == (2 if config.labels is None else 1):
        return
    if config.labels is None:
        raise InputError(f"dataset.submission={given}: expected two names of columns, such as [id,target]")
    raise InputError(
        f"dataset.submission={given}: expected the column of identifiers alone, such as [id], behind which each of "
        "dataset.labels has its own"
    )


def _check_size(size: Any, key: str) -> None:
    number = isinstance(size, int | float) and not isinstance(size, bool)
    if not number or not (0 < size < 1 or (isinstance(size, int) and size >= 1)):
        raise InputError(f"{key}={size}: expected a fraction between 0 and 1 or a whole number of rows from 1 on")


def _check_ways(config: DatasetConfig) -> None:
    """Checks that the splits are given in one way, and the steps of a recipe."""
    files = {"valid_path": config.valid_path, "valid_member": config.valid_member, "test_path": config.test_path}
    files["test_member"] = config.test_member
    ways = [f"dataset.{key}" for key in ("split_column", "recipe") if getattr(config, key) is not None]
    ways += [f"dataset.{key}" for key, value in files.items() if value is not None and ways][:1]
    if len(ways) > 1:
        raise InputError(f"{' and '.join(ways)} are both set, and each makes the splits: give one (others null)")
    taken: list[str] = []
    for number, step in enumerate(config.recipe or []):
        key = f"dataset.recipe[{number}]"
        if not _is_step(step):
            raise InputError(
                f"{key}={step}: expected {{shuffle: 42}} or {{take: test, test_size: 0.1, random_state: 42}}, with "
                "train_size in place of test_size, and stratify: true, where it was so"
            )
        state = step.get("shuffle", step.get("random_state"))
        if not isinstance(state, int) or isinstance(state, bool) or not 0 <= state < 2**32:
            raise InputError(f"{key}: random state {state}: expected a whole number from 0 to {2**32 - 1}")
        if "take" in step:
            require_known(step["take"], [name for name in SPLITS if name not in taken], f"{key}.take")
            if not isinstance(step.get("stratify", False), bool):
                raise InputError(f"{key}.stratify={step['stratify']}: expected true or false")
            _check_size(step.get("test_size", step.get("train_size")), key)
            taken.append(step["take"])


def _is_step(step: Any) -> bool:
    """Whether a step of a recipe has the right keys."""
    if not isinstance(step, dict):
        return False
    keys = set(step)
    return keys == {"shuffle"} or (
        {"take", "random_state"} <= keys <= _TAKE and ("test_size" in keys) != ("train_size" in keys)
    )


def _check_encoding(encoding: str) -> None:
    try:
        b"a".decode(encoding, errors="replace")
    except (LookupError, UnicodeError) as error:
        common = ("utf-8", "latin-1", "cp1252", "utf-16", "ascii", "shift_jis", "gb18030", "cp1251")
        raise InputError(
            f"dataset.encoding={encoding} is unknown: expected one of Python's text encodings, such as utf-8, latin-1 "
            f"or cp1252{nearest(encoding, common)}"
        ) from error


def _check_ordered(config: DatasetConfig) -> None:
    """Checks the order of the classes."""
    given = config.ordered
    if given in (None, False):
        return
    if given is not True and not (isinstance(given, list) and len(given) > 1):
        raise InputError(
            f"dataset.ordered={given}: expected true, where the labels are numbers, or all classes from the lowest to "
            "the highest, such as [poor,fair,good]"
        )
    if config.rare == "merge":
        raise InputError(
            "dataset.rare=merge puts classes into one, which has no place in the order that dataset.ordered asks for: "
            "set dataset.rare=drop"
        )


def _check_ranges(ranges: Any) -> None:
    if not isinstance(ranges, dict) or len(ranges) < 2:
        raise InputError("dataset.label_ranges: expected two classes or more, each with min, max or both")
    for name, bounds in ranges.items():
        key = f"dataset.label_ranges.{name}"
        if not isinstance(bounds, dict) or not bounds:
            raise InputError(f"{key}={bounds}: expected min, max or both, such as {{min: 7}}")
        for bound, value in bounds.items():
            require_known(bound, ("min", "max"), key)
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise InputError(f"{key}.{bound}={value}: expected a number")
        low, high = bounds.get("min", -math.inf), bounds.get("max", math.inf)
        if not low <= high:
            raise InputError(f"{key}: min {low:g} is above max {high:g}")
