"""The texts that a person asks for predictions of."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import pandas as pd
import yaml
from numpy.typing import NDArray

from search.config.dataset import DatasetConfig
from search.datasets.beside import Column, beside
from search.datasets.content import CONTENTS
from search.datasets.hints import require_known
from search.datasets.in_memory import texts_of
from search.datasets.streamed_rows import find_beside
from search.datasets.text_columns import text_columns
from search.errors import InputError

Texts: TypeAlias = "str | Iterable[str | None] | pd.DataFrame"
_SURROGATE = re.compile("[\ud800-\udfff]")  # half a letter, which UTF-8 cannot hold


@dataclass(frozen=True)
class Asked:
    """Texts to predict for.

    Attributes:
        texts: All of them, as models take them.
        shown: What they are called: texts as they were given, or the names of images.
        at: The positions of those that are not missing.
        index: Their index, where they have one.
    """

    texts: list[Any]
    shown: list[Any]
    at: list[int]
    index: pd.Index[Any] | None

    @property
    def there(self) -> list[str]:
        """The texts that are not missing."""
        return [self.texts[position] for position in self.at]

    @classmethod
    def of(cls, given: Texts, missing: str, settings: DatasetConfig) -> Asked:
        """Reads texts, or whatever else the rows of a run are.

        Args:
            given: The texts.
            missing: keep, or error where none may be missing.
            settings: What the run learned from: names the columns of texts of a DataFrame, and says what they hold.

        Raises:
            InputError: One is no string, or is missing and must not be; a DataFrame lacks a column.
        """
        require_known(missing, ("keep", "error"), "missing")
        if isinstance(given, pd.DataFrame):
            given = texts_of(given, text_columns(settings.text))
        index = given.index if isinstance(given, pd.Series) else None
        if (read := CONTENTS[settings.content].given) is not None:
            shown, rows = read(given, settings)
            return cls._of_rows(rows, shown, index, missing)
        if isinstance(given, Mapping | bytes) or not isinstance(given, Iterable):
            kind = type(given).__name__
            raise InputError(f"texts is of type {kind}: expected a string, a list of strings, a Series or a DataFrame.")
        texts = [given] if isinstance(given, str) else list(given)
        for position, text in enumerate(texts):
            if not _is_missing(text) and (not isinstance(text, str) or _SURROGATE.search(text)):
                raise InputError(f"Text {position} is {text!r:.80}: expected a string of letters, or None.")
        return cls._of_rows(texts, texts, index, missing)

    @classmethod
    def _of_rows(cls, texts: list[Any], shown: list[Any], index: pd.Index[Any] | None, missing: str) -> Asked:
        gone = {position for position, text in enumerate(texts) if _is_missing(text)}
        if gone and missing == "error":
            raise InputError(
                f"Text {min(gone)} is missing ({texts[min(gone)]!r}): expected a string, or missing='keep'."
            )
        return cls(texts, shown, [position for position in range(len(texts)) if position not in gone], index)


def in_pandas(given: Any) -> Any:
    """Tables and columns of other libraries, such as Arrow, Polars and `datasets`, as pandas; all else as it is."""
    return given.to_pandas() if hasattr(given, "to_pandas") else given


def columns_beside(given: Texts, columns: Sequence[Column]) -> NDArray[Any] | None:
    """The columns of a DataFrame that a model takes beside its texts, of all rows; None where it takes none.

    Raises:
        InputError: It is no DataFrame, lacks one of them, or has a value that is none of the column's.
    """
    if not columns:
        return None
    if not isinstance(given, pd.DataFrame):
        names = ", ".join(one.name for one in columns)
        raise InputError(f"The model takes columns as well ({names}): give a DataFrame that has them.")
    places = find_beside([str(name) for name in given.columns], columns, "The DataFrame")
    values = {name: given.iloc[:, place].tolist() for name, place in places.items()}
    return beside(columns, values, range(len(given)), "the DataFrame")


def columns_of_text(given: str, columns: Sequence[Column]) -> NDArray[Any] | None:
    """The columns beside a single text, as they are typed: {brand: acme, price: 3.5}.

    Args:
        given: A mapping in YAML; nothing behind a colon where a column holds nothing.
        columns: The columns that the model takes.

    Raises:
        InputError: It is none, names other columns, or has a value that is none of the column's.
    """
    wanted = ", ".join(f"{one.name}: …" for one in columns)
    try:
        # All of it stays as it is written, as in a table.
        found = yaml.load(given, yaml.BaseLoader)
    except yaml.YAMLError:
        found = None
    if not isinstance(found, dict) or not all(isinstance(one, str) for one in (*found, *found.values())):
        raise InputError(f"columns={given} cannot be read: expected '{{{wanted}}}', with a space behind each colon.")
    names = {one.name for one in columns}
    if set(found) != names:
        raise InputError(
            f"columns={given} names {', '.join(found) or 'nothing'}: "
            + (f"expected '{{{wanted}}}'." if columns else "the model takes no columns.")
        )
    return beside(columns, {name: [value] for name, value in found.items()}, [1], "columns=")


def _is_missing(text: Any) -> bool:
    """Whether there is no text: None, NaN, NA, NaT, or nothing but white space."""
    if isinstance(text, str):
        return not text.strip()
    return text is None or (pd.api.types.is_scalar(text) and bool(pd.isna(text)))
