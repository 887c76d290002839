import os
import subprocess
import sys
import time

import numpy as np
import pytest

from search.commands import cache
from search.features.cache import text_keys
from search.features.store import ChunkStore, Shelf

FIRST, SECOND = "ab" * 32, "ac" * 32


def fill(folder, fingerprint, rows, days=0, dtype="float32", name="glove-50"):
    """Writes a chunk of features, 4-d, that were used some days ago."""
    shelf = Shelf(folder / f"{fingerprint}-{dtype}")
    keys = text_keys(np.array([f"{time.time_ns()} {i}" for i in range(rows)], object))
    chunk = ChunkStore(folder, None).write(shelf, keys, np.ones((rows, 4), dtype), set())
    shelf.note_module(name, folder / "modules" / name)
    used = time.time() - days * 86_400
    os.utime(chunk.path, (used, used))
    return chunk.path


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "features"
    folder.mkdir()
    return folder


@pytest.fixture
def run(capsys, monkeypatch):
    """Runs the command; gives its exit code, its output and its errors."""
    monkeypatch.setenv("COLUMNS", "100")

    def command(*arguments):
        code = cache.main([str(argument) for argument in arguments])
        return code, *capsys.readouterr()

    return command


def test_lists_what_there_is(folder, run):
    fill(folder, FIRST, 1000, days=40)
    fill(folder, FIRST, 234)
    fill(folder, SECOND, 100, dtype="float16", name="other [x]")
    (folder / "notes").mkdir()
    code, out, err = run("--folder", folder)
    rows = {line.split()[0]: line.split() for line in out.splitlines() if line.strip()}
    assert (code, err) == (0, "")
    assert rows["glove-50"][1:8] == [FIRST[:12], "float32", "4", "1,234", "1,234", "39.6", "kB"]
    assert rows["other"][1:9] == ["[x]", SECOND[:12], "float16", "4", "100", "100", "2.4", "kB"]
    assert rows["all"][1:] == ["1,334", "1,334", "42.0", "kB"]
    assert time.strftime("%Y-%m-%d") in rows["glove-50"]
    assert str(folder / "modules" / "glove-50") in out


def test_texts_and_the_vectors_of_their_tokens_are_counted_apart(folder, run):
    shelf = Shelf(folder / f"{FIRST}-float32")
    keys = np.repeat(text_keys(np.array(["one", "two", "three"], object)), [4, 1, 2])
    ChunkStore(folder, None).write(shelf, keys, np.ones((7, 4), np.float32), set())
    assert run("--folder", folder)[1].split("float32")[1].split()[:3] == ["4", "3", "7"]
    assert "3 texts" in run("clear", "--folder", folder)[1]


def test_damaged_chunks_are_listed_too(folder, run):
    os.truncate(fill(folder, FIRST, 10), 5)
    (folder / f"{FIRST}-float32" / "module.json").write_text("[")
    code, out, _ = run("--folder", folder)
    assert code == 0 and "?" in out and "5 bytes" in out


def test_an_empty_cache(folder, run, monkeypatch):
    assert run("--folder", folder)[0] == 0
    monkeypatch.setenv("SEARCH_CACHE", str(folder / "none yet"))
    code, out, _ = run()
    assert code == 0 and "none yet/features is empty" in out
    assert run("clear")[0] == 0


def test_clears_all_that_is_its_own(folder, run):
    paths = [fill(folder, FIRST, 10), fill(folder, SECOND, 20, dtype="float16")]
    abandoned = paths[0].with_name(".x.1.features")
    abandoned.touch()
    kept = [paths[1].with_name("mine.txt"), folder / "notes.features"]
    for path in kept:
        path.touch()
    code, out, _ = run("clear", "--folder", folder)
    assert code == 0 and "30 texts" in out
    assert sorted(path for path in folder.rglob("*") if path.is_file()) == sorted(kept)
    assert not paths[0].parent.exists()


def test_clears_one_module_in_both_types(folder, run):
    fill(folder, FIRST, 10)
    fill(folder, FIRST, 10, dtype="float16")
    left = fill(folder, SECOND, 20)
    assert run("--folder", folder, "clear", "ABAB")[0] == 0
    assert list(folder.rglob("*.features")) == [left]


def test_clears_what_was_not_used_for_long(folder, run):
    old, new = fill(folder, FIRST, 10, days=8), fill(folder, FIRST, 10, days=6)
    code, out, _ = run("clear", "--older-than", 7, "--folder", folder)
    assert code == 0 and "10 texts" in out
    assert not old.exists() and new.exists()
    assert Shelf(new.parent).module()["name"] == "glove-50"


@pytest.mark.parametrize(
    "arguments",
    [
        ["clear", "a"],
        ["clear", "ff"],
        ["clear", ""],
        ["clear", "--older-than", "-1"],
        ["clear", "--older-than", "nan"],
        ["clear", "--older-than", "week"],
        ["clean"],
        ["--verbose"],
        ["--folder", "/no/such/folder"],
    ],
)
def test_bad_input_is_one_line_and_removes_nothing(folder, run, arguments):
    paths = [fill(folder, FIRST, 10), fill(folder, SECOND, 10)]
    given = arguments if "--folder" in arguments else ["--folder", folder, *arguments]
    code, out, err = run(*given)
    assert (code, out) == (2, "")
    assert err.startswith("search: ") and err.count("\n") == 1
    assert all(path.exists() for path in paths)


def test_an_empty_prefix_is_no_choice(folder, run):
    path = fill(folder, FIRST, 10)
    assert run("clear", "", "--folder", folder)[0] == 2 and path.exists()


def test_runs_without_tensorflow(folder):
    program = "import sys; import search.cache; search.cache.main(sys.argv[1:]); print('tensorflow' in sys.modules)"
    out = subprocess.run(
        [sys.executable, "-c", program, "--folder", str(folder)], capture_output=True, text=True, check=True
    ).stdout
    assert out.splitlines()[-1] == "False"
    command = [sys.executable, "-m", "search.cache", "--folder", str(folder / "none")]
    assert subprocess.run(command, capture_output=True).returncode == 2
