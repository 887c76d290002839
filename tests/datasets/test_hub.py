"""Tables are fetched from a hub on loopback, which nothing else of this machine's network is asked for."""

import hashlib
import http.server
import json
import threading
from urllib.parse import unquote, urlsplit

import pytest

from search.config.dataset import DatasetConfig
from search.datasets import load_splits
from search.datasets.fetch import existing
from search.errors import InputError

pytest.importorskip("huggingface_hub")
FILES = {
    "me/one": {"data/train.csv": "text,label\n" + "".join(f"text {i},{'ab'[i % 2]}\n" for i in range(60))},
    "me/two": {"train.csv": "text,label\n", "test.csv": "text,label\n", "README.md": "hello"},
}


class Hub(http.server.BaseHTTPRequestHandler):
    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        path = unquote(urlsplit(self.path).path)
        for name, files in FILES.items():
            if path.startswith(f"/api/datasets/{name}"):
                siblings = [{"rfilename": file, "size": len(content)} for file, content in files.items()]
                return self.answer(json.dumps({"id": name, "sha": "0" * 40, "siblings": siblings}).encode())
            file = path.removeprefix(f"/datasets/{name}/resolve/main/")
            if file in files:
                return self.answer(files[file].encode())
        return self.answer(b"", 404)

    def answer(self, content, status=200):
        self.send_response(status)
        self.send_header("X-Repo-Commit", "0" * 40)
        self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    def log_message(self, *_):
        pass


@pytest.fixture
def hub(tmp_path, monkeypatch):
    from huggingface_hub import constants

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        address = f"http://127.0.0.1:{server.server_port}"
        monkeypatch.setattr(constants, "ENDPOINT", address)
        monkeypatch.setattr(
            constants, "HUGGINGFACE_CO_URL_TEMPLATE", address + "/{repo_id}/resolve/{revision}/{filename}"
        )
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
        yield server
        server.shutdown()
        thread.join()


def test_a_table_of_the_hub_is_read_like_any_other(hub, tmp_path):
    config = DatasetConfig(name="made", path="hf://datasets/me/one/data/train.csv", folds=None)
    assert sum(len(part) for part in load_splits(config, tmp_path, 0).parts.values()) == 60
    assert existing("hf://datasets/me/one", "dataset.path").name == "train.csv", "the only table"


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("hf://datasets/me/two", "'train.csv', 'test.csv': name one"),
        ("hf://datasets/me/two/trian.csv", "there is no 'trian.csv'"),
        ("hf://datasets/me/none/a.csv", "cannot be fetched"),
        ("hf://datasets/me", "expected hf://datasets/owner/name"),
        ("hf://datasets/me/two/../a.csv", "expected hf://datasets/owner/name"),
        ("hf://me/two", "expected hf://datasets/owner/name"),
    ],
)
def test_what_the_hub_does_not_have_is_one_line(hub, path, says):
    with pytest.raises(InputError, match=says) as error:
        existing(path, "dataset.path")
    assert "\n" not in str(error.value)


def test_what_is_fetched_is_limited(hub):
    with pytest.raises(InputError, match="max_unpacked_gib"):
        existing("hf://datasets/me/one", "dataset.path", 1e-9)
