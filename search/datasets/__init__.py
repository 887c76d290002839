"""Texts and labels from files, folders, packages and downloads, cleaned and split."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from search.config import DatasetConfig
from search.datasets.check import check_config
from search.datasets.clean import Cleaning, drop_missing, drop_shared, resolve_repeats
from search.datasets.fetch import existing, locate
from search.datasets.labels import LEFT_OUT, encode_labels
from search.datasets.read import is_table_archive, read
from search.datasets.split import Splits, split
from search.datasets.table import Examples, Table
from search.errors import InputError

__all__ = ["Cleaning", "Examples", "Splits", "Table", "load_splits"]


def load_splits(config: DatasetConfig, data: Path, seed: int) -> Splits:
    """Reads a data set, cleans it and splits it.

    Args:
        config: Where it is, how to read, clean and split it.
        data: The folder of downloaded files.
        seed: Of the split: the same seed and rows give the same split.

    Returns:
        The three splits and what cleaning counted, for both files together where the test split has its own.

    Raises:
        InputError: The configuration, a file or its content cannot be used; one line says why and what to do.
    """
    check_config(config)
    if seed < 0:
        raise InputError(f"seed={seed}: expected 0 or more")
    train_table, test_table = _read_files(config, data)
    train_table, cleaning = drop_missing(train_table, config)
    if test_table is not None:
        test_table, counts = drop_missing(test_table, config)
        cleaning += counts
    classes, train_codes, test_codes = encode_labels(train_table, test_table, config)
    examples, counts = _to_examples(train_table, train_codes, config)
    cleaning += counts
    test = None
    if test_table is not None and test_codes is not None:
        test, counts = _to_examples(test_table, test_codes, config)
        examples, shared = drop_shared(examples, test)
        cleaning += counts + shared
        if len(examples) == 0:
            raise InputError(
                f"Every text of {train_table.source} also stands in the test file {test_table.source}, and no text may "
                "stand in both: give another file as dataset.path or dataset.test_path"
            )
    splits = split(examples, test, classes, config, seed)
    return Splits(classes, splits.train, splits.valid, splits.test, cleaning + splits.cleaning)


def _read_files(config: DatasetConfig, data: Path) -> tuple[Table, Table | None]:
    """Reads the table and, where it has a file, a member or a folder of its own, the table of the test split."""
    path = locate(config, data)
    table, test = read(path, config, config.member)
    if config.test_path is not None:
        test, _ = read(existing(config.test_path, "dataset.test_path"), config, config.test_member)
    elif config.test_member is not None and is_table_archive(path, config.format):
        test, _ = read(path, config, config.test_member)
    return table, test


def _to_examples(table: Table, codes: NDArray[np.int64], config: DatasetConfig) -> tuple[Examples, Cleaning]:
    """Keeps the rows of the classes asked for, each text under one label."""
    wanted = codes != LEFT_OUT
    examples = Examples(table.texts[wanted], codes[wanted], table.rows[wanted])
    examples, counts = resolve_repeats(examples, config, table.source)
    return examples, counts + Cleaning(other_class=int((~wanted).sum()))
