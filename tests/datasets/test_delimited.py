"""CSV and TSV: exact fields, strict rows, errors that name the row."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search.datasets.delimited import read_delimited
from search.datasets.dialect import Dialect
from search.datasets.limits import LIMITS, Limits
from search.datasets.named_columns import NamedColumns
from search.datasets.source import Decoding, Source
from search.errors import InputError

# Any character but lone surrogates, which no encoding knows, and NUL, which csv writers of other languages end at.
field = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
UTF8 = Decoding("utf-8")


def read(
    content: bytes, separator: str = ",", decoding: Decoding = UTF8, limits=LIMITS, text="text", label="label", **how
):
    source = Source("reviews.csv", lambda: io.BytesIO(content), limits)
    return read_delimited(source, NamedColumns((text,), label), Dialect(separator, **how), decoding)


def written(rows, separator=",", line_end="\r\n", quoting=csv.QUOTE_MINIMAL) -> str:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, delimiter=separator, lineterminator=line_end, quoting=quoting)
    writer.writerows([("id", "text", "label"), *rows])
    return buffer.getvalue()


@settings(deadline=None)
@given(
    rows=st.lists(st.tuples(field, field), min_size=1, max_size=30),
    separator=st.sampled_from(",;\t|"),
    # With "\n" as its line end Python's writer leaves a lone "\r" unquoted.
    style=st.sampled_from([("\r\n", csv.QUOTE_MINIMAL), ("\r\n", csv.QUOTE_ALL), ("\n", csv.QUOTE_ALL)]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "gb18030"]),
)
def test_what_is_written_is_read_back(rows, separator, style, encoding):
    content = written([("7", *row) for row in rows], separator, *style).encode(encoding)
    table = read(content, separator, Decoding(encoding))
    assert list(table.texts) == [text or None for text, _ in rows]
    assert list(table.labels) == [label or None for _, label in rows]
    assert list(table.rows) == list(range(1, len(rows) + 1))


@settings(deadline=None)
@given(st.text(st.sampled_from('ab",\n\r '), max_size=60))
def test_any_bytes_are_read_as_pythons_own_reader_reads_them_or_refused(body):
    content = f"text,label\n{body}"
    try:
        rows = [row for row in csv.reader(io.StringIO(content, newline=""), strict=True) if row]
    except csv.Error:  # a quote that is never closed, or text behind one
        rows = []
    lines = [line for line in io.StringIO(content, newline="") if not line.isspace()]
    in_two_ways = len(lines) != len(rows) and all(line.count(",") == 1 for line in lines)
    if in_two_ways or len(rows) < 2 or any(len(row) != 2 for row in rows):
        with pytest.raises(InputError):
            read(content.encode())
    else:
        table = read(content.encode())
        pairs = zip(table.texts, table.labels, strict=True)
        assert [list(pair) for pair in pairs] == [[value or None for value in row] for row in rows[1:]]


def test_words_that_other_readers_take_for_missing_stay_texts():
    words = ["NA", "null", "None", "nan", "N/A", "#N/A", "NULL", "-", "1.0", "true", "2020-01-01"]
    table = read(written([(1, word, word) for word in words]).encode())
    assert list(table.texts) == words
    assert list(table.labels) == words


def test_only_empty_fields_are_missing():
    table = read(b'text,label\n,a\n"",b\n ,c\nx,\n')
    assert list(table.texts) == [None, None, " ", "x"]
    assert list(table.labels) == ["a", "b", "c", None]


def test_empty_lines_are_no_rows_and_the_last_line_needs_no_end():
    table = read(b"\n\ntext,label\n\na,0\n\n\nb,1")
    assert list(table.texts) == ["a", "b"]


def test_columns_of_other_names_may_repeat_or_have_none():
    table = read(b", text ,x,x,label\n1,a,2,3,0\n")
    assert (list(table.texts), list(table.labels)) == (["a"], ["0"])


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_rows_and_line_ends_may_fall_between_the_blocks_that_a_file_is_read_in(encoding):
    rows = [(number, "x" * (number % 7) + "\r\n" * (number % 5) + ',"\r', number % 2) for number in range(500)]
    content = written(rows).encode(encoding)
    for block in range(200, 240):
        table = read(content, decoding=Decoding(encoding), limits=Limits(max_row_mib=block / 2**20))
        assert [(text, int(label)) for text, label in zip(table.texts, table.labels, strict=True)] == [
            row[1:] for row in rows
        ]


def test_a_row_longer_than_a_block_of_the_file_system_is_read():
    long = "word " * 200_000
    assert read(written([(1, long, 0), (2, "b", 1)]).encode()).texts[0] == long


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", ["empty"]),
        (b"\n\r\n", ["empty"]),
        (b"\xef\xbb\xbf", ["empty"]),
        (b"text,label\n", ["no rows"]),
        (b"text,label", ["no rows"]),
        (b"text,labl\na,0\n", ["'label'", "'text', 'labl'", "did you mean 'labl'"]),
        (b"Text;Label\na;0\n", ["'text'", "dataset.separator=';'"]),
        (b"text,text,label\na,b,0\n", ["2 columns called 'text'"]),
        (b"text,label\na,0\nb,1,x\nc,2\n", ["Row 2 ", "3 fields", "has 2"]),
        (b'text,label\n"a" b,0\n', ["Row 1 ", "behind a closing quote", "dataset.quoting=none"]),
        (b'text,label\na,0\nb,"1"x\n', ["Row 2 ", "behind a closing quote"]),
        (b'text,label\n"say \\"hi\\" now",0\n', ["Row 1 ", "dataset.quoting=backslash"]),
        (b'text,label\na,0\n"b,1\nc,2\n', ["Row 2 ", "dataset.quoting=none"]),
        (b'"text"x,label\na,0\n', ["header", "behind a closing quote"]),
        (b"the film is good,1\nthis one is bad,0\n", ["'text'", "dataset.header=false"]),
        (b"text,label\na,0\n\nb\nc,2\n", ["Row 2 ", "1 fields", "has 2"]),
        (b'text,label\n"a\nb",0\nc,1,2\n', ["Row 2 ", "3 fields"]),
        (b'text,label\na,0\nb,"1\nc,2\nd,3\n', ["Row 2 ", "never closed"]),
        (b'text,label\na,0\n"b,1\nc,2\nd,3\n', ["Row 2 ", "never closed"]),
        (b"text,label\na,0\nb\xe9,1\n", ["Row 2 ", "not utf-8", "dataset.encoding=latin-1"]),
        (b"text,label\na,0\nb,1\xe9\n", ["Row 2 ", "not utf-8"]),
        (b"t\xe9xt,label\na,0\n", ["header", "not utf-8"]),
        ("text,label\na,0\n".encode("utf-16"), ["header", "dataset.encoding=utf-16"]),
    ],
)
def test_bad_input_is_one_line_that_says_where(content, says):
    with pytest.raises(InputError) as error:
        read(content)
    message = str(error.value)
    assert "\n" not in message
    assert "reviews.csv" in message
    for part in says:
        assert part in message


@pytest.mark.parametrize("encoding", ["ascii", "utf-16", "cp1252"])
def test_bytes_that_are_not_of_another_encoding_are_refused(encoding):
    with pytest.raises(InputError, match=r"dataset\.encoding"):
        read("text,label\né\x81,0\n".encode(), decoding=Decoding(encoding))


def test_undecodable_bytes_are_replaced_where_asked():
    table = read(b"text,label\nb\xe9b,1\n", decoding=Decoding("utf-8", replace=True))
    assert list(table.texts) == ["b�b"]


def test_equal_labels_share_one_object():
    table = read(written([(1, str(row), "a long label") for row in range(100)]).encode())
    assert len({id(label) for label in table.labels}) == 1


MEANT_AS_LETTERS = b'text\tlabel\n"A\t0\nb\t1\n"C\t1\nd\t0\n'


def test_quotes_that_mean_nothing_swallow_no_row():
    with pytest.raises(InputError, match=r"Row 1 .*text behind a closing quote.*dataset\.quoting=none"):
        read(MEANT_AS_LETTERS, "\t")
    table = read(MEANT_AS_LETTERS, "\t", quoting="none")
    assert list(table.texts) == ['"A', "b", '"C', "d"] and list(table.labels) == ["0", "1", "1", "0"]


def test_where_both_readings_fit_the_person_says_which():
    content = b'text\tlabel\n"A\t0\nb\t1\nC"\t1\nd\t0\n'
    with pytest.raises(InputError, match=r"join 5 lines to 3 rows.*quoting=none.*quoting=double"):
        read(content, "\t")
    assert len(read(content, "\t", quoting="none")) == 4
    assert list(read(content, "\t", quoting="double").texts) == ["A\t0\nb\t1\nC", "d"]


@pytest.mark.parametrize(
    "content",
    [
        b'text,label\n"a\nb",0\n"c",1\n',  # the lines are no rows
        b'text,label\n"a,b",0\n"c,1\nd",1\n',  # another row shows that quotes mean something
        b'text,label\n"a",0\n"b",1\n',  # no line is joined
    ],
)
def test_quotes_that_can_mean_but_one_thing_are_read(content):
    assert len(read(content)) == 2


def test_quotes_may_be_letters_in_a_field_without_quotes():
    table = read(b'text,label\n5" disk,0\nsay "hi" now,1\n"a ""b""",0\n')
    assert list(table.texts) == ['5" disk', 'say "hi" now', 'a "b"']


