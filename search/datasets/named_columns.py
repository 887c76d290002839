"""The columns of a table that settings name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from search.config.dataset import DatasetConfig
from search.datasets.column_kinds import asked_columns
from search.datasets.hints import find_column
from search.datasets.several import label_columns
from search.datasets.text_columns import text_columns
from search.errors import InputError


@dataclass(frozen=True)
class NamedColumns:
    """The columns of a table that are read, in this order.

    Attributes:
        texts: Those of texts.
        label: That of labels; the first of them where there are several.
        split: That of splits; None: there is none.
        beside: Those beside the texts.
        labels: Those of labels after the first.
    """

    texts: tuple[str, ...]
    label: str
    split: str | None = None
    beside: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()

    @classmethod
    def of(cls, config: DatasetConfig) -> Self:
        """Reads the names from the settings.

        Raises:
            InputError: One column is named for two things.
        """
        texts, several = text_columns(config.text), label_columns(config)
        label, taken = (several or (config.label,))[0], [one.strip() for one in texts]
        if label.strip() in taken:
            raise InputError(f"dataset.text and dataset.label are both {label!r}: expected two columns")
        split = config.split_column
        if split is not None and split.strip() in (*taken, label.strip()):
            raise InputError(
                f"dataset.split_column={split} is also the column of texts or labels: expected one of its own"
            )
        return cls(texts, label, split, tuple(asked_columns(config)), several[1:])

    @property
    def others(self) -> tuple[str, ...]:
        """The columns beside the texts, and those of labels after the first."""
        return (*self.beside, *self.labels)

    def setting(self, name: str) -> str:
        """The setting that names a column."""
        several = (self.label, *self.labels) if self.labels else ()
        roles = {"text": self.texts, "labels": several, "label": (self.label,), "columns": self.beside}
        return f"dataset.{next((key for key, names in roles.items() if name in names), 'split_column')}"

    def find(self, columns: Sequence[str], source: str, header: bool | None = None) -> list[int]:
        """Finds the position of each in a table, by the names of all its columns: see `find_column`.

        Raises:
            InputError: There is no such column, or there are two.
        """
        wanted = (*self.texts, self.label, *(() if self.split is None else (self.split,)), *self.others)
        return [find_column(columns, name, self.setting(name), source, header) for name in wanted]
