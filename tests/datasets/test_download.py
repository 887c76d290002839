"""Downloads from a server on loopback: whole or not at all, resumed, checked, and refused in one line."""

from __future__ import annotations

import errno
import hashlib
import http.server
import re
import shutil
import threading
from pathlib import Path
from typing import ClassVar

import pytest

from search.config.dataset import DatasetConfig
from search.datasets import download as module
from search.datasets.download import download
from search.datasets.fetch import locate
from search.errors import InputError

CONTENT = bytes(number * 31 % 251 for number in range(300_000))
BREAK = 12 * module._PIECE  # bytes that come before a transfer breaks
CHECKSUM = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves CONTENT, breaking off, ignoring ranges or changing the file as its class attributes say."""

    content: ClassVar[bytes] = CONTENT
    ranges: ClassVar[bool] = True
    etag: ClassVar[str | None] = '"one"'
    break_after: ClassVar[list[int]] = []  # bytes sent by the coming answers before they break off
    served: ClassVar[list[tuple[int, int]]] = []  # status and first byte of each answer

    def do_GET(self):
        if self.path != "/data.bin":
            self.send_error(404)
            return
        wanted = re.match(r"bytes=(\d+)-", self.headers.get("Range", ""))
        same = self.headers.get("If-Range") in (None, self.etag)
        begin = int(wanted[1]) if wanted and self.ranges and same else 0
        status = 416 if begin >= len(self.content) else 206 if begin else 200
        self.served.append((status, begin))  # before the client can have its answer
        self.send_response(status)
        if status == 416:
            self.send_header("Content-Range", f"bytes */{len(self.content)}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        body = self.content[begin:]
        self.send_header("Content-Length", str(len(body)))
        if self.etag:
            self.send_header("ETag", self.etag)
        if begin:
            self.send_header("Content-Range", f"bytes {begin}-{len(self.content) - 1}/{len(self.content)}")
        self.end_headers()
        if self.break_after:
            body = body[: self.break_after.pop(0)]
        self.wfile.write(body)

    def log_message(self, *_args):
        pass


@pytest.fixture
def server(monkeypatch):
    """A handler class of the test's own, with the address it serves at."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")

    class Own(Handler):
        break_after: ClassVar[list[int]] = []
        served: ClassVar[list[tuple[int, int]]] = []

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Own) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        Own.url = f"http://127.0.0.1:{running.server_port}/data.bin"
        yield Own
        running.shutdown()
        thread.join()


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_downloaded_once_and_kept(server, tmp_path):
    config = DatasetConfig(name="test", file="data.bin", url=server.url, checksum=CHECKSUM)
    for _ in range(2):
        assert locate(config, tmp_path / "data").read_bytes() == CONTENT
    assert server.served == [(200, 0)]
    assert files(tmp_path / "data") == ["data.bin"]


