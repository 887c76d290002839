"""Columns that a table lacks are told with the setting that names them."""

import pytest

from search.config.dataset import DatasetConfig
from search.datasets.named_columns import NamedColumns
from search.errors import InputError

NAMES = {"text": ["title", "body"], "columns": ["price"], "split_column": "part", "labels": ["toxic", "insult"]}
ALL = ["title", "body", "toxic", "part", "price", "insult"]


def test_columns_are_found_in_their_order():
    assert NamedColumns.of(DatasetConfig(name="test", **NAMES)).find(ALL[::-1], "a.csv") == [5, 4, 3, 2, 1, 0]


@pytest.mark.parametrize("setting", NAMES)
def test_a_column_that_is_not_there_is_told_with_its_setting(setting):
    named = NamedColumns.of(DatasetConfig(name="test", **NAMES))
    given = NAMES[setting]
    for lacks in [given] if isinstance(given, str) else given:
        with pytest.raises(InputError, match=rf"no column '{lacks}' \(dataset.{setting}\)"):
            named.find([name for name in ALL if name != lacks], "a.csv")


def test_a_single_label_is_told_as_such():
    with pytest.raises(InputError, match=r"\(dataset.label\)"):
        NamedColumns.of(DatasetConfig(name="test", label="stars")).find(["text"], "a.csv")
