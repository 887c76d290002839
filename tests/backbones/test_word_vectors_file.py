import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from search.backbones.builders import word_vector_files, word_vectors
from search.backbones.builders.vectors import vocabulary_keys
from search.backbones.builders.word_vector_files import FORMATS
from search.backbones.builders.word_vectors import read_word_vectors
from search.errors import InputError

ROWS = {"the": [0.5, -1.25], "naïve": [3e-5, 2.0], "n't": [0.1, 0.0]}
HEADED = ("word2vec", "word2vec-binary", "fasttext")


def encode(rows, kind, gap=b"\n", count=None):
    """The content of a file; `rows` are pairs of a word, str or bytes, and its numbers."""
    rows = [(word if isinstance(word, bytes) else word.encode(), np.asarray(v, np.float32)) for word, v in rows]
    header = f"{len(rows) if count is None else count} {len(rows[0][1])}\n".encode()
    if kind == "word2vec-binary":
        return header + b"".join(word + b" " + v.astype("<f4").tobytes() + gap for word, v in rows)
    # fastText's own program leaves a space at the end of the line.
    end = b" \n" if kind == "fasttext" else b"\n"
    text = b"".join(word + b" " + b" ".join(str(x).encode() for x in v) + end for word, v in rows)
    return text if kind == "glove" else header + text


@pytest.fixture
def read(tmp_path):
    def run(content, kind="glove", vocabulary=None):
        path = tmp_path / "vectors"
        path.write_bytes(content)
        return read_word_vectors(path, kind, vocabulary, tmp_path)

    return run


def refused(read, *arguments):
    with pytest.raises(InputError) as raised:
        read(*arguments)
    assert "\n" not in str(raised.value)
    return str(raised.value)


words = st.lists(st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=8), min_size=1, max_size=20)
numbers = st.floats(-1024, 1024, width=32)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=words, dimension=st.integers(2, 5), data=st.data())
@pytest.mark.parametrize("kind", FORMATS)
def test_what_was_written_is_read(read, kind, words, dimension, data):
    keys = vocabulary_keys(words)
    rows = [(word, data.draw(st.lists(numbers, min_size=dimension, max_size=dimension))) for word in words]
    table = read(encode(rows, kind, data.draw(st.sampled_from([b"", b"\n"]))), kind)
    expected = {}
    for key, (_, vector) in zip(keys, rows, strict=True):
        expected.setdefault(key, np.array(vector, np.float32))
    assert list(table.words) == list(expected) and None not in expected
    np.testing.assert_array_equal(table.vectors, list(expected.values()))
    np.testing.assert_allclose(table.others, np.mean([v for _, v in rows], axis=0), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("block", [1, 7, 1000])
def test_blocks_do_not_show(read, monkeypatch, kind, block):
    rng = np.random.default_rng(0)
    rows = [(f"w{number}", rng.normal(size=3)) for number in range(50)]
    rows[20] = ("W3", rows[20][1])
    monkeypatch.setattr(word_vectors, "_BLOCK_ROWS", block)
    monkeypatch.setattr(word_vector_files, "_BLOCK", block)
    table = read(encode(rows, kind), kind, 30)
    assert table.words[-1] == "w30" and len(table.words) == 30 and table.rows == 31
    np.testing.assert_allclose(table.others, np.mean([v for _, v in rows[:31]], axis=0), rtol=1e-5)
    assert len(read(encode(rows, kind), kind, 10**6).words) == 49


def test_through_gzip(read):
    whole = gzip.compress(encode(ROWS.items(), "glove"))
    assert read(whole).words == tuple(ROWS)
    assert "incomplete" in refused(read, whole[:-10])
    assert "damaged" in refused(read, whole[:-8] + bytes(8))


def test_the_first_spelling_wins_and_what_no_text_can_meet_is_left_out(read):
    rows = [("Paris", [1, 1]), ("paris", [2, 2]), ("New_York", [3, 3]), (". . .", [4, 4]), ("o\u2019hara", [5, 5])]
    table = read(encode(rows, "glove"))
    assert table.words == ("paris", "o'hara")
    assert table.vectors.tolist() == [[1, 1], [5, 5]] and table.others.tolist() == [3, 3]
    assert table.left_out == (
        "Left out 2 rows: split by the tokenizer (the first is line 3: 'New_York').",
        "Left out 1 rows: another spelling of a word before (the first is line 2: 'paris').",
    )


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (b"short 1.0\n", "line 3: expected a word and 2 numbers, found 1 numbers"),
        (b"long 1.0 2.0 3.0\n", "line 3: expected 2 numbers after the word, found more"),
        (b"1.0 2.0\n", "line 3: expected a word and 2 numbers"),
        (b" 1.0 2.0\n", "line 3: expected a word and 2 numbers, found no word"),
        (b"wrong 1.0 2,0\n", "line 3: expected 2 numbers after the word, found '2,0'"),
        (b"wide 1.0  2.0\n", "line 3: "),
        (b"bad\xff 1.0 2.0\n", r"not UTF-8 (the first is line 3: 'bad\\xff')"),
        (b"much nan 1.0\n", "line 3: "),
        (b"much 1.0 1e39\n", "not finite (the first is line 3: 'much')"),
    ],
)
def test_a_broken_line_is_told_and_left_out(read, line, told):
    table = read(b"a 1.0 2.0\nb 1.0 2.0\n" + line + b"\r\nc 1.0 2.0\r\n")
    assert table.words == ("a", "b", "c")
    assert told in table.left_out[0] and len(table.left_out) == 1
    assert table.others.tolist() == [1, 2]


