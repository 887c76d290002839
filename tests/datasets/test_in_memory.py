"""Tables that are given from Python."""

import decimal
import types

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from search.config.dataset import DatasetConfig
from search.datasets.in_memory import as_frame, positive_class, write_table
from search.datasets.read import read
from search.errors import InputError

TEXTS = ["good", None, "bad", "fine"]


def kept(given, path, text="text", label="label"):
    """The texts and labels that the ordinary reader finds in what was kept."""
    write_table(as_frame(given, "data", text, label), path / "data.parquet", "data", [text], [label])
    table, _ = read(path / "data.parquet", DatasetConfig(name="x", text=text, label=label), None)
    return table.texts.tolist(), table.labels.tolist()


class Dataset:
    """The part of a `datasets.Dataset` that is used."""

    def __init__(self):
        self.features = {"label": types.SimpleNamespace(names=["no", "yes"]), "text": None}

    def to_pandas(self):
        return pd.DataFrame({"text": TEXTS, "label": [1, 0, -1, 1]})


@pytest.mark.parametrize(
    "labels, expected",
    [
        ([1, 0, 1, 0], [1, 0, 1, 0]),
        ([True, False, None, True], [True, False, None, True]),
        (["a", "b", None, "a"], ["a", "b", None, "a"]),
        (pd.Categorical(["a", "b", "a", None], categories=["c", "b", "a"]), ["a", "b", "a", None]),
        (pd.array([1, None, 2, 1], dtype="Int64"), [1, None, 2, 1]),
        (pd.array([True, None, False, True], dtype="boolean"), [True, None, False, True]),
        (pd.array(["a", pd.NA, "b", "a"], dtype="string"), ["a", None, "b", "a"]),
        (np.array([1.0, np.nan, 2.0, 1.0]), [1.0, None, 2.0, 1.0]),
        ([1, "a", np.int64(2), None], ["1", "a", "2", None]),
        ([decimal.Decimal(1), decimal.Decimal(2), None, decimal.Decimal(1)], [1, 2, None, 1]),
    ],
)
def test_labels_of_every_kind_are_kept(tmp_path, labels, expected):
    frame = pd.DataFrame({"label": labels, "text": TEXTS}, index=[3, 3, "x", 1])
    assert kept(frame, tmp_path) == (TEXTS, expected)


@pytest.mark.parametrize(
    "texts",
    [
        TEXTS,
        pd.Categorical(TEXTS),
        pd.array(TEXTS, dtype="string"),
        np.array(["good", np.nan, "bad", "fine"], dtype=object),
        ["good", pd.NA, "bad", "fine"],
        ["good", pd.NaT, "bad", "fine"],
    ],
)
def test_texts_of_every_kind_are_kept(tmp_path, texts):
    assert kept(pd.DataFrame({"text": texts, "label": [1, 0, 1, 0]}), tmp_path)[0] == TEXTS
    assert kept((texts, [1, 0, 1, 0]), tmp_path, "words", "stars") == (TEXTS, [1, 0, 1, 0])


def test_what_knows_pandas_and_mappings_are_tables_too(tmp_path):
    assert kept(Dataset(), tmp_path) == (TEXTS, ["yes", "no", None, "yes"])
    assert kept(pa.table({"text": TEXTS, "label": [1, 0, 1, 0]}), tmp_path) == (TEXTS, [1, 0, 1, 0])
    assert kept({"text": TEXTS, "label": pd.Series([1, 0, 1, 0], index=[9, 8, 7, 6])}, tmp_path)[1] == [1, 0, 1, 0]


def test_the_second_of_two_named_classes_is_the_positive_one():
    assert positive_class(Dataset(), "label") == "yes"
    assert positive_class(Dataset(), "text") is None and positive_class(FRAME, "label") is None


def test_other_columns_are_kept_where_they_can_be(tmp_path):
    frame = pd.DataFrame({"text": TEXTS, "label": [1, 0, 1, 0], 5: [1.5, 2, 3, 4], "odd": [object(), 1, {}, "x"]})
    write_table(frame, tmp_path / "data.parquet", "data", ["text"], ["label"])
    assert pd.read_parquet(tmp_path / "data.parquet").columns.tolist() == ["text", "label", "5"]
    mixed = frame.assign(odd=[2, "x", None, 1.5])
    write_table(mixed, tmp_path / "data.parquet", "data", ["text"], ["label"], beside=["odd"])
    assert pd.read_parquet(tmp_path / "data.parquet")["odd"].fillna("-").tolist() == ["2", "x", "-", "1.5"]
    with pytest.raises(InputError, match=r"Row 3 of column 'odd' of data is \{\}"):
        write_table(frame.assign(odd=[2, "x", {}, 1.5]), tmp_path / "data.parquet", "data", [], [], beside=["odd"])


FRAME = pd.DataFrame({"text": TEXTS, "label": [1, 0, 1, 0]})


@pytest.mark.parametrize(
    "given, told",
    [
        (FRAME.rename(columns={"text": "txt"}), r"data has no column 'text' \(text\).*did you mean 'txt'"),
        (FRAME.drop(columns="label"), r"data has no column 'label' \(label\)"),
        (pd.concat([FRAME, FRAME[["text"]]], axis=1), "2 columns called 'text'"),
        (FRAME.iloc[:0], "data has no rows"),
        (FRAME.assign(text=["a", 5, "b", "c"]), "Row 2 of column 'text' of data is 5: expected a text"),
        (FRAME.assign(text=["a", b"b", "b", "c"]), "Row 2 of column 'text' of data is b'b'"),
        ((["a", "\ud800"], [1, 0]), "Row 2"),
        (FRAME.assign(label=[1, [2], 3, 4]), r"Row 2 of column 'label' of data is \[2\]"),
        (FRAME.set_axis(pd.MultiIndex.from_tuples([("a", "text"), ("a", "label")]), axis=1), "2 levels"),
        ((TEXTS, [1, 0]), "different lengths: 4 of 'text', 2 of 'label'"),
        ((TEXTS, np.zeros((4, 2))), "'label' has 2 dimensions"),
        ((TEXTS, iter([1])), "expected a list or an array"),
        (TEXTS, "data is of type list: expected a pandas DataFrame"),
        (FRAME["text"], "data is of type Series: expected"),
        ({"train": FRAME, "test": FRAME}, r"several tables: give one of them, such as data\['train'\]"),
        ({"text": "good", "label": [1]}, "'text' is of type str"),
        (3, "of type int"),
    ],
)
def test_what_cannot_be_used_is_told_in_a_line(tmp_path, given, told):
    with pytest.raises(InputError, match=told) as raised:
        kept(given, tmp_path)
    assert "\n" not in str(raised.value)
    assert list(tmp_path.iterdir()) == []
