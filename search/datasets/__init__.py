"""Texts and labels from files, folders, packages and downloads, cleaned and split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from search.config.dataset import DatasetConfig
from search.datasets.beside import Column, beside
from search.datasets.check import check_config
from search.datasets.clean import Cleaning, drop_missing, resolve_repeats
from search.datasets.column_kinds import asked_columns, found_columns
from search.datasets.fetch import existing, locate
from search.datasets.folds import Fold, Subset
from search.datasets.labels import LEFT_OUT, encode_labels
from search.datasets.published import by_column, by_recipe, count_shared, settle_shared, without_unseen
from search.datasets.rare import settle_rare
from search.datasets.read import is_table_archive, read
from search.datasets.several import has_several
from search.datasets.split import split
from search.datasets.splits import Splits
from search.datasets.table import Examples, Table, every
from search.datasets.text_columns import text_columns
from search.errors import InputError

__all__ = ["Cleaning", "Column", "Examples", "Fold", "Splits", "Subset", "Table", "load_splits"]


def load_splits(config: DatasetConfig, data: Path, seed: int) -> Splits:
    """Reads a data set, cleans it and splits it.

    Args:
        config: Its settings: where it is, how to read, clean and split it.
        data: The folder of downloaded files.
        seed: Seed of the split: the same seed and rows give the same split.

    Returns:
        The three splits and the counts of cleaning, over all files together.

    Raises:
        InputError: The configuration, a file or its content cannot be used; one line says why and what to do.
    """
    check_config(config)
    if seed < 0:
        raise InputError(f"seed={seed}: expected 0 or more")
    tables = _read_files(config, data)
    faults = tuple(str(fault) for table in tables.values() for fault in table.faults)
    cleaning = Cleaning()
    for name in tables:
        tables[name], counts = drop_missing(tables[name], config)
        cleaning += counts
    if config.split_column is not None:
        tables = by_column(tables["train"], config)
    train, *others = tables.values()
    columns = found_columns(asked_columns(config), train.columns, train.rows, train.source)
    classes, unseen, codes = encode_labels(train, others, config)
    parts = {}
    for (name, table), its_codes in zip(tables.items(), codes, strict=True):
        parts[name], counts = _to_examples(table, its_codes, columns, config)
        cleaning += counts
    if config.recipe is not None:
        read = len(parts["train"])
        parts = by_recipe(parts["train"], config)
        cleaning += Cleaning(unused=read - sum(map(len, parts.values())))
    sources = {name: tables.get(name, train).source for name in parts}
    parts, counts = settle_shared(parts, config, sources)
    cleaning += counts
    settled = settle_rare(parts, classes, config)
    parts, counts = without_unseen(settled.parts, len(settled.classes))
    splits = split(parts, settled.classes, config, seed)
    cleaning += settled.cleaning + counts + splits.cleaning
    if config.shared == "keep":
        cleaning += count_shared(splits.parts)
    cleaning += Cleaning(unseen_test=int((splits.test.labels >= len(settled.classes)).sum()))
    found: dict[str, Any] = {"unseen": unseen, "columns": columns, "text_columns": len(text_columns(config.text))}
    found["faults"] = faults
    return replace(splits, cleaning=cleaning, rare=settled.rare, ordered=bool(config.ordered), **found)


def _read_files(config: DatasetConfig, data: Path) -> dict[str, Table]:
    """Reads the table of train, and those of valid and test where they have a file, a member or a folder."""
    path = locate(config, data)
    table, others = read(path, config, config.member)
    if config.split_column is not None and table.splits is None:
        raise InputError(f"dataset.split_column={config.split_column}: {table.source} is a folder, it has no columns")
    if config.columns is not None and not table.columns:
        raise InputError(f"dataset.columns={config.columns}: {table.source} is a folder, it has no columns")
    if has_several(config) and path.is_dir():
        raise InputError(f"Several labels per row: {table.source} is a folder, in which a file has one")
    if config.recipe is not None and others:
        raise InputError(
            f"{table.source} has a folder of {' and of '.join(others)}, and dataset.recipe makes the splits: "
            "give one of them"
        )
    tables = {"train": table}
    for name, own, member in (
        ("valid", config.valid_path, config.valid_member),
        ("test", config.test_path, config.test_member),
    ):
        if own is not None:
            tables[name], _ = read(existing(own, f"dataset.{name}_path", config.max_unpacked_gib), config, member)
        elif member is not None and is_table_archive(path, config):
            tables[name], _ = read(path, config, member)
        elif name in others:
            tables[name] = others[name]
    return tables


def _to_examples(
    table: Table, codes: NDArray[Any], columns: Sequence[Column], config: DatasetConfig
) -> tuple[Examples, Cleaning]:
    """Keeps the rows of the requested classes, and handles repeated texts by the rules."""
    wanted = every(codes != LEFT_OUT)
    values = beside(columns, table.columns, table.rows, table.source)
    examples = Examples(table.texts, codes, table.rows, values, table.names).take(wanted)
    examples, counts = resolve_repeats(examples, config, table.source)
    return examples, counts + Cleaning(other_class=int((~wanted).sum()))
