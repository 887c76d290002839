"""What features.py promises of its folder: damage is found, the limit holds, processes may share it or be killed."""

import itertools
import logging
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from search.features import passes as feature_pass
from search.features import shared_pass
from search.features import store as feature_store
from search.features.cache import FeatureCache
from search.features.store import Shelf

TEXTS = np.array([f"text {i} {'o' * (i % 7)}" for i in range(32)], object)
# Keys, values and header of a chunk of 16 texts, 3-d.
CHUNK_BYTES = 32 + 16 * (16 + 3 * 4)

COMPUTED = []


def vectors(texts):
    return np.array([[len(text), zlib.crc32(text.encode()) % 1000, 1] for text in texts], np.float32).reshape(-1, 3)


def embed(folder, name, texts, dtype, batches):
    """A pass without a module, and so without TensorFlow; counts what it computes."""
    for batch in batches:
        COMPUTED.extend(texts[batch])
        yield batch, vectors(texts[batch]).astype(dtype)


def numbered(numbers):
    return np.array([f"text {number}" for number in numbers], object)


# Chunks of 16 texts; progress is told after each batch of 4.
SMALL = {
    feature_pass: {"_LARGEST_BATCH": 4, "embed": embed},
    shared_pass: {"_BLOCK": 8, "_CHUNK_TEXTS": 16, "_PROGRESS_SECONDS": 0},
}


@pytest.fixture
def module(tmp_path, monkeypatch):
    """A module's folder; its features are those of `vectors`, in small chunks that are mapped all the same."""
    monkeypatch.setattr(feature_store, "_READ_BYTES", 0)
    for place, values in SMALL.items():
        for name, value in values.items():
            monkeypatch.setattr(place, name, value)
    folder = tmp_path / "module"
    folder.mkdir()
    (folder / "saved_model.pb").write_text("module")
    return folder


def check(cache, module, texts, computed_now=None, observer=None):
    """The features are right, and `computed_now` texts were computed for them."""
    before = len(COMPUTED)
    found = cache.features(module, texts, observer)
    np.testing.assert_array_equal(found.array(), vectors(texts))
    if computed_now is not None:
        assert len(COMPUTED) - before == computed_now


def chunk_files(cache):
    return sorted(path for path in Path(cache).glob("*/*.features") if not path.name.startswith("."))


def age(path, days):
    """Makes a chunk one that was used some days ago."""
    used = time.time() - days * 86_400
    os.utime(path, (used, used))


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(position=st.integers(0, CHUNK_BYTES - 1), mask=st.integers(1, 255))
@example(position=8, mask=1)  # rows
@example(position=40, mask=128)  # a key
@example(position=CHUNK_BYTES - 1, mask=1)  # a value
def test_any_flipped_byte_is_found(module, tmp_path, caplog, position, mask):
    shutil.rmtree(tmp_path / "cache", ignore_errors=True)
    check(FeatureCache(tmp_path / "cache"), module, TEXTS, 32)
    path = chunk_files(tmp_path / "cache")[0]
    content = bytearray(path.read_bytes())
    assert len(content) == CHUNK_BYTES
    content[position] ^= mask
    path.write_bytes(content)
    caplog.clear()
    check(FeatureCache(tmp_path / "cache"), module, TEXTS, 16)
    assert [record.levelno for record in caplog.records] == [logging.WARNING] and str(path) in caplog.text
    assert not path.exists()
    check(FeatureCache(tmp_path / "cache"), module, TEXTS, 0)


@pytest.mark.parametrize("size", [0, 7, 32, 100, CHUNK_BYTES - 1, CHUNK_BYTES + 1])
def test_a_file_of_another_length_is_found(module, tmp_path, caplog, size):
    check(FeatureCache(tmp_path / "cache"), module, TEXTS, 32)
    path = chunk_files(tmp_path / "cache")[1]
    os.truncate(path, size)
    check(FeatureCache(tmp_path / "cache"), module, TEXTS, 16)
    assert str(path) in caplog.text and not path.exists()


