"""JSON Lines: exact values, errors that name the row."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search.datasets.jsonlines import read_json_lines
from search.datasets.named_columns import NamedColumns
from search.datasets.source import Decoding, Source
from search.errors import InputError

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
label = st.none() | st.integers() | st.booleans() | text | st.floats(allow_nan=False)


def read(content: bytes, decoding: Decoding = Decoding("utf-8")):  # noqa: B008 - frozen
    return read_json_lines(
        Source("reviews.jsonl", lambda: io.BytesIO(content)), NamedColumns(("text",), "label"), decoding
    )


@settings(deadline=None)
@given(
    rows=st.lists(st.tuples(st.none() | text, label), min_size=1, max_size=30),
    ascii_only=st.booleans(),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_what_is_written_is_read_back(rows, ascii_only, encoding):
    lines = [json.dumps({"text": text, "label": label}, ensure_ascii=ascii_only) for text, label in rows]
    table = read("\n".join(lines).encode(encoding), Decoding(encoding))
    assert list(table.texts) == [text for text, _ in rows]
    assert [(type(value), value) for value in table.labels] == [(type(value), value) for _, value in rows]
    assert list(table.rows) == list(range(1, len(rows) + 1))


def test_a_field_left_out_is_missing_and_empty_lines_are_no_rows():
    table = read(b'\n{"text": "a", "label": 1}\n\n{"label": 0}\n{"text": "c", "more": [1]}\n')
    assert list(table.texts) == ["a", None, "c"]
    assert list(table.labels) == [1, 0, None]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", ["empty"]),
        (b'{"text": "a", "label": 1}\n{"text": "b"', ["Row 2 ", "not JSON"]),
        (b'[{"text": "a", "label": 1}]', ["Row 1 ", "list", "one object per line"]),
        (b'[\n{"text": "a", "label": 1}]', ["Row 1 ", "one object per line"]),
        (b'{"text": "a", "lable": 1}', ["'label'", "did you mean 'lable'"]),
        (b'{"text": 5, "label": 1}', ["Row 1 ", "dataset.text", "number"]),
        (b'{"text": "a", "label": [1, [2]]}', ["Row 1 ", "dataset.label", "list"]),
        (b'{"text": "a", "label": 1}\n{"text": "\xe9", "label": 1}', ["Row 2 ", "not utf-8", "latin-1"]),
        (b'{"text": "\\ud800", "label": 1}', ["Row 1 ", "surrogate"]),
        (b'{"text": "a", "label": 1}\n{"text": "b", "n": ' + b"7" * 5000 + b"}", ["Row 2 ", "digits"]),
    ],
)
def test_bad_input_is_one_line_that_says_where(content, says):
    with pytest.raises(InputError) as error:
        read(content)
    message = str(error.value)
    assert "\n" not in message
    for part in ["reviews.jsonl", *says]:
        assert part in message


def test_undecodable_bytes_are_replaced_where_asked():
    table = read(b'{"text": "b\xe9b", "label": 1}', Decoding("utf-8", replace=True))
    assert list(table.texts) == ["b�b"]
