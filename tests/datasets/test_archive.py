"""Archives: their files are read where they are, and what is damaged or leads outside is refused."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from pathlib import Path

import pytest
from memory import MIB, at_most

from search.datasets import archive
from search.datasets.file_lists import Files, list_files
from search.datasets.limits import LIMITS, Limits
from search.errors import InputError

FILES = {"top/train.csv": b"text,label\n" + b"some words,0\n" * 5000, "top/notes.txt": b"read me", "other.csv": b"x"}
CLUTTER = {"__MACOSX/top/._train.csv": b"\0", "top/.DS_Store": b"\0"}


def make_zip(path: Path, files) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return path


def make_tar(path: Path, files, links=()) -> Path:
    with tarfile.open(path, "w" if path.suffix == ".tar" else "w:gz") as packed:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            packed.addfile(info, io.BytesIO(content))
        for name, target, kind in links:
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, target
            packed.addfile(info)
    return path


def make_gzip(path: Path, content: bytes) -> Path:
    path.write_bytes(gzip.compress(content))
    return path


@pytest.fixture(params=["data.zip", "data.tar", "data.tar.gz", "data.TGZ"])
def packed(request, tmp_path):
    make = make_zip if request.param.endswith("zip") else make_tar
    return make(tmp_path / request.param, FILES | CLUTTER)


def test_the_files_of_an_archive_are_listed_without_clutter(packed):
    assert archive.is_archive(packed)
    assert list_files(packed, LIMITS) == Files(list(FILES), hidden=2, special=0)


def test_each_file_is_read_where_it_is(packed, tmp_path):
    for name, content in FILES.items():
        with archive.open_member(packed, name, LIMITS) as stream:
            assert stream.read() == content
    wanted = {name: content for name, content in FILES.items() if name.endswith(".csv")}
    assert dict(archive.read_members(packed, wanted.__contains__, LIMITS)) == wanted
    assert list(tmp_path.iterdir()) == [packed]


def test_a_gzipped_file_is_an_archive_of_one(tmp_path):
    path = make_gzip(tmp_path / "reviews.csv.gz", b"text")
    assert archive.names(path, LIMITS) == (["reviews.csv"], 0)
    with archive.open_member(path, "reviews.csv", LIMITS) as stream:
        assert stream.read() == b"text"


@pytest.mark.parametrize("name", ["../evil.csv", "a/../../evil.csv", "/etc/evil.csv", "C:/evil.csv", "..\\evil.csv"])
@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
def test_a_member_that_leads_outside_is_refused(tmp_path, name, kind):
    make = make_zip if kind == "zip" else make_tar
    path = make(tmp_path / f"data.{kind}", {"good.csv": b"text", name: b"text"})
    with pytest.raises(InputError, match="refused"):
        archive.names(path, LIMITS)


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
@pytest.mark.parametrize("target", ["../../etc/passwd", "/etc/passwd"])
def test_a_link_that_leads_outside_is_refused(tmp_path, kind, target):
    path = make_tar(tmp_path / "data.tar.gz", {"a/good.csv": b"text"}, [("a/link.csv", target, kind)])
    with pytest.raises(InputError, match=r"link\.csv"):
        archive.names(path, LIMITS)


def test_a_link_in_a_zip_that_leads_outside_is_refused(tmp_path):
    info = zipfile.ZipInfo("a/link.csv")
    info.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "data.zip", "w") as packed:
        packed.writestr(info, "../../etc/passwd")
    with pytest.raises(InputError, match=r"link\.csv"):
        archive.names(tmp_path / "data.zip", LIMITS)


def test_links_that_stay_inside_are_passed_over(tmp_path):
    links = [("b/link.csv", "../a/good.csv", tarfile.SYMTYPE), ("b/hard.csv", "a/good.csv", tarfile.LNKTYPE)]
    path = make_tar(tmp_path / "data.tar.gz", {"a/good.csv": b"text"}, links)
    assert archive.names(path, LIMITS) == (["a/good.csv"], 2)


def test_an_archive_that_is_none_is_refused(tmp_path):
    for name in ["a.zip", "a.tar.gz", "a.csv.gz"]:
        (tmp_path / name).write_bytes(b"<html>not found</html>")
        with pytest.raises(InputError, match=name), archive.open_member(tmp_path / name, "a.csv", LIMITS) as stream:
            stream.read()


@pytest.mark.parametrize("kind", ["zip", "tar.gz", "csv.gz"])
@pytest.mark.parametrize("damage", ["cut", "flipped"])
def test_a_damaged_archive_is_refused_however_it_is_read(tmp_path, kind, damage):
    path = tmp_path / f"data.{kind}"
    lines = b"".join(b"%d,some words\n" % (number * 7919 % 100_003) for number in range(20_000))
    if kind == "csv.gz":
        make_gzip(path, lines)
    else:
        (make_zip if kind == "zip" else make_tar)(path, {"data.csv": lines})
    content = bytearray(path.read_bytes())
    if damage == "cut":
        del content[len(content) // 2 :]
    else:
        content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(InputError, match="cannot be read as an archive"):
        archive.names(path, LIMITS)
        for _ in archive.read_members(path, lambda name: True, LIMITS):
            pass


def test_a_locked_zip_says_so(tmp_path):
    path = make_zip(tmp_path / "data.zip", {"a.csv": b"text"})
    content = path.read_bytes().replace(b"PK\x01\x02\x14\x03\x14\x00\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01\x00")
    path.write_bytes(content)
    with pytest.raises(InputError, match="password"):
        archive.names(path, LIMITS)


@pytest.mark.parametrize(
    ("method", "mib"),
    # Some bytes of LZMA unpack to tens of megabytes at once, here to all there is.
    [(zipfile.ZIP_STORED, 16), (zipfile.ZIP_DEFLATED, 16), (zipfile.ZIP_BZIP2, 16), (zipfile.ZIP_LZMA, 160)],
)
def test_a_member_is_no_larger_than_the_limit_however_it_is_packed(tmp_path, method, mib):
    path = tmp_path / "data.zip"
    with zipfile.ZipFile(path, "w", method) as packed:
        packed.writestr("a.csv", bytes(64 * MIB))
    with at_most(mib), archive.open_member(path, "a.csv", Limits(max_unpacked_gib=1 / 16)) as stream:
        assert sum(len(piece) for piece in iter(lambda: stream.read(MIB), b"")) == 64 * MIB
    with (
        at_most(max(mib, 48)),
        pytest.raises(InputError, match=r"data\.zip unpacks to more than .* dataset\.max_unpacked_gib"),
        archive.open_member(path, "a.csv", Limits(max_unpacked_gib=1 / 32)) as stream,
    ):
        stream.read()


@pytest.mark.parametrize("name", ["data.tar.gz", "data.csv.gz"])
def test_what_comes_out_of_gzip_is_no_larger_than_the_limit(tmp_path, name):
    content = bytes(2 * MIB)
    path = make_gzip(tmp_path / name, content) if "csv" in name else make_tar(tmp_path / name, {"data.csv": content})
    with (
        pytest.raises(InputError, match="unpacks to more than"),
        archive.open_member(path, "data.csv", Limits(max_unpacked_gib=1 / 1024)) as stream,
    ):
        stream.read()


def test_the_limit_is_for_all_files_of_an_archive_together(tmp_path):
    path = make_zip(tmp_path / "data.zip", {f"a/{number}.txt": b"x" * 1000 for number in range(20)})
    with pytest.raises(InputError, match="unpacks to more than"):
        list(archive.read_members(path, lambda name: True, Limits(max_unpacked_gib=10_000 / 2**30)))


def test_a_link_in_a_zip_that_is_no_path_is_not_unpacked(tmp_path):
    info = zipfile.ZipInfo("a/link.csv")
    info.external_attr = 0o120777 << 16
    info.compress_type = zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(tmp_path / "data.zip", "w") as packed:
        packed.writestr(info, b"x" * (64 * MIB))
    with at_most(8):
        assert archive.names(tmp_path / "data.zip", LIMITS) == ([], 1)
