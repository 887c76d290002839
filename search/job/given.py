"""The data that a run is given from Python, kept in its folder."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from search.datasets.column_kinds import asked_columns
from search.datasets.content import CONTENTS, Content
from search.datasets.several import label_columns
from search.datasets.text_columns import text_columns
from search.errors import InputError
from search.run_folder import RunFolder

NAME = "python"
"""The data set's name, where the person gives it none."""
_FILES = {"data": "train.parquet", "valid": "valid.parquet", "test": "test.parquet"}
_KEYS = {"data": "dataset.path", "valid": "dataset.valid_path", "test": "dataset.test_path"}
_PLACES = ("dataset", *_KEYS.values(), "dataset.format", "dataset.member", "resume")


@dataclass(frozen=True)
class Given:
    """Tables of texts and labels in memory, of the kinds that `search.datasets.in_memory.as_frame` takes.

    Attributes:
        data: All rows, or those of train; None: the settings say where the data are.
        valid: The rows of valid; None: they are taken from `data`.
        test: The rows of test; None: they are taken from `data`.
    """

    data: Any = None
    valid: Any = None
    test: Any = None

    def words(self, words: Sequence[str]) -> list[str]:
        """Adds the settings that the tables need to those of the person.

        Raises:
            InputError: A setting says that the data are elsewhere, or there is no table of train.
        """
        if self.data is None:
            for name in ("valid", "test"):
                if getattr(self, name) is not None:
                    raise InputError(f"{name} is given without data: expected both, or {_KEYS[name]}=… as a setting.")
            return list(words)
        for word in words:
            if (key := word.lstrip("+~").partition("=")[0]) in _PLACES:
                raise InputError(f"data and {key} are both given: expected one of them.")
        return [f"dataset={self._content(words).tables}", f"dataset.name={NAME}", *words]

    def _content(self, words: Sequence[str]) -> Content:
        """The content that a setting names, or that the data are of."""
        named = [word.partition("=")[2] for word in words if word.lstrip("+~").startswith("dataset.content=")]
        if named and named[-1] in CONTENTS:
            return CONTENTS[named[-1]]
        from search.datasets.in_memory import content_given

        return content_given(self.data)

    @contextmanager
    def kept(self, node: DictConfig, folder: Path) -> Iterator[dict[str, str]]:
        """Keeps the tables in the folder of a run while the block runs, and from then on if it began the run.

        Args:
            node: The composed configuration, which gets the paths of the files.
            folder: The run's folder.

        Yields:
            The settings that follow from the tables, by their keys.

        Raises:
            InputError: A table cannot be used.
        """
        if self.data is None:
            yield {}
            return
        # Imported only now: a mistake in the settings is told without pandas.
        from search.datasets.in_memory import as_frame, positive_class, write_table

        texts, label, place = text_columns(node.dataset.text), node.dataset.label, RunFolder(folder).given
        tables = {name: table for name in _FILES if (table := getattr(self, name)) is not None}
        frames = {name: as_frame(table, name, texts[0], label) for name, table in tables.items()}
        if folder.exists() and any(folder.iterdir()):
            raise InputError(f"{folder} already holds files: choose a new folder with hydra.run.dir=…, or remove it.")
        try:
            labels = label_columns(node.dataset) or (label,)
            for name, frame in frames.items():
                path = place / _FILES[name]
                write_table(frame, path, name, texts, labels, node.dataset.content, asked_columns(node.dataset))
                node.dataset[_KEYS[name].partition(".")[2]] = str(path.absolute())
            found = {_KEYS[name]: str((place / _FILES[name]).absolute()) for name in frames}
            if node.dataset.positive is None and (positive := positive_class(self.data, label)) is not None:
                node.dataset.positive = found["dataset.positive"] = positive
            yield found
        except InputError as error:
            if type(error) is not InputError or (folder / ".hydra").is_dir():
                raise
            raise InputError(_by_arguments(str(error), place)) from error
        finally:
            if not (folder / ".hydra").is_dir():
                shutil.rmtree(place, ignore_errors=True)
                remove_if_empty(folder)


def _by_arguments(message: str, place: Path) -> str:
    """A message about files that are gone again, with the names of the arguments that they were made of."""
    for name, file in _FILES.items():
        message = message.replace(str((place / file).absolute()), name)
    return message


def remove_if_empty(folder: Path) -> None:
    """Removes the folder of a run, and its empty parents, if the run ended before it wrote anything."""
    for empty in (folder, *folder.absolute().parents[:2]):
        if empty == Path.cwd() or not empty.is_dir() or any(empty.iterdir()):
            return
        empty.rmdir()
