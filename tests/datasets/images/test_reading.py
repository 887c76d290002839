"""Folders, archives and tables of pictures."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest
from made_pictures import encoded, picture, write_pictures

from search.config.dataset import DatasetConfig
from search.datasets import load_splits
from search.datasets.read import read
from search.errors import InputError

NAMES = [
    f"{label}/{i}.{kind}" for label in ("cat", "dog") for i, kind in enumerate(("png", "jpg", "bmp", "gif", "webp"))
]


def config(path: Path, **settings) -> DatasetConfig:
    return DatasetConfig(name="made", content="image", path=str(path), **settings)


def found(path: Path, **settings):
    asked = config(path, **settings)
    return read(path, asked, asked.member)[0]


@pytest.mark.parametrize("packing", [None, "zip", "gztar"])
def test_a_folder_of_classes_is_read_and_names_its_pictures(tmp_path, packing):
    folder = write_pictures(tmp_path / "photos", NAMES)
    (folder / "cat" / "notes.md").write_text("about")
    path = folder if packing is None else Path(shutil.make_archive(str(tmp_path / "p"), packing, folder))
    table = found(path)
    assert list(table.names) == sorted(NAMES) and list(table.labels) == ["cat"] * 5 + ["dog"] * 5
    assert all(isinstance(one, bytes) for one in table.texts) and table.left_out["other_files"] == 1


def test_folders_of_splits_stay_apart(tmp_path):
    for number, split in enumerate(("train", "validation", "test")):
        write_pictures(tmp_path / split, NAMES, 100 * number)
    splits = load_splits(config(tmp_path), tmp_path, 0)
    assert {name: len(part) for name, part in splits.parts.items()} == {"train": 10, "valid": 10, "test": 10}
    assert all(name.startswith("validation/") for name in splits.valid.names)
    assert (splits.train + splits.valid).names[10:].tolist() == splits.valid.names.tolist()


@pytest.mark.parametrize("packing", [None, "zip"])
def test_a_table_names_pictures_from_its_own_folder(tmp_path, packing):
    folder = write_pictures(tmp_path / "photos", NAMES)
    pd.DataFrame({"text": [*NAMES, "cat/0.png"], "label": [*map(len, NAMES), 7]}).to_csv(folder / "t.csv", index=False)
    path = folder / "t.csv" if packing is None else Path(shutil.make_archive(str(tmp_path / "p"), packing, folder))
    table = found(path)
    assert list(table.names) == [*NAMES, "cat/0.png"] and table.texts[-1] == table.texts[0]
    assert table.texts[1] == (folder / NAMES[1]).read_bytes()


@pytest.mark.parametrize("column", ["bytes", "structs"])
def test_parquet_holds_pictures(tmp_path, column):
    data = [encoded(picture(i), "JPEG") for i in range(3)]
    rows = data if column == "bytes" else [{"bytes": one, "path": f"{i}.jpg"} for i, one in enumerate(data)]
    pd.DataFrame({"text": rows, "label": ["a", "b", "a"]}).to_parquet(tmp_path / "t.parquet")
    table = found(tmp_path / "t.parquet")
    assert list(table.texts) == data
    assert list(table.names) == (["row 1", "row 2", "row 3"] if column == "bytes" else ["0.jpg", "1.jpg", "2.jpg"])
    with pytest.raises(InputError, match=r"dataset\.content=image"):
        read(tmp_path / "t.parquet", DatasetConfig(name="made"), None)


def test_what_cannot_be_used_is_counted_and_named_or_refused(tmp_path):
    folder = write_pictures(tmp_path / "photos", [f"{c}/{i}.png" for c in "ab" for i in range(8)])
    (folder / "a" / "broken.jpg").write_bytes(encoded(picture(), "JPEG")[:300])
    (folder / "b" / "no.png").write_bytes(b"no picture")
    picture(99, 80, 64).save(folder / "b" / "large.png")
    splits = load_splits(config(folder, max_pixels=2000), tmp_path, 0)
    assert (splits.cleaning.broken, splits.cleaning.oversized, splits.cleaning.read) == (2, 1, 19)
    assert [one.split()[0] for one in splits.faults] == ["a/broken.jpg", "b/large.png", "b/no.png"]
    with pytest.raises(InputError, match=r"a/broken\.jpg.*first of 3.*dataset\.missing=drop"):
        load_splits(config(folder, max_pixels=2000, missing="error"), tmp_path, 0)


def test_files_that_are_not_there_and_empty_paths_are_counted(tmp_path):
    folder = write_pictures(tmp_path, [f"{i}.png" for i in range(24)])
    paths = [*(f"{i}.png" for i in range(24)), "gone.png", None, str(tmp_path / "0.png")]
    pd.DataFrame({"text": paths, "label": ["a", "b"] * 13 + ["a"]}).to_csv(folder / "t.csv", index=False)
    splits = load_splits(config(folder / "t.csv"), tmp_path, 0)
    counts = splits.cleaning
    # The same picture by another path is the same row twice.
    assert (counts.missing_file, counts.missing_text, counts.duplicates) == (1, 1, 1)
    assert splits.faults == ("gone.png is not there",)


@pytest.mark.parametrize("path", ["../secret.png", "a/../../secret.png"])
def test_a_path_never_leads_out_of_the_tables_folder(tmp_path, path):
    write_pictures(tmp_path, ["secret.png", "in/1.png"])
    pd.DataFrame({"text": ["1.png", path], "label": ["a", "b"]}).to_csv(tmp_path / "in" / "t.csv", index=False)
    with pytest.raises(InputError, match="leads out"):
        found(tmp_path / "in" / "t.csv")


def test_a_folder_without_a_whole_picture_says_why(tmp_path):
    for label in "ab":
        (tmp_path / label).mkdir()
        (tmp_path / label / "1.jpg").write_bytes(b"nothing")
    with pytest.raises(InputError, match=r"a/1\.jpg is no picture.*no others"):
        load_splits(config(tmp_path), tmp_path, 0)


def test_a_single_picture_is_no_data_set(tmp_path):
    folder = write_pictures(tmp_path, NAMES)
    with pytest.raises(InputError, match=r"0\.png is one picture: expected a folder of them"):
        found(folder / "cat" / "0.png")


def test_a_folder_of_pictures_read_as_texts_names_the_setting(tmp_path):
    write_pictures(tmp_path, NAMES)
    with pytest.raises(InputError, match="dataset=images"):
        read(tmp_path, DatasetConfig(name="made", path=str(tmp_path)), None)
