"""Splits that come with the data: named in a column, or made by a published recipe."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from search.config.dataset import DatasetConfig
from search.datasets.clean import Cleaning, stands_in
from search.datasets.hints import listing
from search.datasets.table import SPLITS, Examples, Table
from search.errors import InputError

_SPELLED = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("valid", "validation", "val", "dev", "development"), "valid"),
    **dict.fromkeys(("test", "testing"), "test"),
}


def by_column(table: Table, config: DatasetConfig) -> dict[str, Table]:
    """Divides a table by the column that names each row's split.

    Args:
        table: A table with `splits`.
        config: Its `split_column`, for messages.

    Returns:
        Name of each split to its rows; train is among them.

    Raises:
        InputError: A row names no split or one that is unknown, or no row is in train.
    """
    assert table.splits is not None
    named = [None if value is None else str(value).strip() for value in table.splits]
    found = np.array([_SPELLED.get((name or "").lower(), "") for name in named])
    unknown = np.flatnonzero(found == "")
    where = f"of {table.source} (dataset.split_column={config.split_column})"
    if len(unknown):
        row, name = table.rows[unknown[0]], named[unknown[0]]
        there = f"names the split {name!r}" if name else "names no split"
        raise InputError(
            f"Row {row:,} {where} {there}, the first of {len(unknown):,} such rows: "
            f"expected one of {listing([*_SPELLED])}"
        )
    if not (found == "train").any():
        raise InputError(f"No row {where} is in train: the splits are {listing(sorted(set(found.tolist())))}")
    return {name: table.take(found == name) for name in SPLITS if (found == name).any()}


def by_recipe(examples: Examples, config: DatasetConfig) -> dict[str, Examples]:
    """Repeats a published split step by step, with scikit-learn's own `train_test_split`.

    A step `shuffle` is `frame.sample(frac=1, random_state=…)` of pandas, or `shuffle(…, random_state=…)` of
    scikit-learn. A step `take` is `train_test_split(…)` of the rows that earlier steps left; with `test_size` it takes
    the test side, with `train_size` the train side, and leaves the other.

    Args:
        examples: All rows of the file, in its order.
        config: Its `recipe`, checked.

    Returns:
        The splits that were taken; train is what is left, if no step takes it. Each in the order of the file.

    Raises:
        InputError: A step cannot be done; the message names it.
    """
    from sklearn.model_selection import train_test_split  # takes its time to load

    assert config.recipe is not None
    left: NDArray[np.int64] = np.arange(len(examples))
    taken: dict[str, NDArray[np.int64]] = {}
    for number, step in enumerate(config.recipe):
        if "shuffle" in step:
            left = np.random.RandomState(step["shuffle"]).permutation(left)
            continue
        side = "test_size" if "test_size" in step else "train_size"
        stratify = examples.labels[left] if step.get("stratify") else None
        try:
            train, test = train_test_split(
                left, **{side: step[side]}, random_state=step["random_state"], stratify=stratify
            )
        except ValueError as error:
            reason = str(error).splitlines()[0]
            raise InputError(f"dataset.recipe[{number}] cannot be done with {len(left):,} rows: {reason}") from error
        taken[step["take"]], left = (test, train) if side == "test_size" else (train, test)
    taken.setdefault("train", left)
    return {name: examples.take(np.sort(taken[name])) for name in SPLITS if name in taken}


def settle_shared(
    parts: Mapping[str, Examples], config: DatasetConfig, sources: Mapping[str, str]
) -> tuple[dict[str, Examples], Cleaning]:
    """Drops or refuses texts that are in two splits, as `dataset.shared` says.

    Args:
        parts: The splits that came with the data.
        config: Its `shared`.
        sources: The file of each split, for messages.

    Returns:
        The splits, and the counts of the rows that were dropped.

    Raises:
        InputError: `shared` forbids such texts, or train is left without a row.
    """
    settled = dict(parts)
    counts = Cleaning()
    if config.shared == "keep":
        return settled, counts
    for later, earlier in (("test", "train"), ("test", "valid"), ("valid", "train")):
        if later not in settled or earlier not in settled:
            continue
        lost = stands_in(settled[earlier], [settled[later]])
        if config.shared == "error" and lost.any():
            raise InputError(
                f"Row {settled[earlier].rows[lost][0]:,} of {sources[earlier]} ({earlier}) has a text that is in "
                f"{later} too, the first of {int(lost.sum()):,} such rows, which dataset.shared=error forbids: set "
                "dataset.shared=drop, or keep"
            )
        if lost.all():
            raise InputError(
                f"Every text of {sources[earlier]} ({earlier}) is also in {sources[later]} ({later}): give other "
                "files, or set dataset.shared=keep"
            )
        settled[earlier] = settled[earlier].take(~lost)
        counts += Cleaning(**{f"also_in_{later}": int(lost.sum())})
    return settled, counts


def without_unseen(parts: Mapping[str, Examples], classes: int) -> tuple[dict[str, Examples], Cleaning]:
    """Drops rows of valid that are of a class that train lacks: they say nothing about which trial is the best.

    Args:
        parts: The splits that came with the data.
        classes: Number of classes.

    Raises:
        InputError: Fewer than two classes are left in valid, which then ranks no trials.
    """
    if "valid" not in parts or parts["valid"].labels.ndim == 2:
        return dict(parts), Cleaning()
    known = parts["valid"].labels < classes
    if len(set(parts["valid"].labels[known].tolist())) < 2:
        raise InputError("The validation split that comes with the data must hold two of the classes of train or more")
    return {**parts, "valid": parts["valid"].take(known)}, Cleaning(unseen_valid=int((~known).sum()))


def count_shared(splits: Mapping[str, Examples]) -> Cleaning:
    """Counts the rows of valid (if there is one) and of test whose text is also in an earlier split."""
    valid = [splits["valid"]] if "valid" in splits else []
    return Cleaning(
        shared_valid=sum(int(stands_in(split, [splits["train"]]).sum()) for split in valid),
        shared_test=int(stands_in(splits["test"], [splits["train"], *valid]).sum()),
    )
