"""Pictures that cannot be used, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from search.config.dataset import DatasetConfig
from search.errors import InputError

if TYPE_CHECKING:
    from search.datasets.table import Table


class Unreadable(Exception):
    """A picture that cannot be used.

    Attributes:
        count: What is counted of it, by its name in `search.datasets.Cleaning`.
    """

    count = "broken"


class TooLarge(Unreadable):
    """A picture of more pixels than may be decoded."""

    count = "oversized"


class MissingFile(Unreadable):
    """A picture that is named and not there."""

    count = "missing_file"


def require_pictures(table: Table, config: DatasetConfig) -> None:
    """Checks that no row lacks its picture where a rule forbids it, and that there are rows with one.

    Args:
        table: The table, and the faults of the rows that are not in it.
        config: Its `missing` is drop or error.

    Raises:
        InputError: A row lacks its picture; the message names the first.
    """
    if not table.faults or (len(table) and config.missing == "drop"):
        return
    forbidden = ", which dataset.missing=error forbids: mend them, or set dataset.missing=drop"
    raise InputError(
        f"{table.source}: {table.faults[0]}, the first of {len(table.faults):,} such pictures"
        f"{forbidden if len(table) else ', and there are no others'}"
    )
