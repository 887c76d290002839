"""The fast look at quotes never overlooks one that is out of place."""

from __future__ import annotations

import csv
import io

from hypothesis import given, settings
from hypothesis import strategies as st

from search.datasets.quotes import Quotes


def looked_at(content: bytes, size: int, separator: str = ",") -> Quotes:
    quotes = Quotes(separator)
    for begin in range(0, len(content), size):
        quotes.see(content[begin : begin + size])
    return quotes


@settings(deadline=None, max_examples=500)
@given(st.text(st.sampled_from('ab",\n\r '), max_size=40), st.integers(1, 50))
def test_what_python_refuses_is_out_of_place_wherever_pieces_end(text, size):
    quotes = looked_at(text.encode(), size)
    assert quotes.found is ('"' in text) or not quotes.in_place
    try:
        list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        assert not quotes.in_place or "expected after" not in str(error)


def test_a_well_kept_file_needs_no_second_look():
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerows([(f'{number} "', "a,b\nc", '"', "", "plain") for number in range(200)])
    content = b"\xef\xbb\xbf" + buffer.getvalue().encode()
    for size in (3, 7, 4096):
        assert looked_at(content, size).in_place


def test_quotes_as_letters_do():
    for content in (b'5" disk,0\n', b'a "b" c\n', b'"a"b\n', b'x,"a" ,1\n'):
        assert not looked_at(content, 3).in_place
