"""What a path holds: by its ending, by `format`, by the members of an archive."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest

from search.config import DatasetConfig
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
    assert (list(table.texts), list(table.labels), test) == (["good", "bad"], ["1", "0"], None)
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
    assert is_table_archive(path, "auto")
    for member in ["x/test.csv", "test.csv"]:
        assert len(read(path, config(), member)[0]) == 3
    with pytest.raises(InputError, match=r"x/train\.csv.*x/test\.csv.*dataset\.member="):
        read(path, config(), None)
    with pytest.raises(InputError, match=r"did you mean 'x/train\.csv'"):
        read(path, config(), "x/trian.csv")


def test_a_plain_file_has_no_members(tmp_path):
    (tmp_path / "a.csv").write_bytes(CSV)
    assert len(read(tmp_path / "a.csv", config(), "train.csv")[0]) == 2
    assert not is_table_archive(tmp_path / "a.csv", "auto")


def test_an_archive_without_tables_but_with_class_folders_is_a_folder(tmp_path):
    path = pack(tmp_path / "a.zip", {"good/1.txt": b"fine", "bad/1.txt": b"awful"})
    assert list(read(path, config(), None)[0].labels) == ["bad", "good"]
    assert not is_table_archive(path, "auto")


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
