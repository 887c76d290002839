"""Two processes cannot share a folder, and a dead one does not keep it."""

import json
import os
import socket
import subprocess
import sys

import pytest

from search.errors import InputError
from search.lock import LOCK, locked


def test_a_second_owner_is_refused_and_the_lock_goes_with_the_first(tmp_path):
    with locked(tmp_path / "run"):
        code = "import sys, pathlib, search.lock; search.lock.locked(pathlib.Path(sys.argv[1])).__enter__()"
        command = [sys.executable, "-c", code, str(tmp_path / "run")]
        second = subprocess.run(command, capture_output=True, text=True, check=False)
        assert "InputError" in second.stderr
        assert str(os.getpid()) in second.stderr
    assert not (tmp_path / "run" / LOCK).exists()


def write_lock(folder, **owner):
    (folder / LOCK).write_text(json.dumps(owner))


def test_the_lock_of_a_dead_process_is_taken_over(tmp_path):
    ended = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    write_lock(tmp_path, pid=int(ended.stdout), host=socket.gethostname())
    with locked(tmp_path):
        assert json.loads((tmp_path / LOCK).read_text())["pid"] == os.getpid()


def test_a_lock_from_another_machine_is_left_alone(tmp_path):
    write_lock(tmp_path, pid=1, host="elsewhere")
    with pytest.raises(InputError, match="elsewhere"), locked(tmp_path):
        pass
    assert (tmp_path / LOCK).exists()


def test_a_lock_that_was_never_filled_is_stale(tmp_path):
    (tmp_path / LOCK).write_text("")
    with locked(tmp_path):
        pass
    assert not (tmp_path / LOCK).exists()
