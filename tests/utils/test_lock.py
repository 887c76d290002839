"""Two processes cannot share a folder, and a dead one does not keep it."""

import errno
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from search.errors import InputError
from search.utils.lock import LOCK, locked

# Takes the folder at a given moment, says whether it has got it, and holds it until it is told to let go.
TAKES = """
import pathlib, sys, time
from search.errors import InputError
from search.utils.lock import locked
time.sleep(max(0, float(sys.argv[2]) - time.time()))
try:
    with locked(pathlib.Path(sys.argv[1])):
        print("got it", flush=True)
        sys.stdin.read()
except InputError as error:
    print(error, flush=True)
"""

# Takes and leaves the folder again and again, and dies in it now and then; a file shows who is inside.
COMES_AND_GOES = """
import os, pathlib, random, sys, time
from search.errors import InputError
from search.utils.lock import locked
folder, draw, end, turns = pathlib.Path(sys.argv[1]), random.Random(int(sys.argv[2])), time.time() + 1.5, 0
while turns < 20 or time.time() < end:
    try:
        with locked(folder):
            os.close(os.open(folder / "inside", os.O_CREAT | os.O_EXCL))
            time.sleep(draw.uniform(0, 0.002))
            os.unlink(folder / "inside")
            print("in", flush=True)
            turns += 1
            if draw.random() < 0.02 and turns > 10 and end - time.time() < 0.7:
                os._exit(0)
    except InputError:
        pass
"""


def start(code, *arguments):
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def write_lock(folder, **owner):
    folder.mkdir(exist_ok=True)
    (folder / LOCK).write_text(json.dumps(owner))


def dead_pid():
    ended = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    return int(ended.stdout)


def test_a_second_owner_is_refused_and_the_lock_goes_with_the_first(tmp_path):
    with locked(tmp_path / "run"):
        said, _ = start(TAKES, tmp_path / "run", 0).communicate()
        assert "in use" in said
        assert str(os.getpid()) in said
    assert not (tmp_path / "run" / LOCK).exists()


@pytest.mark.parametrize("stale", [False, True])
def test_of_many_at_the_same_moment_exactly_one_gets_it(tmp_path, stale):
    for attempt in range(2):
        folder = tmp_path / str(attempt)
        if stale:
            write_lock(folder, pid=dead_pid(), host=socket.gethostname())
        moment = time.time() + 1
        racers = [start(TAKES, folder, moment) for _ in range(8)]
        said = [racer.stdout.readline().strip() for racer in racers]
        owner = json.loads((folder / LOCK).read_text())["pid"]
        for racer in racers:
            racer.communicate()
        assert [racer.pid for racer, line in zip(racers, said, strict=True) if line == "got it"] == [owner]
        assert all(line == "got it" or "in use by process" in line for line in said)
        assert not (folder / LOCK).exists()


def test_never_are_two_inside(tmp_path):
    racers = [start(COMES_AND_GOES, tmp_path, seed) for seed in range(6)]
    turns = [racer.communicate()[0].count("in") for racer in racers]
    assert [racer.returncode for racer in racers] == [0] * 6
    assert sum(turns) > 50
    assert not (tmp_path / "inside").exists()


def test_the_lock_of_a_killed_process_is_taken_over(tmp_path):
    owner = start(TAKES, tmp_path, 0)
    assert owner.stdout.readline() == "got it\n"
    owner.send_signal(signal.SIGKILL)
    owner.communicate()
    assert json.loads((tmp_path / LOCK).read_text())["pid"] == owner.pid
    with locked(tmp_path):
        assert json.loads((tmp_path / LOCK).read_text())["pid"] == os.getpid()
    assert not (tmp_path / LOCK).exists()


@pytest.mark.parametrize("pid", [1, os.getpid()], ids=["first", "own"])
def test_a_process_with_the_pid_of_a_dead_one_does_not_pass_for_it(tmp_path, pid):
    write_lock(tmp_path, pid=pid, host=socket.gethostname())
    with locked(tmp_path):
        assert json.loads((tmp_path / LOCK).read_text()) == {"pid": os.getpid(), "host": socket.gethostname()}


def test_a_lock_from_another_machine_is_left_alone(tmp_path):
    write_lock(tmp_path, pid=1, host="elsewhere")
    with pytest.raises(InputError, match=rf"elsewhere.*remove .*{LOCK}"), locked(tmp_path):
        pass
    assert json.loads((tmp_path / LOCK).read_text())["host"] == "elsewhere"


@pytest.mark.parametrize("content", ["", '{"pid": 12', "[]", '{"pid": null, "host": 3}'])
def test_a_lock_that_was_never_filled_is_stale(tmp_path, content):
    (tmp_path / LOCK).write_text(content)
    with locked(tmp_path):
        pass
    assert not (tmp_path / LOCK).exists()


def test_a_file_system_without_locks_is_told(tmp_path, monkeypatch):
    def unsupported(*_):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", unsupported)
    with pytest.raises(InputError, match="cannot lock"), locked(tmp_path):
        pass
    assert not (tmp_path / LOCK).exists()


def test_what_happens_inside_comes_out_and_frees_the_folder(tmp_path):
    for error in (ValueError, KeyboardInterrupt):
        with pytest.raises(error), locked(tmp_path):
            raise error
    with locked(tmp_path):
        pass
