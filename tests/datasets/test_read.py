"""What a path holds: by its ending, by `format`, by the members of an archive."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import tarfile
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest
from memory import at_most

from search.config.dataset import DatasetConfig
from search.datasets.read import is_table_archive, read
from search.errors import InputError

CSV = b"text,label\ngood,1\nbad,0\n"


def parquet_bytes() -> bytes:
    buffer = io.BytesIO()
    pyarrow.parquet.write_table(pa.table({"text": ["good", "bad"], "label": ["1", "0"]}), buffer)
    return buffer.getvalue()


CONTENTS = {
    "a.csv": CSV,
    "a.CSV": CSV,
    "a.tsv": CSV.replace(b",", b"\t"),
    "a.jsonl": b"".join(json.dumps({"text": t, "label": y}).encode() + b"\n" for t, y in [("good", "1"), ("bad", "0")]),
    "a.parquet": parquet_bytes(),
}


def config(**values) -> DatasetConfig:
    return DatasetConfig(name="test", **values)


def pack(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return path


@pytest.mark.parametrize("name", CONTENTS)
@pytest.mark.parametrize("packing", ["plain", "zip", "gz", "tar.gz"])
def test_every_format_is_read_plain_and_packed(tmp_path, name, packing):
    content = CONTENTS[name]
    path = tmp_path / (name if packing == "plain" else f"{name}.{packing}")
    if packing == "plain":
        path.write_bytes(content)
    elif packing == "zip":
        pack(path, {f"deep/{name}": content, "readme.md": b"about"})
    elif packing == "gz":
        path.write_bytes(gzip.compress(content))
    else:
        with tarfile.open(path, "w:gz") as packed:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            packed.addfile(info, io.BytesIO(content))
    table, test = read(path, config(), None)
    assert (list(table.texts), list(table.labels), test) == (["good", "bad"], ["1", "0"], {})
    assert table.source.startswith(str(path))


def test_format_wins_over_the_ending(tmp_path):
    (tmp_path / "a.data").write_bytes(CSV)
    assert len(read(tmp_path / "a.data", config(format="csv"), None)[0]) == 2
    pack(tmp_path / "a.zip", {"a.data": CSV})
    assert len(read(tmp_path / "a.zip", config(format="csv"), None)[0]) == 2
    with pytest.raises(InputError, match=r"dataset\.format"):
        read(tmp_path / "a.data", config(), None)
    with pytest.raises(InputError, match=r"dataset\.format"):
        read(tmp_path / "a.zip", config(), None)


@pytest.mark.parametrize("separator", ["\t", r"\t"])
def test_a_separator_can_be_set(tmp_path, separator):
    (tmp_path / "a.csv").write_bytes(CSV.replace(b",", b"\t"))
    assert len(read(tmp_path / "a.csv", config(separator=separator), None)[0]) == 2


def test_one_of_several_tables_is_chosen_by_member(tmp_path):
    path = pack(tmp_path / "a.zip", {"x/train.csv": CSV, "x/test.csv": CSV + b"fine,1\n", "notes.txt": b""})
    assert is_table_archive(path, config())
    for member in ["x/test.csv", "test.csv"]:
        assert len(read(path, config(), member)[0]) == 3
    with pytest.raises(InputError, match=r"x/train\.csv.*x/test\.csv.*dataset\.member="):
        read(path, config(), None)
    with pytest.raises(InputError, match=r"did you mean 'x/train\.csv'"):
        read(path, config(), "x/trian.csv")


def test_a_plain_file_has_no_members(tmp_path):
    (tmp_path / "a.csv").write_bytes(CSV)
    assert len(read(tmp_path / "a.csv", config(), "train.csv")[0]) == 2
    assert not is_table_archive(tmp_path / "a.csv", config())


def test_an_archive_without_tables_but_with_class_folders_is_a_folder(tmp_path):
    path = pack(tmp_path / "a.zip", {"good/1.txt": b"fine", "bad/1.txt": b"awful"})
    assert list(read(path, config(), None)[0].labels) == ["bad", "good"]
    assert not is_table_archive(path, config())


def test_a_folder_is_no_file_and_the_other_way_round(tmp_path):
    (tmp_path / "a.csv").write_bytes(CSV)
    with pytest.raises(InputError, match=r"dataset\.format=csv"):
        read(tmp_path, config(format="csv"), None)
    with pytest.raises(InputError, match=r"dataset\.format=folder"):
        read(tmp_path / "a.csv", config(format="folder"), None)


def test_text_and_label_are_two_columns(tmp_path):
    (tmp_path / "a.csv").write_bytes(CSV)
    with pytest.raises(InputError, match="two columns"):
        read(tmp_path / "a.csv", config(label="text"), None)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 not really", b"<html></html>"])
def test_a_zip_that_is_none_is_one_line(tmp_path, content):
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(InputError, match=r"a\.zip cannot be read as an archive"):
        read(tmp_path / "a.zip", config(), None)


def test_an_empty_zip_says_so(tmp_path):
    with pytest.raises(InputError, match="empty"):
        read(pack(tmp_path / "a.zip", {}), config(), None)


@pytest.mark.parametrize("name", CONTENTS)
def test_damage_that_shows_while_a_table_is_read_is_one_line(tmp_path, name):
    path = pack(tmp_path / "a.zip", {name: CONTENTS[name]})
    with zipfile.ZipFile(path) as packed:
        begin = packed.infolist()[0].header_offset + 30 + len(name)
    content = bytearray(path.read_bytes())
    content[begin + 5] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(InputError) as error:
        read(path, config(), None)
    assert "a.zip" in str(error.value)


def test_a_file_that_may_not_be_read_is_one_line(tmp_path, monkeypatch):
    (tmp_path / "a.csv").write_bytes(CSV)

    def refuse(*_args, **_kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(InputError, match=r"a\.csv cannot be read: Permission denied"):
        read(tmp_path / "a.csv", config(), None)


def office_bytes() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as packed:
        packed.writestr("[Content_Types].xml", "<Types/>")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (office_bytes(), "Excel workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0", "Excel workbook"),
        (parquet_bytes(), r"Parquet.*dataset\.format=parquet"),
        (gzip.compress(CSV, mtime=0), r"gzip.*\.gz"),
        (bz2.compress(CSV), "bzip2"),
        (lzma.compress(CSV), "xz"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "git lfs pull"),
    ],
)
@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.jsonl"])
def test_a_table_that_is_something_else_says_what(tmp_path, name, content, says):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=rf"{name} is .*{says}") as error:
        read(tmp_path / name, config(), None)
    assert "encoding" not in str(error.value)
    with pytest.raises(InputError, match=rf"{name} is .*{says}"):
        read(pack(tmp_path / "a.zip", {name: content}), config(), None)


def test_a_zip_called_otherwise_says_so(tmp_path):
    pack(tmp_path / "a.csv", {"a.csv": CSV})
    with pytest.raises(InputError, match=r"a\.csv is a \.zip archive, not CSV"):
        read(tmp_path / "a.csv", config(), None)
    pack(tmp_path / "a.csv.gz", {"a.csv": CSV})
    with pytest.raises(InputError, match=r"by its first bytes it is a \.zip archive"):
        read(tmp_path / "a.csv.gz", config(), None)


@pytest.mark.parametrize(("content", "says"), [(CSV, "text"), (b"", "empty"), (gzip.compress(CSV, mtime=0), "gzip")])
def test_what_is_called_parquet_and_is_none_says_what_it_is(tmp_path, content, says):
    (tmp_path / "a.parquet").write_bytes(content)
    with pytest.raises(InputError, match=rf"a\.parquet cannot be read as Parquet, it is .*{says}"):
        read(tmp_path / "a.parquet", config(), None)


@pytest.mark.parametrize("header", ["PAR1", "PK", "BZh", "7z", "%PDF", "Rar!"])
def test_a_header_that_only_looks_like_another_kind_is_read(tmp_path, header):
    (tmp_path / "a.csv").write_bytes(header.encode() + b",text,label\n1,good,1\n2,bad,0\n")
    assert len(read(tmp_path / "a.csv", config(), None)[0]) == 2


@pytest.mark.parametrize("name", ["a.csv.gz", "a.jsonl.gz", "a.zip"])
def test_a_line_without_end_is_refused_in_little_memory(tmp_path, name):
    spaces = b" " * (64 << 20)
    if name == "a.zip":
        pack(tmp_path / name, {"a.csv": spaces})
    else:
        (tmp_path / name).write_bytes(gzip.compress(spaces))
    with at_most(24), pytest.raises(InputError, match=r"Line 1 of .* longer than 2 MiB.* dataset\.max_row_mib"):
        read(tmp_path / name, config(max_row_mib=2.0), None)


@pytest.mark.parametrize("line", [b"\n", b" \r\n"])
def test_empty_lines_without_end_are_refused(tmp_path, line):
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(CSV + line * (4 << 20)))
    with at_most(24), pytest.raises(InputError, match=r"White space .* up to line [\d,]+ is longer than 2 MiB"):
        read(tmp_path / "a.csv.gz", config(max_row_mib=2.0), None)


def test_rows_that_take_no_room_in_an_archive_take_some_in_memory(tmp_path):
    rows = CSV + b"a,1\n" * (1 << 16)
    for path in (tmp_path / "a.csv.gz", tmp_path / "a.csv"):
        path.write_bytes(gzip.compress(rows) if path.suffix == ".gz" else rows)
        assert len(read(path, config(), None)[0]) == (1 << 16) + 2
    with pytest.raises(InputError, match=r"more than 65,536 lines.*dataset\.max_unpacked_gib"):
        read(tmp_path / "a.csv.gz", config(max_unpacked_gib=1 / 128), None)
    assert read(tmp_path / "a.csv", config(max_unpacked_gib=1 / 128), None)


def test_parquet_is_no_larger_than_the_limit(tmp_path):
    table = pa.table({"text": ["a text that repeats"] * 100_000, "label": ["1"] * 100_000})
    pyarrow.parquet.write_table(table, tmp_path / "a.parquet")
    with pytest.raises(InputError, match=r"dataset\.max_unpacked_gib"):
        read(tmp_path / "a.parquet", config(max_unpacked_gib=1 / 1024), None)