def test_faults_in_binary_are_counted_by_word(read):
    rows = [("a", [1, 2]), ("b", [np.nan, 2]), (b"\xff", [1, 2]), ("c", [3, 4])]
    table = read(encode(rows, "word2vec-binary"), "word2vec-binary")
    assert table.words == ("a", "c")
    assert "word 2: 'b'" in " ".join(table.left_out) and "word 3: " in " ".join(table.left_out)


def test_many_broken_lines_are_another_format(read):
    sound = encode([(f"w{number}", [1, 2]) for number in range(100)], "glove")
    told = refused(read, sound + b"dimension changes 1 2 3\n" * 11)
    assert "11 unusable rows among 111" in told and "line 101" in told and "word2vec-binary" in told
    assert len(read(sound + b"dimension changes 1 2 3\n" * 10).words) == 100


@pytest.mark.parametrize("kind", HEADED)
def test_a_header_that_disagrees(read, kind):
    rows = list(ROWS.items())
    assert "vocabulary=3" in refused(read, encode(rows, kind, count=4), kind)
    assert "vocabulary=2" in refused(read, encode(rows, kind, count=2), kind)
    assert read(encode(rows, kind, count=2), kind, 2).words == read(encode(rows, kind, count=4), kind, 2).words
    for header in (b"", b"3\n", b"0 2\n", b"3 0\n", b"the 0.1 0.2\n", b"3 999999999\n"):
        assert "line 1" in refused(read, header, kind)


@pytest.mark.parametrize("kind", HEADED)
def test_a_header_with_another_dimension(read, kind):
    content = encode([(f"w{number}", [0.1, 0.2]) for number in range(20)], kind).replace(b"20 2\n", b"20 7\n", 1)
    refused(read, content, kind)


@pytest.mark.parametrize("kind", FORMATS)
def test_a_file_that_ends_too_early(read, kind):
    content = encode([(f"word{number}", [0.125, 0.25]) for number in range(20)], kind)
    assert "incomplete" in refused(read, content[:-7], kind)


@pytest.mark.parametrize(
    ("content", "kind", "told"),
    [
        (b"", "glove", "line 1"),
        (b"\n\n", "glove", "line 1"),
        (b"word\n", "glove", "separated by spaces"),
        (b"the\t0.1\t0.2\n", "glove", "separated by spaces"),
        (b"3 2\nthe 0.1 0.2\n", "glove", "format=word2vec"),
        (encode(ROWS.items(), "word2vec"), "word2vec-binary", "format=word2vec."),
        (b"1000 300\n" + bytes(2**20 + 1), "word2vec", "format=word2vec-binary"),
        (b"1 2\n" + b"x" * 2**17 + b" " + bytes(8), "word2vec-binary", "expected a word"),
        (b"PK\x03\x04", "glove", "unpack it"),
        (b". . 1.0\n", "glove", "line 1"),
        (b"u.s. 1.0\n", "glove", "has no word for the table. Left out 1 rows: split"),
    ],
)
def test_other_files_are_refused(read, content, kind, told):
    assert told in refused(read, content, kind)


def test_a_byte_order_mark_and_no_line_feed_at_the_end(read):
    assert read(b"\xef\xbb\xbfthe 1 2\na 3 4").words == ("the", "a")


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        read_word_vectors(tmp_path / "none", "glove", None, tmp_path)


def test_the_vectors_are_on_disk(read, tmp_path):
    table = read(encode(ROWS.items(), "glove"))
    assert isinstance(table.vectors, np.memmap) and Path(table.vectors.filename).parent == tmp_path
