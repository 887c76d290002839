import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from reviews import make_reviews

from search.backbones.hub import load
from search.backbones.hub.load import published
from search.errors import InputError
from search.features import cache as features
from search.features import passes as feature_pass
from search.features import shared_pass
from search.features import store as feature_store
from search.features.cache import FeatureCache

TEXTS = np.array(make_reviews(60)[0], object)
WORDS = st.sampled_from(["good", "bad", "the film", "", " ", "!", "n't", "日本", "a\0b", "a\0", "é", "word " * 40])


class Observer:
    """Writes down what it is told; interrupts the pass once `stop_at` texts are done."""

    def __init__(self, stop_at=None):
        self.began, self.progress, self.ended = [], [], []
        self.stop_at = stop_at

    def on_pass_begin(self, module, texts, cached):
        self.began.append((module, texts, cached))

    def on_pass_progress(self, done):
        self.progress.append(done)
        if self.stop_at is not None and done >= self.stop_at:
            raise KeyboardInterrupt

    def on_pass_end(self, computed, seconds):
        assert seconds >= 0
        self.ended.append(computed)


class Counting:
    """Stands for a module; counts how often it is given each text."""

    name = "counting"
    dimension = 3

    def __init__(self):
        self.seen = []

    def __call__(self, texts):
        strings = [text.decode() for text in texts.numpy()]
        self.seen.extend(strings)
        return tf.constant([expected(text) for text in strings], tf.float32)


def expected(text):
    return [len(text), sum(map(ord, text)) % 1000 / 7, text.count("o")]


@pytest.fixture
def counting(monkeypatch, tmp_path):
    """A module that counts, and its folder."""
    folder = tmp_path / "module"
    folder.mkdir()
    (folder / "saved_model.pb").write_text("counting")
    module = Counting()
    monkeypatch.setattr(load, "published", lambda folder, name=None: module)
    module.folder = folder
    return module


@pytest.fixture
def small_chunks(monkeypatch):
    """Chunks of 16 texts, in blocks of 8 and batches of 4; progress is told after each."""
    monkeypatch.setattr(feature_pass, "_LARGEST_BATCH", 4)
    for name, value in {"_BLOCK": 8, "_CHUNK_TEXTS": 16, "_PROGRESS_SECONDS": 0}.items():
        monkeypatch.setattr(shared_pass, name, value)


def all_rows(found):
    return found.take(np.arange(len(found)))


def chunk_files(cache):
    return sorted(path for path in cache.glob("*/*.features"))


@settings(deadline=None, max_examples=40)
@given(calls=st.lists(st.lists(WORDS, max_size=12), min_size=1, max_size=4), rows=st.integers(1, 5))
def test_gives_what_the_module_gives_and_computes_a_text_once(word_module, calls, rows):
    module, observer = published(word_module), Observer()
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(shared_pass, "_BLOCK", rows)
        patch.setattr(shared_pass, "_CHUNK_TEXTS", 2 * rows)
        cache, known = FeatureCache(Path(folder)), set()
        for texts in calls:
            found = cache.features(word_module, np.array(texts, object), observer)
            assert (len(found), found.dimension) == (len(texts), 16)
            assert all_rows(found).shape == (len(texts), 16) and all_rows(found).dtype == np.float32
            np.testing.assert_allclose(all_rows(found), module(tf.constant(texts, tf.string)), rtol=1e-5, atol=1e-6)
            assert observer.ended[-1] == len(set(texts) - known)
            assert observer.began[-1] == ("words", len(set(texts)), len(set(texts) & known))
            known |= set(texts)


def test_computes_nothing_twice(counting, small_chunks, tmp_path):
    cache = FeatureCache(tmp_path / "cache")
    for texts in (TEXTS[:20], TEXTS[10:40], np.repeat(TEXTS, 3), TEXTS[::-1]):
        found = all_rows(cache.features(counting.folder, texts))
        np.testing.assert_allclose(found, [expected(text) for text in texts], rtol=1e-6)
    assert sorted(counting.seen) == sorted(TEXTS)


def test_the_same_texts_give_the_same_bits_in_any_order(word_module, small_chunks, tmp_path):
    order = np.random.default_rng(1).permutation(np.repeat(np.arange(len(TEXTS)), 2))
    one = FeatureCache(tmp_path / "one").features(word_module, TEXTS)
    other = FeatureCache(tmp_path / "other").features(word_module, TEXTS[order])
    np.testing.assert_array_equal(one.take(order), all_rows(other))


