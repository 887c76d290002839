"""The classes that are too rare, or are not in all splits, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from search.datasets import Cleaning
from search.datasets.rare import MERGED

_NAMED = 10


def rows_of(summary: Mapping[str, Any], split: str) -> int:
    """The rows of a split, 0 where there is none; a text with several labels is counted at each of them."""
    counted = summary.get("rows", {}).get(split)
    return int(sum(summary["sizes"].get(split, {}).values()) if counted is None else counted)


def label_text(names: Sequence[str], label: Any) -> str:
    """The name of a label, or the names of several of which a text has those that are 1."""
    if np.ndim(label) == 0:
        return names[int(label)]
    return ", ".join(name for name, has in zip(names, label, strict=False) if has) or "none"


def describe_classes(
    rare: Mapping[str, int], cleaning: Cleaning, unseen: Sequence[str], tested: Mapping[str, int]
) -> str:
    """Describes which classes were too rare, and in which train and test differ; empty where there are none.

    Args:
        rare: Names of the classes that were left out or merged, to their texts in train.
        cleaning: The counts of rows.
        unseen: Names of the classes that only test holds.
        tested: The number of test rows of each class.
    """
    told = []
    if rare:
        texts = [f"{name} ({count:,})" for name, count in rare.items()]
        done = f"merged into {MERGED!r}, {cleaning.merged:,} rows" if cleaning.merged else "left out"
        told.append(f"Classes with too few texts, {done}: {_few(texts)}.")
    if unseen:
        told.append(
            f"{cleaning.unseen_test:,} test rows are of classes that train lacks, and count as errors: {_few(unseen)}."
        )
    if absent := [name for name, count in tested.items() if not count]:
        told.append(f"Classes without a test row, which the test scores say nothing about: {_few(absent)}.")
    return " ".join(told)


def _few(names: Sequence[str]) -> str:
    """Names in a sentence, the first ten where there are more."""
    return ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else "")
