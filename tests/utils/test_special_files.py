"""Devices, pipes and what is open already are told from files, and written through."""

import os
import socket
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from search.utils.files import whole_file, write_text
from search.utils.special_files import is_written_through, special


def test_kinds(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as opened:
        monkeypatch.chdir(tmp_path)  # such a name may not be long
        opened.bind("socket")
    kinds = {path.name: special(path) for path in tmp_path.iterdir()}
    assert kinds == {"file": None, "pipe": "a pipe", "link": "a pipe", "socket": "a socket"}
    assert special(tmp_path / "none") is None and special(tmp_path / "file" / "x") is None
    assert special(tmp_path) is None and not is_written_through(tmp_path / "file")
    assert is_written_through(Path("/dev/stdout"))
    assert special(Path("/dev/null")) == "a device"


def test_a_link_stays_and_its_file_is_replaced(tmp_path):
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "real.txt").write_text("old")
    (tmp_path / "link.txt").symlink_to("elsewhere/real.txt")
    (tmp_path / "dangling.txt").symlink_to("elsewhere/new.txt")
    write_text(tmp_path / "link.txt", "new")
    write_text(tmp_path / "dangling.txt", "made")
    assert (tmp_path / "link.txt").is_symlink() and (folder / "real.txt").read_text() == "new"
    assert (tmp_path / "dangling.txt").is_symlink() and (folder / "new.txt").read_text() == "made"
    assert sorted(path.name for path in folder.iterdir()) == ["new.txt", "real.txt"]


def test_a_pipe_is_written_through(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    read = []
    reader = threading.Thread(target=lambda: read.append((tmp_path / "pipe").read_text()))
    reader.start()
    write_text(tmp_path / "pipe", "text")
    reader.join()
    assert read == ["text"] and stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)
    assert [path.name for path in tmp_path.iterdir()] == ["pipe"]


def test_a_device_is_written_through_and_says_that_it_is_full(tmp_path):
    # A link to it, and not itself: a test that fails takes no device away.
    for name in ("null", "full"):
        (tmp_path / name).symlink_to(f"/dev/{name}")
    write_text(tmp_path / "null", "text")
    with pytest.raises(OSError, match=r"No space left.*full"):
        write_text(tmp_path / "full", "text")
    assert all(path.is_symlink() and path.is_char_device() for path in tmp_path.iterdir())


def test_nothing_is_written_through_if_the_block_raises(tmp_path):
    (tmp_path / "full").symlink_to("/dev/full")
    with pytest.raises(RuntimeError), whole_file(tmp_path / "full") as path:
        path.write_text("half")
        raise RuntimeError


@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", "link"])
def test_standard_output_goes_on_behind_what_is_there(tmp_path, name):
    (tmp_path / "link").symlink_to("/dev/stdout")
    code = f"from pathlib import Path; from search.utils.files import write_text; write_text(Path({name!r}), 'two\\n')"
    (tmp_path / "out").write_text("one\n")
    with (tmp_path / "out").open("a") as out:
        subprocess.run([sys.executable, "-c", code], check=True, stdout=out, cwd=tmp_path)
    assert (tmp_path / "out").read_text() == "one\ntwo\n"
    piped = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=tmp_path)
    assert piped.stdout == "two\n"