def test_what_is_known_needs_no_tensorflow(word_module, tmp_path):
    FeatureCache(tmp_path / "cache").features(word_module, TEXTS)
    program = (
        "import sys, numpy; from pathlib import Path; from search.features.cache import FeatureCache\n"
        "module, cache, *texts = sys.argv[1:]\n"
        "found = FeatureCache(Path(cache)).features(Path(module), numpy.array(texts, object))\n"
        "assert found.array().shape == (3, 16) and 'tensorflow' not in sys.modules, sorted(sys.modules)"
    )
    command = [sys.executable, "-c", program, str(word_module), str(tmp_path / "cache"), *TEXTS[[5, 2, 5]]]
    subprocess.run(command, check=True)


def test_a_module_is_known_by_its_content(counting, tmp_path):
    cache, observer = FeatureCache(tmp_path / "cache"), Observer()
    copy = tmp_path / "elsewhere" / "renamed"
    shutil.copytree(counting.folder, copy)
    for folder in (counting.folder, copy):
        cache.features(folder, TEXTS, observer)
    (copy / "saved_model.pb").write_text("changed")
    cache.features(copy, TEXTS, observer)
    FeatureCache(tmp_path / "cache", "float16").features(copy, TEXTS, observer, name="short")
    assert observer.ended == [60, 0, 60, 60]
    assert [name for name, *_ in observer.began] == ["module", "renamed", "renamed", "short"]


def test_tells_how_the_pass_goes(counting, small_chunks, tmp_path):
    observer = Observer()
    FeatureCache(tmp_path / "cache").features(counting.folder, TEXTS, observer)
    assert observer.progress == [*range(4, 61, 4)]
    observer = Observer()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shared_pass, "_PROGRESS_SECONDS", 1000)
        FeatureCache(tmp_path / "other").features(counting.folder, TEXTS, observer)
    assert observer.progress[-1] == 60 and len(observer.progress) <= 2


def test_no_texts_have_a_width(word_module, tmp_path):
    found = FeatureCache(tmp_path / "cache").features(word_module, np.array([], object))
    assert all_rows(found).shape == (0, 16) and found.array().shape == (0, 16)
    assert not (tmp_path / "cache").exists()


def test_an_interrupted_pass_goes_on_where_it_stopped(word_module, small_chunks, tmp_path):
    whole = FeatureCache(tmp_path / "whole").features(word_module, TEXTS)
    cache = FeatureCache(tmp_path / "cache")
    with pytest.raises(KeyboardInterrupt):
        cache.features(word_module, TEXTS, Observer(stop_at=44))
    observer = Observer()
    again = cache.features(word_module, TEXTS, observer)
    # Two chunks of 16 were complete.
    assert observer.began == [("words", 60, 32)] and observer.ended == [28]
    np.testing.assert_array_equal(all_rows(again), all_rows(whole))


