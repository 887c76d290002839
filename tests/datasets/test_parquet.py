"""Parquet: exact values of every type that a class can have."""

from __future__ import annotations

import io
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search.datasets.named_columns import NamedColumns
from search.datasets.parquet import read_parquet
from search.datasets.source import Source
from search.errors import InputError

text = st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


def stored(texts, labels, names=("text", "label")) -> bytes:
    buffer = io.BytesIO()
    pyarrow.parquet.write_table(pa.table([pa.array([0] * len(texts)), texts, labels], names=["id", *names]), buffer)
    return buffer.getvalue()


def read(content: bytes):
    return read_parquet(Source("reviews.parquet", lambda: io.BytesIO(content)), NamedColumns(("text",), "label"))


@settings(deadline=None)
@given(
    rows=st.lists(st.tuples(text, text), min_size=1, max_size=30),
    kind=st.sampled_from([pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string())]),
)
def test_what_is_written_is_read_back(rows, kind):
    texts, labels = (pa.array(column, type=pa.string()).cast(kind) for column in zip(*rows, strict=True))
    table = read(stored(texts, labels))
    assert list(table.texts) == [text for text, _ in rows]
    assert list(table.labels) == [label for _, label in rows]
    assert list(table.rows) == list(range(1, len(rows) + 1))


@pytest.mark.parametrize(
    "labels",
    [[1, 0, None], [True, False, None], [1.0, 0.0, None], [Decimal("1.0"), None, Decimal("2.0")], [None, None, None]],
)
def test_labels_of_every_type_are_read(labels):
    table = read(stored(pa.array(["a", "b", "c"]), pa.array(labels)))
    assert [(type(label), label) for label in table.labels] == [(type(label), label) for label in labels]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", ["cannot be read as Parquet"]),
        (b"text,label\na,0\n", ["cannot be read as Parquet"]),
        (stored(pa.array(["a", "b"]), pa.array([0, 1]))[:-20], ["cannot be read as Parquet"]),
        (stored(pa.array([], pa.string()), pa.array([], pa.int64())), ["no rows"]),
        (stored(pa.array([1.5, 2.0]), pa.array([0, 1])), ["'text'", "dataset.text", "double"]),
        (stored(pa.array(["a", "b"]), pa.array([[[0]], [[1]]])), ["'label'", "dataset.label", "list"]),
        (stored(pa.array(["a", "b"]), pa.array([0, 1]), ("review", "label")), ["'text'", "'id', 'review', 'label'"]),
    ],
)
def test_bad_input_is_one_line_that_says_where(content, says):
    with pytest.raises(InputError) as error:
        read(content)
    message = str(error.value)
    assert "\n" not in message
    for part in ["reviews.parquet", *says]:
        assert part in message


def test_lists_of_words_are_texts():
    words = pa.array([["so", "good"], None, [], ["a", None]], pa.list_(pa.string()))
    table = read(stored(words, pa.array(["x", "y", "x", "y"]).dictionary_encode()))
    assert list(table.texts) == ["so good", None, "", "a "] and list(table.labels) == ["x", "y", "x", "y"]
