"""Pictures that are read some at a time: from a folder, an archive, a single file, or by the paths of a table."""

from __future__ import annotations

import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest
from made_pictures import write_pictures

from search.config.dataset import DatasetConfig
from search.datasets import stream_content
from search.datasets.limits import Limits
from search.datasets.source import Source
from search.datasets.stream import Rows, Stream
from search.datasets.stream_content import are_files, stream_files, with_content
from search.datasets.stream_parquet import stream_parquet
from search.errors import InputError

SETTINGS = DatasetConfig(name="made", content="image")
NAMES = ["a.png", "b/c.jpg", "d.bmp"]
BROKEN = {"bytes": b"no picture", "path": None}


def read(stream: Stream):
    rows = list(stream.rows)
    return [record for some in rows for record in some.records], [text for some in rows for text in some.texts]


@pytest.mark.parametrize("packing", [None, "zip"])
def test_files_are_a_table_of_their_names(tmp_path, packing, monkeypatch):
    monkeypatch.setattr(stream_content, "FILES", 2)
    folder = write_pictures(tmp_path / "new", NAMES)
    (folder / "bad.png").write_bytes(b"no picture")
    path = folder if packing is None else Path(shutil.make_archive(str(tmp_path / "p"), packing, folder))
    refused: list[InputError] = []
    assert are_files(path, SETTINGS) and not are_files(path, DatasetConfig(name="made"))
    records, texts = read(with_content(stream_files(path, SETTINGS), path, SETTINGS, refused.append))
    assert sorted(records) == [[name] for name in NAMES] and "bad.png" in str(refused[0]) and len(refused) == 1
    assert dict(zip([one for (one,) in records], texts, strict=True))["a.png"] == (folder / "a.png").read_bytes()


def test_a_single_file_is_a_table_of_one_row(tmp_path):
    write_pictures(tmp_path, NAMES)
    path = tmp_path / "b" / "c.jpg"
    assert read(with_content(stream_files(path, SETTINGS), path, SETTINGS, print)) == ([["c.jpg"]], [path.read_bytes()])


def test_rows_of_a_table_keep_their_other_fields_and_bad_ones_are_refused(tmp_path):
    write_pictures(tmp_path / "new", NAMES)
    write_pictures(tmp_path, ["secret.png"])
    paths = ["a.png", "gone.png", "d.bmp", "../secret.png"]
    stream = Stream(["text", "x"], iter([Rows(paths, [[path, str(at)] for at, path in enumerate(paths)])]))
    refused: list[InputError] = []
    records, texts = read(with_content(stream, tmp_path / "new", SETTINGS, refused.append))
    assert records == [["a.png", "0"], ["d.bmp", "2"]] and all(isinstance(one, bytes) for one in texts)
    assert [str(one).split()[0] for one in refused] == ["gone.png", "'../secret.png'"]


def test_texts_stay_as_they_are(tmp_path):
    stream = Stream(["text"], iter([]))
    assert with_content(stream, tmp_path, DatasetConfig(name="made"), print) is stream


def test_a_folder_without_pictures_is_told(tmp_path):
    with pytest.raises(InputError, match=r"no files that end in \.jpg"):
        stream_files(tmp_path, SETTINGS)


def test_parquet_holds_files_or_names_them(tmp_path):
    write_pictures(tmp_path, NAMES)
    held = [(tmp_path / name).read_bytes() for name in NAMES[:2]]
    table = pa.table({"n": [1, 2, 3, 4], "image": [*({"bytes": one, "path": None} for one in held), None, BROKEN]})
    pyarrow.parquet.write_table(table, tmp_path / "new.parquet")
    refused: list[InputError] = []
    source = Source.of(tmp_path / "new.parquet", limits=Limits.of(SETTINGS))
    with stream_parquet(source, ["image"], refused.append, content=SETTINGS.content) as stream:
        rows = list(with_content(stream, tmp_path, SETTINGS, refused.append).rows)
    assert [number for some in rows for number in some.records.column("n").to_pylist()] == [1, 2]
    assert [text for some in rows for text in some.texts] == held
    assert [" ".join(str(one).split()[:2]) for one in refused] == ["Row 3", "Row 4"]