def test_quotes_behind_a_backslash():
    content = b'text,label\n"say \\"hi\\" now, please",0\n"a ""b"" \\\\",1\n'
    assert list(read(content, quoting="backslash").texts) == ['say "hi" now, please', 'a "b" \\']


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_first_line_names_the_separator(encoding):
    content = "sep=;\r\ntext;label\r\na,b;0\r\n".encode(encoding)
    for separator in (",", "\t"):
        assert list(read(content, separator, Decoding(encoding)).texts) == ["a,b"]
    assert list(read(content, ";", Decoding(encoding), is_set=True).texts) == ["a,b"]
    with pytest.raises(InputError, match="Row 1 "):
        read("sep=;\ntext;label\na;0;1\n".encode(encoding), decoding=Decoding(encoding))


def test_without_a_header_columns_go_by_their_number():
    content = b"good,1\nbad,0\n"
    table = read(content, text="1", label="2", header=False)
    assert list(table.texts) == ["good", "bad"] and list(table.rows) == [1, 2]
    with pytest.raises(InputError, match=r"no column '3'.*'1', '2'"):
        read(content, text="3", label="2", header=False)
    with pytest.raises(InputError, match=r"Row 2 .* first row has 2"):
        read(b"good,1\nbad\n", text="1", label="2", header=False)


@pytest.mark.parametrize("quoted", [False, True])
def test_a_row_longer_than_the_limit_is_named(quoted):
    limits = Limits(max_row_mib=0.01)
    long = b'"' + b"x\n" * 9_000 + b'"' if quoted else b"x" * 18_000
    content = b"text,label\n" + b"a,0\n" * 10_000 + long + b",1\n"
    with pytest.raises(InputError, match=r"(Row 10,001|Line 10,002) .*longer than 0\.01 MiB.*dataset\.max_row_mib"):
        read(content, limits=limits)
    assert len(read(content)) == 10_001
