import gzip
import io
import tarfile

import pytest

from search.backbones.unpack import unpack
from search.errors import InputError


def pack(path, *members):
    with tarfile.open(path, "w:gz" if path.name.endswith("gz") else "w") as tar:
        for name, kind in members:
            info = tarfile.TarInfo(name)
            info.type = kind
            info.linkname = "/etc/passwd"
            content = b"x" * 100_000 if kind == tarfile.REGTYPE else b""
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path


@pytest.mark.parametrize("name", ["module.tar.gz", "module.tgz", "module.tar"])
def test_files_come_out_whole(tmp_path, name):
    archive = pack(
        tmp_path / name, ("./a.txt", tarfile.REGTYPE), ("deep/er", tarfile.DIRTYPE), ("b/c.txt", tarfile.REGTYPE)
    )
    folder = unpack(archive, tmp_path / "modules", 1)
    assert (folder / "a.txt").read_bytes() == (folder / "b" / "c.txt").read_bytes() == b"x" * 100_000
    assert (folder / "deep" / "er").is_dir()


def test_is_unpacked_once_until_the_file_changes(tmp_path):
    archive = pack(tmp_path / "module.tar.gz", ("a.txt", tarfile.REGTYPE))
    folder = unpack(archive, tmp_path / "modules", 1)
    (folder / "mark").touch()
    assert (unpack(archive, tmp_path / "modules", 1) / "mark").exists()
    pack(archive, ("b.txt", tarfile.REGTYPE), ("c.txt", tarfile.REGTYPE))
    assert not (unpack(archive, tmp_path / "modules", 1) / "mark").exists()


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("../outside", tarfile.REGTYPE),
        ("a/../../outside", tarfile.REGTYPE),
        ("/outside", tarfile.REGTYPE),
        ("C:/outside", tarfile.REGTYPE),
        ("../outside", tarfile.DIRTYPE),
        ("link", tarfile.SYMTYPE),
        ("link", tarfile.LNKTYPE),
        ("device", tarfile.CHRTYPE),
    ],
)
def test_refuses_what_does_not_belong_in_a_module(tmp_path, name, kind):
    archive = pack(tmp_path / "module.tar.gz", ("a.txt", tarfile.REGTYPE), (name, kind))
    with pytest.raises(InputError, match="is refused"):
        unpack(archive, tmp_path / "modules", 1)
    assert list((tmp_path / "modules").iterdir()) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["module.tar.gz", "modules"]


@pytest.mark.parametrize(
    "members",
    [
        [("x" * 300, tarfile.REGTYPE)],
        [("/".join(["y" * 250] * 20), tarfile.DIRTYPE)],
        [("a", tarfile.REGTYPE), ("a", tarfile.DIRTYPE)],
        [("a", tarfile.REGTYPE), ("a/b", tarfile.REGTYPE)],
        [("a", tarfile.DIRTYPE), ("a", tarfile.REGTYPE)],
        [(".", tarfile.REGTYPE)],
    ],
)
def test_names_that_have_no_place_are_one_line(tmp_path, members):
    with pytest.raises(InputError, match=r"is refused: its member '.* cannot be written \([A-Z]"):
        unpack(pack(tmp_path / "module.tar.gz", *members), tmp_path / "modules", 1)
    assert list((tmp_path / "modules").iterdir()) == []


@pytest.mark.parametrize("kind", ["sparse", "zeros", "many"])
def test_a_small_archive_does_not_fill_the_disk(tmp_path, kind):
    archive = tmp_path / "module.tar.gz"
    if kind == "sparse":  # claims 200 GB in a few bytes
        info = tarfile.TarInfo("big")
        info.size = 200 * 10**9
        archive.write_bytes(gzip.compress(info.tobuf(tarfile.GNU_FORMAT)))
    else:
        with tarfile.open(archive, "w:gz") as tar:
            for number in range(1 if kind == "zeros" else 5000):
                info = tarfile.TarInfo(str(number))
                info.size = 2_000_000 if kind == "zeros" else 0
                tar.addfile(info, io.BytesIO(bytes(info.size)))
    assert archive.stat().st_size < 100_000
    with pytest.raises(InputError, match=r"more than 0\.001 GiB, .* module\.max_unpacked_gib"):
        unpack(archive, tmp_path / "modules", 0.001)
    assert list((tmp_path / "modules").iterdir()) == []


@pytest.mark.parametrize("keep", [0, 5, 50, -20])
def test_a_damaged_archive_leaves_nothing_behind(tmp_path, keep):
    archive = pack(tmp_path / "module.tar.gz", ("a.txt", tarfile.REGTYPE), ("b.txt", tarfile.REGTYPE))
    archive.write_bytes(archive.read_bytes()[:keep])
    with pytest.raises(InputError, match="damaged"):
        unpack(archive, tmp_path / "modules", 1)
    assert list((tmp_path / "modules").iterdir()) == []


def test_a_flipped_byte_is_found(tmp_path):
    archive = pack(tmp_path / "module.tar.gz", ("a.txt", tarfile.REGTYPE))
    content = bytearray(archive.read_bytes())
    content[-6] ^= 1
    archive.write_bytes(content)
    with pytest.raises(InputError, match="damaged"):
        unpack(archive, tmp_path / "modules", 1)