def test_a_transfer_that_breaks_goes_on_where_it_stopped(server, tmp_path):
    server.break_after += [BREAK, BREAK // 2]
    download(server.url, tmp_path / "data.bin", CHECKSUM)
    assert (tmp_path / "data.bin").read_bytes() == CONTENT
    assert server.served == [(200, 0), (206, BREAK), (206, BREAK + BREAK // 2)]
    assert files(tmp_path) == ["data.bin"]


def test_the_next_run_goes_on_where_one_that_failed_stopped(server, tmp_path):
    server.break_after += [BREAK, 0]
    with pytest.raises(InputError, match=r"0\.1 MB that came are kept"):
        download(server.url, tmp_path / "data.bin", None)
    assert not (tmp_path / "data.bin").exists()
    download(server.url, tmp_path / "data.bin", None)
    assert (tmp_path / "data.bin").read_bytes() == CONTENT
    assert server.served[-1] == (206, BREAK)


def test_a_server_without_ranges_starts_anew(server, tmp_path):
    server.ranges = False
    server.break_after += [BREAK]
    download(server.url, tmp_path / "data.bin", CHECKSUM)
    assert (tmp_path / "data.bin").read_bytes() == CONTENT
    assert server.served == [(200, 0), (200, 0)]


def test_a_server_that_always_breaks_at_one_place_ends(server, tmp_path):
    server.ranges = False
    server.break_after += [BREAK] * 50
    with pytest.raises(InputError, match="cannot be downloaded"):
        download(server.url, tmp_path / "data.bin", None)
    assert len(server.served) == 2


@pytest.mark.parametrize("etag", ['"two"', None, 'W/"one"'])
def test_a_file_that_may_have_changed_is_not_pieced_together(server, tmp_path, etag):
    if etag != '"two"':
        server.etag = etag  # says nothing about its version from the beginning
    server.break_after += [BREAK, 0]
    with pytest.raises(InputError):
        download(server.url, tmp_path / "data.bin", None)
    server.etag, server.content = etag, CONTENT[::-1]
    download(server.url, tmp_path / "data.bin", None)
    assert (tmp_path / "data.bin").read_bytes() == CONTENT[::-1]


def test_a_part_that_is_already_whole_is_taken(server, tmp_path):
    (tmp_path / "data.bin.part").write_bytes(CONTENT)
    (tmp_path / "data.bin.part.version").write_text('"one"')
    download(server.url, tmp_path / "data.bin", CHECKSUM)
    assert files(tmp_path) == ["data.bin"]
    assert server.served == [(416, len(CONTENT))]


def test_a_part_that_is_too_long_is_thrown_away(server, tmp_path):
    (tmp_path / "data.bin.part").write_bytes(CONTENT + b"more")
    (tmp_path / "data.bin.part.version").write_text('"one"')
    with pytest.raises(InputError):
        download(server.url, tmp_path / "data.bin", None)
    download(server.url, tmp_path / "data.bin", CHECKSUM)
    assert files(tmp_path) == ["data.bin"]


def test_another_file_than_the_checksum_says_is_refused_and_leaves_nothing(server, tmp_path):
    server.content = CONTENT[::-1]
    with pytest.raises(InputError, match="checksum"):
        download(server.url, tmp_path / "data.bin", CHECKSUM)
    assert files(tmp_path) == []


def test_offline_is_one_line_that_says_where_to_put_the_file(tmp_path, server):
    config = DatasetConfig(name="test", file="data.bin", url="http://127.0.0.1:9/data.bin")
    with pytest.raises(InputError) as error:
        locate(config, tmp_path / "data")
    message = str(error.value)
    assert "\n" not in message
    for part in [str(tmp_path / "data" / "data.bin"), "http://127.0.0.1:9/data.bin", "by hand", "dataset.path"]:
        assert part in message


def test_a_file_that_is_gone_is_one_line(tmp_path, server):
    with pytest.raises(InputError, match=r"404 .*by hand"):
        download(server.url + "x", tmp_path / "data.bin", None)
    assert files(tmp_path) == []


@pytest.mark.parametrize("url", ["ftp://example.invalid/a", "no address", "http://"])
def test_an_address_that_is_none_is_one_line(tmp_path, url):
    with pytest.raises(InputError, match="cannot be downloaded"):
        download(url, tmp_path / "data.bin", None)


def test_a_data_folder_that_cannot_be_made_is_one_line(tmp_path, server):
    (tmp_path / "data").write_text("a file")
    with pytest.raises(InputError, match=r"cannot be written.*paths\.data"):
        download(server.url, tmp_path / "data" / "deep" / "data.bin", None)


def test_no_write_permission_is_one_line(tmp_path, server, monkeypatch):
    def refuse(*_args, **_kwargs):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(InputError, match=r"Permission denied.*paths\.data"):
        download(server.url, tmp_path / "data" / "data.bin", None)


def test_too_small_a_disk_is_seen_before_anything_is_written(tmp_path, server, monkeypatch):
    usage = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr(module.shutil, "disk_usage", lambda _path: usage)
    with pytest.raises(InputError, match=r"cannot be written.*MB are needed.*paths\.data"):
        download(server.url, tmp_path / "data.bin", None)
    assert files(tmp_path) == []


def test_a_disk_that_fills_up_is_cleared(tmp_path, server, monkeypatch):
    class Full:
        def __init__(self, **_kwargs):
            pass

        def __enter__(self):
            return self

        def __exit__(self, *_args):
            pass

        def update(self, _size):
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(module, "tqdm", Full)
    with pytest.raises(InputError, match=r"No space left on device.*paths\.data"):
        download(server.url, tmp_path / "data.bin", None)
    assert files(tmp_path) == []
