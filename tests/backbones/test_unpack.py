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
    folder = unpack(archive, tmp_path / "modules")
    assert (folder / "a.txt").read_bytes() == (folder / "b" / "c.txt").read_bytes() == b"x" * 100_000
    assert (folder / "deep" / "er").is_dir()


def test_is_unpacked_once_until_the_file_changes(tmp_path):
    archive = pack(tmp_path / "module.tar.gz", ("a.txt", tarfile.REGTYPE))
    folder = unpack(archive, tmp_path / "modules")
    (folder / "mark").touch()
    assert (unpack(archive, tmp_path / "modules") / "mark").exists()
    pack(archive, ("b.txt", tarfile.REGTYPE), ("c.txt", tarfile.REGTYPE))
    assert not (unpack(archive, tmp_path / "modules") / "mark").exists()


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
        unpack(archive, tmp_path / "modules")
    assert list((tmp_path / "modules").iterdir()) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["module.tar.gz", "modules"]


@pytest.mark.parametrize("keep", [0, 5, 50, -20])
def test_a_damaged_archive_leaves_nothing_behind(tmp_path, keep):
    archive = pack(tmp_path / "module.tar.gz", ("a.txt", tarfile.REGTYPE), ("b.txt", tarfile.REGTYPE))
    archive.write_bytes(archive.read_bytes()[:keep])
    with pytest.raises(InputError, match="damaged"):
        unpack(archive, tmp_path / "modules")
    assert list((tmp_path / "modules").iterdir()) == []


def test_a_flipped_byte_is_found(tmp_path):
    archive = pack(tmp_path / "module.tar.gz", ("a.txt", tarfile.REGTYPE))
    content = bytearray(archive.read_bytes())
    content[-6] ^= 1
    archive.write_bytes(content)
    with pytest.raises(InputError, match="damaged"):
        unpack(archive, tmp_path / "modules")
