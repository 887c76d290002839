"""Labelled texts without splits, to test a trained model on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import numpy as np

from search.config.dataset import DatasetConfig
from search.datasets.beside import Column, beside
from search.datasets.check import check_config
from search.datasets.clean import Cleaning, drop_missing, resolve_repeats
from search.datasets.fetch import existing, locate
from search.datasets.labels import LEFT_OUT, encode_as
from search.datasets.read import is_table_archive, read
from search.datasets.table import Examples, Table, every
from search.errors import InputError


@dataclass(frozen=True)
class Whole:
    """A data set that is not split.

    Attributes:
        examples: Its rows.
        cleaning: The counts of the other rows.
        source: The file or folder, as named in messages.
        of_test: Whether these are the data set's own test part.
        faults: Why other rows have no picture.
    """

    examples: Examples
    cleaning: Cleaning
    source: str
    of_test: bool
    faults: tuple[str, ...] = ()


def load_whole(config: DatasetConfig, data: Path, classes: Sequence[str], columns: Sequence[Column] = ()) -> Whole:
    """Reads and cleans labelled texts without splitting them.

    Args:
        config: Its settings. If it has a test part of its own (a file, a member of an archive, a folder `test`), only
            that is read.
        data: The folder of downloaded files.
        classes: The classes of the model, in its order.
        columns: The columns that it takes beside the texts.

    Raises:
        InputError: The configuration, a file or its content cannot be used, or a label is no class of the model.
    """
    config = replace(config, columns=[column.name for column in columns] or None)
    check_config(config)
    table, of_test = _read(config, data)
    faults = tuple(map(str, table.faults))
    table, cleaning = drop_missing(table, config)
    codes = encode_as(table, classes, config)
    wanted = every(codes != LEFT_OUT)
    if columns and not table.columns:
        raise InputError(f"{table.source} is a folder: the model takes columns beside the texts, {[*config.columns]}")
    values = beside(columns, table.columns, table.rows, table.source)
    examples = Examples(table.texts, codes, table.rows, values, table.names)
    examples = examples.take(wanted)
    examples, counts = resolve_repeats(examples, config, table.source)
    cleaning += counts + Cleaning(other_class=int((~wanted).sum()))
    if len(examples) == 0:
        raise InputError(f"{table.source} has no row of the requested classes.")
    if config.limit is not None and config.limit < len(examples):
        drawn = np.random.default_rng(0).choice(len(examples), config.limit, replace=False)
        cleaning += Cleaning(over_limit=len(examples) - config.limit)
        examples = examples.take(np.sort(drawn))
    return Whole(examples, cleaning, table.source, of_test, faults)


def is_trained_on(config: DatasetConfig, own: DatasetConfig, data: Path) -> bool:
    """Whether a data set is the one that a run was trained on.

    Args:
        config: The settings of the data set.
        own: The run's settings.
        data: The folder of downloaded files.
    """
    try:
        # Where the run's own data is not there any more, it is not fetched for this.
        here, there = (locate(replace(one, url=None, file=_file(one)), data) for one in (config, own))
        members = {PurePosixPath(one.member).name for one in (config, own) if one.member is not None}
        return here.samefile(there) and len(members) < 2
    except InputError:
        return False


def _file(config: DatasetConfig) -> str | None:
    return config.file or (PurePosixPath(config.url).name if config.url else None)


def _read(config: DatasetConfig, data: Path) -> tuple[Table, bool]:
    if config.test_path is not None:
        return read(
            existing(config.test_path, "dataset.test_path", config.max_unpacked_gib), config, config.test_member
        )[0], True
    path = locate(config, data)
    if config.test_member is not None and is_table_archive(path, config):
        return read(path, config, config.test_member)[0], True
    table, others = read(path, config, config.member)
    return (replace(others["test"], left_out=table.left_out), True) if "test" in others else (table, False)
