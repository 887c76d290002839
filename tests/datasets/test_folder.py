"""Folders of text files: the layout of the IMDB reviews, and class folders without splits."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from search.config.dataset import DatasetConfig
from search.datasets.file_lists import list_files
from search.datasets.folder import read_folder
from search.datasets.limits import LIMITS
from search.errors import InputError

IMDB = {
    "README": "about",
    "words.txt": "vocabulary",
    "train/urls_pos.txt": "https://example.com",
    "train/pos/1_8.txt": "fine",
    "train/pos/0_9.txt": "good",
    "train/neg/0_1.txt": "bad",
    "train/unsup/0_0.txt": "what",
    "test/pos/0_9.txt": "nice\n",
    "test/neg/0_2.txt": "awful",
}


def read(path: Path, member, classes, **settings):
    config = DatasetConfig(name="made", classes=classes, **settings)
    train, others = read_folder(path, list_files(path, LIMITS), member, config)
    return train, others.get("test")


def make_folder(path: Path, files: dict[str, str | bytes]) -> Path:
    for name, content in files.items():
        target = path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.fixture(params=["folder", "zip", "gztar", "folder above", "zip with a folder"])
def imdb(request, tmp_path):
    folder = make_folder(tmp_path / "parts" / "aclImdb", IMDB)
    if request.param.startswith("folder"):
        return folder if request.param == "folder" else folder.parent
    kind = request.param.split()[0]
    root = folder.parent if "with" in request.param else folder
    return Path(shutil.make_archive(str(tmp_path / "packed"), kind, root))


def test_train_and_test_folders_are_two_tables_in_sorted_order(imdb):
    train, test = read(imdb, None, ["neg", "pos"])
    assert list(zip(train.texts, train.labels, train.rows, strict=True)) == [
        ("bad", "neg", 1),
        ("good", "pos", 2),
        ("fine", "pos", 3),
    ]
    assert test is not None
    assert list(zip(test.texts, test.labels, test.rows, strict=True)) == [("awful", "neg", 1), ("nice\n", "pos", 2)]


def test_without_a_filter_every_folder_is_a_class(imdb):
    train, _ = read(imdb, None, None)
    assert set(train.labels) == {"neg", "pos", "unsup"}


def test_class_folders_stand_for_themselves(tmp_path):
    folder = make_folder(tmp_path / "news", {"sport/1.txt": "goal", "tech/1.txt": "chip", "tech/train/2.txt": "deep"})
    train, test = read(folder, None, None)
    assert (list(train.texts), list(train.labels), test) == (["goal", "chip"], ["sport", "tech"], None)


def test_a_class_may_be_called_train(tmp_path):
    folder = make_folder(tmp_path / "travel", {"train/1.txt": "rails", "bus/1.txt": "road"})
    train, test = read(folder, None, None)
    assert (list(train.labels), test) == (["bus", "train"], None)


def test_one_class_folder_is_read_as_one_class(tmp_path):
    folder = make_folder(tmp_path / "news", {"sport/1.txt": "goal", "sport/2.txt": "foul"})
    assert set(read(folder, None, None)[0].labels) == {"sport"}


def test_a_member_is_the_folder_to_begin_at(tmp_path):
    make_folder(tmp_path / "parts", {"a/x/1.txt": "ax", "a/y/1.txt": "ay", "b/x/1.txt": "bx", "b/z/1.txt": "bz"})
    packed = Path(shutil.make_archive(str(tmp_path / "packed"), "zip", tmp_path / "parts"))
    assert list(read(packed, "b", None)[0].labels) == ["x", "z"]
    with pytest.raises(InputError, match=r"dataset\.member"):
        read(packed, "c", None)


def test_a_folder_without_class_folders_says_what_is_expected(tmp_path):
    folder = make_folder(tmp_path / "quora", {"train.csv": "text,label\n"})
    with pytest.raises(InputError, match=r"train/<class>/\*\.txt.*'train\.csv'"):
        read(folder, None, None)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="nothing"):
        read(tmp_path / "empty", None, None)


def test_an_unknown_class_names_the_nearest(imdb):
    with pytest.raises(InputError, match="did you mean 'pos'"):
        read(imdb, None, ["neg", "poss"])


def test_a_file_of_another_encoding_is_named(tmp_path):
    folder = make_folder(tmp_path / "news", {"sport/1.txt": b"\xa3 5", "tech/1.txt": "chip"})
    with pytest.raises(InputError, match=r"sport/1\.txt.*dataset\.encoding=latin-1"):
        read(folder, None, None)
    assert list(read(folder, None, None, encoding="latin-1")[0].texts) == ["£ 5", "chip"]
    assert list(read(folder, None, None, undecodable="replace")[0].texts) == ["� 5", "chip"]


@pytest.fixture(params=["folder", "zip", "gztar"])
def untidy(request, tmp_path):
    """A folder with files of every kind that is left out."""
    names = ["a/1.TXT", "a/2.Txt", "b/1.txt", "b/._1.txt", ".ipynb_checkpoints/1.txt", "b/.hidden/1.txt", ".keep"]
    folder = make_folder(tmp_path / "news", dict.fromkeys([*names, "b/notes.md", "b/3", "b/old/4.txt"], "text"))
    if request.param == "folder":
        return folder
    return Path(shutil.make_archive(str(tmp_path / "packed"), request.param, folder.parent, "news"))


def test_endings_in_any_case_are_texts_and_what_is_left_out_is_counted(untidy):
    train, _ = read(untidy, None, None)
    assert list(train.labels) == ["a", "a", "b"]
    assert {name: number for name, number in train.left_out.items() if number} == {
        "hidden_files": 4,
        "other_files": 2,
        "misplaced_files": 1,
    }


def test_files_of_other_splits_and_classes_are_counted(imdb):
    train, test = read(imdb, None, ["neg", "pos"])
    assert {name: number for name, number in train.left_out.items() if number} == {
        "other_files": 1,
        "misplaced_files": 2,
        "other_class_files": 1,
    }
    assert test is not None and not test.left_out


def test_a_folder_is_no_class_by_its_files_with_dots_alone(tmp_path):
    folder = make_folder(tmp_path / "news", {"a/.1.txt": "x", ".b/1.txt": "y"})
    with pytest.raises(InputError, match="no class folders"):
        read(folder, None, None)


def test_links_are_followed_and_pipes_and_loops_are_not_read(tmp_path):
    make_folder(tmp_path / "elsewhere", {"1.txt": "far"})
    folder = make_folder(tmp_path / "news", {"a/1.txt": "near"})
    (folder / "b").symlink_to(tmp_path / "elsewhere")
    (folder / "a" / "loop").symlink_to(folder)
    (folder / "a" / "gone.txt").symlink_to("nowhere.txt")
    os.mkfifo(folder / "a" / "pipe.txt")
    train, _ = read(folder, None, None)
    assert list(zip(train.texts, train.labels, strict=True)) == [("near", "a"), ("far", "b")]
    assert train.left_out["special_files"] == 2


def test_a_text_without_end_is_refused(tmp_path):
    folder = make_folder(tmp_path / "news", {"a/1.txt": "x" * 3000, "b/1.txt": "y"})
    packed = Path(shutil.make_archive(str(tmp_path / "packed"), "zip", folder))
    for path in (folder, packed):
        assert len(read(path, None, None)[0].texts[0]) == 3000
        with pytest.raises(InputError, match=r"a/1\.txt is longer than .* dataset\.max_row_mib"):
            read(path, None, None, max_row_mib=2000 / 2**20)


def test_a_text_that_is_none_says_what_it_is(tmp_path):
    folder = make_folder(tmp_path / "news", {"a/1.txt": b"%PDF-1.7 \xff", "b/1.txt": "y"})
    with pytest.raises(InputError, match=r"a/1\.txt is a PDF"):
        read(folder, None, None)