def test_damage_in_features_that_are_not_asked_for_is_left(module, tmp_path, caplog):
    cache = FeatureCache(tmp_path / "cache")
    check(cache, module, TEXTS[:16], 16)
    path = chunk_files(tmp_path / "cache")[0]
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    check(FeatureCache(tmp_path / "cache"), module, TEXTS[16:], 16)
    assert path.exists() and not caplog.text


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_the_least_recently_used_leave_first(module, tmp_path, order):
    parts = [numbered(range(16 * part, 16 * part + 16)) for part in range(5)]
    for texts in parts[:4]:
        check(FeatureCache(tmp_path / "cache"), module, texts, 16)
    paths = chunk_files(tmp_path / "cache")
    for days, part in enumerate(reversed(order), start=1):
        age(paths[part], days)
    # The oldest is used again; so the next two leave to make room for the fifth.
    cache = FeatureCache(tmp_path / "cache", max_bytes=4 * CHUNK_BYTES)
    check(cache, module, parts[order[0]][:1], 0)
    cache = FeatureCache(tmp_path / "cache", max_bytes=3 * CHUNK_BYTES)
    check(cache, module, parts[4], 16)
    assert [part for part in range(4) if not paths[part].exists()] == sorted(order[1:3])


def test_of_two_chunks_with_the_same_texts_the_older_is_used(module, tmp_path):
    check(FeatureCache(tmp_path / "cache"), module, TEXTS[:16], 16)
    older = chunk_files(tmp_path / "cache")[0]
    newer = older.with_name(f"1{older.name}")
    shutil.copy(older, newer)
    for path in (older, newer):
        age(path, 1)
    check(FeatureCache(tmp_path / "cache"), module, TEXTS[:16], 0)
    assert time.time() - older.stat().st_mtime < 3600 < time.time() - newer.stat().st_mtime


def test_chunks_of_wide_features_have_fewer_texts(module, tmp_path, monkeypatch):
    monkeypatch.setattr(shared_pass, "_CHUNK_BYTES", 2 * 4 * 3 * 4)
    check(FeatureCache(tmp_path / "cache"), module, TEXTS, 32)
    assert len(chunk_files(tmp_path / "cache")) == 4
    check(FeatureCache(tmp_path / "cache"), module, TEXTS, 0)


def test_has_room_for_what_is_within_the_limit(tmp_path):
    assert FeatureCache(tmp_path, max_bytes=24).has_room(2, 3) and FeatureCache(tmp_path, max_bytes=None).has_room(9, 9)
    assert not FeatureCache(tmp_path, max_bytes=23).has_room(2, 3)
    assert FeatureCache(tmp_path, "float16", 12).has_room(2, 3)


def test_the_limit_is_for_all_modules_and_types(module, tmp_path):
    check(FeatureCache(tmp_path / "cache"), module, TEXTS, 32)
    stranger = tmp_path / "cache" / "notes" / "of mine.features"
    stranger.parent.mkdir()
    stranger.write_bytes(bytes(10_000))
    (module / "saved_model.pb").write_text("another")
    half = CHUNK_BYTES - 16 * 3 * 2
    check(FeatureCache(tmp_path / "cache", "float16", max_bytes=half + CHUNK_BYTES), module, TEXTS[:16], 16)
    sizes = sorted(path.stat().st_size for path in chunk_files(tmp_path / "cache"))
    assert sizes == [half, CHUNK_BYTES, 10_000]


def test_what_one_call_needs_is_kept_whatever_the_limit(module, tmp_path, caplog):
    cache = FeatureCache(tmp_path / "cache", max_bytes=CHUNK_BYTES)
    check(cache, module, TEXTS, 32)
    assert "over their limit" in caplog.text
    check(cache, module, TEXTS, 0)
    caplog.clear()
    check(cache, module, TEXTS[:3], 0)
    # Now the limit holds, as far as what is used allows.
    assert len(chunk_files(tmp_path / "cache")) <= 2
    check(FeatureCache(tmp_path / "cache", max_bytes=None), module, TEXTS)


def test_what_a_killed_process_was_writing_is_removed_in_time(module, tmp_path):
    cache = FeatureCache(tmp_path / "cache")
    check(cache, module, TEXTS, 32)
    first = chunk_files(tmp_path / "cache")[0]
    left, new = (first.with_name(f".{name}.1.features") for name in ("left", "new"))
    left.write_bytes(b"feat")
    new.write_bytes(b"feat")
    age(left, 1)
    check(cache, module, TEXTS, 0)
    assert not left.exists() and new.exists()


def test_a_chunk_that_goes_away_is_computed_again(module, tmp_path, monkeypatch):
    cache = FeatureCache(tmp_path / "cache")
    check(cache, module, TEXTS, 32)
    paths = chunk_files(tmp_path / "cache")
    paths[0].unlink()
    # As if another process evicted it after this one has read the folder.
    with monkeypatch.context() as patch:
        patch.setattr(Shelf, "chunk_paths", lambda self: paths)
        check(cache, module, TEXTS, 16)
    check(cache, module, TEXTS, 0)