@pytest.mark.parametrize(("early", "kept"), [(1000, 32), (0, 44)])
def test_a_slow_pass_is_kept_between_chunks(counting, small_chunks, tmp_path, monkeypatch, early, kept):
    monkeypatch.setattr(shared_pass, "_EARLY_SECONDS", early)
    cache, observer = FeatureCache(tmp_path / "cache"), Observer()
    with pytest.raises(KeyboardInterrupt):
        # Interrupted before the batch that ends with text 48 is kept.
        cache.features(counting.folder, TEXTS, Observer(stop_at=48))
    cache.features(counting.folder, TEXTS, observer)
    assert observer.began[0][2] == kept
    # What was written early has been replaced by the whole chunk, but for the one of the interrupted pass.
    assert len(chunk_files(tmp_path / "cache")) == 2 + (kept > 32) + -(-(60 - kept) // 16)


@pytest.mark.parametrize(("dtype", "mapped_from"), [("float32", 0), ("float16", 0), ("float32", 2**20)])
def test_mapped_features_equal_those_in_memory(word_module, small_chunks, tmp_path, monkeypatch, dtype, mapped_from):
    monkeypatch.setattr(feature_store, "_READ_BYTES", mapped_from)
    cache = FeatureCache(tmp_path / "cache", dtype)
    texts = TEXTS[np.random.default_rng(0).integers(0, 60, 200)]
    held = cache.features(word_module, texts)
    monkeypatch.setattr(features, "MOST_MEMORY", 100)
    mapped = cache.features(word_module, texts)
    assert mapped.array() is None and held.array().flags["C_CONTIGUOUS"] and held.array().dtype == np.float32
    for rows in (np.arange(200), np.array([7, 7, 199, 0]), np.array([], np.int64)):
        assert mapped.take(rows).dtype == np.float32
        np.testing.assert_array_equal(mapped.take(rows), held.take(rows))
    # Files that another process evicts stay readable.
    before = all_rows(mapped)
    shutil.rmtree(tmp_path / "cache")
    np.testing.assert_array_equal(all_rows(mapped), before)


def test_memory_that_is_scarce_is_left_alone(counting, tmp_path, monkeypatch):
    cache = FeatureCache(tmp_path / "cache")
    size = len(TEXTS) * counting.dimension * 4
    for available, held in [(4 * size, True), (4 * size - 4, False)]:
        monkeypatch.setattr(features, "available_memory", lambda available=available: available)
        assert (cache.features(counting.folder, TEXTS).array() is not None) == held


def test_float16_is_near_and_half_the_size(word_module, tmp_path):
    exact = FeatureCache(tmp_path / "full").features(word_module, TEXTS)
    cache = FeatureCache(tmp_path / "half", "float16")
    cold, warm = cache.features(word_module, TEXTS), cache.features(word_module, TEXTS)
    np.testing.assert_allclose(all_rows(cold), all_rows(exact), rtol=2**-10, atol=1e-6)
    np.testing.assert_array_equal(all_rows(cold), all_rows(warm))
    full, half = (chunk_files(tmp_path / name)[0].stat().st_size for name in ("full", "half"))
    assert full - half == 60 * 16 * 2


@pytest.mark.parametrize(("value", "dtype"), [(np.nan, "float32"), (np.inf, "float32"), (1e5, "float16")])
def test_features_that_are_no_numbers_are_refused(counting, small_chunks, tmp_path, monkeypatch, value, dtype):
    bad = "o" * 500
    monkeypatch.setitem(globals(), "expected", lambda text: [value if text == bad else 1.0, 2.0, 3.0])
    cache = FeatureCache(tmp_path / "cache", dtype)
    with pytest.raises(InputError, match=r"module counting .*'ooo") as caught:
        cache.features(counting.folder, np.array([*TEXTS, bad], object))
    assert len(str(caught.value)) < 200 and ("float32" in str(caught.value)) == (dtype == "float16")
    cache.features(counting.folder, TEXTS)
    with pytest.raises(InputError):
        cache.features(counting.folder, np.array([bad], object))


def test_a_batch_too_large_for_memory_is_halved(counting, tmp_path, monkeypatch):
    sizes = []

    def scarce(self, texts):
        sizes.append(len(texts))
        if len(texts) > 10:
            raise tf.errors.ResourceExhaustedError(None, None, "OOM")
        return tf.constant([expected(text.decode()) for text in texts.numpy()], tf.float32)

    monkeypatch.setattr(Counting, "__call__", scarce)
    found = FeatureCache(tmp_path / "cache").features(counting.folder, TEXTS)
    np.testing.assert_allclose(all_rows(found), [expected(text) for text in TEXTS], rtol=1e-6)
    assert sizes[0] == 60 and min(sizes) > 5


@settings(deadline=None)
@given(lengths=st.lists(st.integers(0, 200_000), max_size=60), data=st.data())
def test_batches_hold_each_text_once_and_not_too_much_and_stay_when_others_are_done(lengths, data):
    texts = np.array(["x" * length for length in lengths], object)
    found = feature_pass.batches(texts)
    assert sorted(row for batch in found for row in batch) == list(range(len(texts)))
    for batch in found:
        assert len(batch) == 1 or len(batch) * max(lengths[row] for row in batch) <= 65_536
    left = [batch for batch in found if data.draw(st.booleans())]
    rows = np.sort(np.concatenate([np.zeros(0, np.int64), *left]))
    again = [rows[batch] for batch in feature_pass.batches(texts[rows])]
    assert [list(batch) for batch in again] == [list(batch) for batch in left]


def test_an_unknown_type_is_refused(tmp_path):
    with pytest.raises(InputError, match="float16"):
        FeatureCache(tmp_path, "float61")


def test_a_folder_that_cannot_be_written_is_named(counting, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"features cannot be written to .*file"):
        FeatureCache(tmp_path / "file").features(counting.folder, TEXTS)
