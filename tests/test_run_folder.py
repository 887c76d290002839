"""The folder of a run, after it has ended."""

import subprocess

import pytest

from search.errors import InputError
from search.run_folder import RunFolder
from search.utils.lock import LOCK, locked


def test_what_a_kill_after_the_last_file_left_goes_away(tmp_path):
    (tmp_path / LOCK).write_text("")
    (tmp_path / "summary.json").write_text("{}")
    ended = subprocess.Popen(["true"])
    ended.wait()
    (tmp_path / f".model.{ended.pid}.keras").write_text("half")
    RunFolder(tmp_path).remove_leftovers()
    assert [file.name for file in tmp_path.iterdir()] == ["summary.json"]


def test_a_run_that_is_at_work_is_left_alone(tmp_path):
    with locked(tmp_path), pytest.raises(InputError, match="in use"):
        RunFolder(tmp_path).remove_leftovers()


def test_a_folder_that_nothing_was_left_in_is_not_touched(tmp_path):
    tmp_path.chmod(0o555)
    before = tmp_path.stat().st_mtime_ns
    RunFolder(tmp_path).remove_leftovers()
    assert tmp_path.stat().st_mtime_ns == before
    tmp_path.chmod(0o755)