def test_a_cache_cleared_in_the_middle_costs_no_features(module, tmp_path):
    class Clearing:
        def on_pass_begin(self, *told):
            pass

        def on_pass_progress(self, done):
            shutil.rmtree(tmp_path / "cache", ignore_errors=True)

        on_pass_end = on_pass_begin

    found = FeatureCache(tmp_path / "cache").features(module, TEXTS, Clearing())
    np.testing.assert_array_equal(found.array(), vectors(TEXTS))


def test_a_folder_removed_while_a_chunk_is_written_costs_no_features(module, tmp_path, monkeypatch):
    replace = Path.replace

    def cleared(self, target):
        if self.suffix == ".features":
            shutil.rmtree(self.parent)
        return replace(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", cleared)
        check(FeatureCache(tmp_path / "cache"), module, TEXTS, 32)
    check(FeatureCache(tmp_path / "cache"), module, TEXTS, 32)


def test_a_cache_may_have_more_chunks_than_a_process_may_open(module, tmp_path, monkeypatch):
    monkeypatch.setattr(feature_store, "_READ_BYTES", 1000)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    cache = FeatureCache(tmp_path / "cache")
    check(cache, module, numbered(range(16 * 100)), 16 * 100)
    resource.setrlimit(resource.RLIMIT_NOFILE, (len(list(Path("/proc/self/fd").iterdir())) + 50, hard))
    try:
        check(FeatureCache(tmp_path / "cache"), module, numbered(range(16 * 100)), 0)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def run(action, *arguments):
    """Runs a function of this file in a process of its own."""
    program = f"import sys; sys.path.insert(0, sys.argv[1]); import {__name__} as tests; tests.{action}(*sys.argv[2:])"
    command = [sys.executable, "-c", program, str(Path(__file__).parent), *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE)


def ask_again_and_again(module, cache, seed):
    for place, values in SMALL.items():
        vars(place).update(values)
    random = np.random.default_rng(int(seed))
    # Little enough for each process to evict what the other uses.
    cache = FeatureCache(Path(cache), max_bytes=3 * CHUNK_BYTES)
    for _ in range(60):
        check(cache, Path(module), numbered(random.integers(0, 100, 50)))


def test_processes_share_the_folder(module, tmp_path):
    processes = [run("ask_again_and_again", module, tmp_path / "cache", seed) for seed in range(2)]
    assert [process.wait() for process in processes] == [0, 0]
    for process in processes:
        process.stdout.close()
    assert list((tmp_path / "cache").glob("*/.*")) == []
    check(FeatureCache(tmp_path / "cache"), module, numbered(range(100)))


class Printing:
    """Prints how many texts are done, and takes its time; at the end all have been, whoever did them."""

    def on_pass_begin(self, module, texts, cached):
        self.new, self.done = texts - cached, 0

    def on_pass_progress(self, done):
        print(done, flush=True)
        self.done = done
        time.sleep(0.01)

    def on_pass_end(self, computed, seconds):
        assert self.done == self.new


def ask_and_count(module, cache):
    for place, values in SMALL.items():
        vars(place).update(values)
    check(FeatureCache(Path(cache)), Path(module), numbered(range(1200)), observer=Printing())
    print("computed", len(COMPUTED))


@pytest.mark.parametrize("killed", [0, 1])
def test_processes_that_ask_at_once_share_the_texts(module, tmp_path, killed):
    processes = [run("ask_and_count", module, tmp_path / "cache") for _ in range(3)]
    for process in processes[:killed]:
        process.stdout.readline()
        process.kill()
    printed = [process.communicate()[0].decode().split() for process in processes][killed:]
    computed = [int(words[-1]) for words in printed]
    assert min(computed) > 0 and (sum(computed) == 1200 or killed)


def compute_slowly(module, cache):
    for place, values in SMALL.items():
        vars(place).update(values)
    FeatureCache(Path(cache)).features(Path(module), numbered(range(4000)), Printing())


def test_a_process_that_is_killed_loses_less_than_a_chunk(module, tmp_path):
    process = run("compute_slowly", module, tmp_path / "cache")
    while int(process.stdout.readline()) < 60:
        pass
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    done = max([60, *map(int, process.stdout.read().split())])
    process.stdout.close()
    assert done < 4000
    before = len(COMPUTED)
    check(FeatureCache(tmp_path / "cache"), module, numbered(range(4000)))
    # The batch after the last one that was told may be among those kept.
    assert 4000 - done - 4 <= len(COMPUTED) - before < 4000 - done + 16
