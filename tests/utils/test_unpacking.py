"""What comes out of an archive is counted, whatever the archive claims, and never held in memory as a whole."""

import bz2
import gzip
import io
import lzma
import tarfile

import pytest
from memory import MIB, at_most

from search.errors import InputError
from search.utils.unpacking import GIB, Unpacking, Watched, tar_members

KEY = "some.max_unpacked_gib"


def tar(path, members, pack=gzip.compress):
    """Writes an archive of (header, content) pairs."""
    plain = b"".join(info.tobuf(tarfile.PAX_FORMAT) + content for info, content in members)
    path.write_bytes(pack(plain + bytes(1024)))
    return path


def member(name, claimed=0, kind=tarfile.REGTYPE, **headers):
    info = tarfile.TarInfo(name)
    info.size, info.type, info.pax_headers = claimed, kind, headers
    return info


def contents(path, gib):
    found = {}
    for info, opened in tar_members(path, Unpacking(path, gib, KEY)):
        with opened() as stream:
            found[info.name] = stream.read()
    return found


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, lzma.compress])
def test_members_are_read_and_counted(tmp_path, pack):
    files = {f"folder/{number}.txt": bytes([number]) * 512 for number in range(100)}
    path = tar(tmp_path / "a.tar", [(member(name, 512), content) for name, content in files.items()], pack)
    assert contents(path, 0.001) == files
    assert contents(path, None) == files
    with pytest.raises(InputError, match=rf"a\.tar unpacks to more than 1e-05 GiB.*{KEY}"):
        contents(path, 1e-5)


def test_what_a_member_claims_counts_before_it_is_read(tmp_path):
    sparse = {"GNU.sparse.major": "0", "GNU.sparse.minor": "1", "GNU.sparse.map": "0,0"}
    holes = member("holes.csv", **sparse, **{"GNU.sparse.size": str(200 * GIB), "GNU.sparse.realsize": str(200 * GIB)})
    path = tar(tmp_path / "a.tar.gz", [(holes, b"")])
    with pytest.raises(InputError, match="unpacks to more than 100 GiB"):
        contents(path, 100)


def test_members_without_content_and_what_follows_the_last_count_too(tmp_path):
    empty = tar(tmp_path / "a.tar.gz", [(member("x"), b"")] * 5000)
    with pytest.raises(InputError, match="unpacks to more"):
        contents(empty, 1 / 1024)
    tail = tar(tmp_path / "b.tar.gz", [(member("x"), b""), (member("end"), bytes(4 * MIB))])
    with pytest.raises(InputError, match="unpacks to more"):
        contents(tail, 1 / 1024)


@pytest.mark.parametrize("size", [-512, 1 << 40])
def test_a_header_that_claims_an_absurd_length_is_damage(tmp_path, size):
    path = tar(tmp_path / "a.tar.gz", [(member("x", kind=tarfile.XHDTYPE), b"")])
    header = bytearray(gzip.decompress(path.read_bytes()))
    header[124:136] = tarfile.itn(size, 12, tarfile.GNU_FORMAT)
    header[148:156] = b"%06o\0 " % tarfile.calc_chksums(bytes(header[:512]))[0]
    path.write_bytes(gzip.compress(bytes(header)))
    with pytest.raises(tarfile.TarError, match="claims"):
        contents(path, None)


def test_a_member_below_zero_is_damage(tmp_path):
    path = tar(tmp_path / "a.tar.gz", [(member("x", size="-1024"), b"")])
    with pytest.raises(tarfile.TarError, match="below zero"):
        contents(path, None)


def test_a_watched_stream_is_read_in_pieces():
    seen = []
    stream = io.BufferedReader(Watched(io.BytesIO(bytes(10_000)), lambda piece: seen.append(len(piece)), step=4096))
    assert stream.read(6000) == bytes(6000) and stream.read() == bytes(4000)
    assert max(seen) <= 4096 and sum(seen) == 10_000


def test_memory_stays_small_while_much_comes_out(tmp_path):
    with gzip.open(tmp_path / "a.tar.gz", "wb") as packed:
        packed.write(member("zeros", 200 * MIB).tobuf(tarfile.PAX_FORMAT))
        for _ in range(200):
            packed.write(bytes(MIB))
        packed.write(bytes(1024))
    total = 0
    with at_most(20):
        for _, opened in tar_members(tmp_path / "a.tar.gz", Unpacking(tmp_path, 1, KEY)):
            with opened() as stream:
                while piece := stream.read(MIB):
                    total += len(piece)
    assert total == 200 * MIB
