"""Paths are read in one way: `~` is the home folder, relative ones start here, and a run keeps absolute ones."""

import os
from pathlib import Path

import pytest
import yaml
from omegaconf import OmegaConf
from reviews import write_reviews

from search.config import Config
from search.errors import InputError
from search.utils.paths import cache_folder, make_absolute, read_path


@pytest.fixture
def home(tmp_path, monkeypatch):
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    return folder


def test_the_home_folder_is_put_in(home):
    assert read_path("~/runs", "run") == home / "runs"
    assert read_path("runs", "run") == Path("runs")


@pytest.mark.parametrize("given", ["", " ", "~nobody-of-this-name/x", "a" * 300, "file/below", "loop", "nul\0"])
def test_what_can_be_no_path_is_named(tmp_path, monkeypatch, given):
    monkeypatch.chdir(tmp_path)
    Path("file").write_text("")
    Path("loop").symlink_to("loop")
    with pytest.raises(InputError, match=r"^run") as told:
        read_path(given, "run")
    assert len(str(told.value)) < 250


def test_an_empty_variable_names_no_folder(monkeypatch):
    monkeypatch.setenv("SEARCH_CACHE", "")
    assert cache_folder() == "~/.cache/search"


def test_every_path_of_the_settings_becomes_absolute(tmp_path, monkeypatch, home):
    monkeypatch.chdir(tmp_path)
    paths = ("dataset.path", "dataset.test_path", "dataset.valid_path", "dataset.unlabelled_path", "resume")
    folders = ("paths.data", "paths.modules", "paths.features", "paths.outputs")
    settings = OmegaConf.structured(Config)
    for key in (*paths, *folders):
        OmegaConf.update(settings, key, f"~/{key}" if key in folders else key)
    make_absolute(settings, Config)
    assert [OmegaConf.select(settings, key) for key in paths] == [str(tmp_path / key) for key in paths]
    assert [OmegaConf.select(settings, key) for key in folders] == [str(home / key) for key in folders]
    assert settings.dataset.text == "text"


@pytest.mark.slow
def test_a_run_in_the_home_folder_is_found_there(search_command, tmp_path, home, word_module):
    write_reviews(tmp_path / "reviews.csv", rows=120)
    outcome = search_command(
        *("dataset=csv", "dataset.path=reviews.csv", "dataset.text=review", "dataset.label=stars"),
        *("paths.outputs=~/runs", f"space.modules=[{word_module}]", "space.trainable=false", "tuner=random"),
        *("tuner.max_trials=1", "tuner.max_epochs=1"),
    )
    assert outcome.code == 0, outcome.err
    assert not (tmp_path / "~").exists()
    (run,) = (home / "runs" / "csv").iterdir()
    saved = yaml.safe_load((run / ".hydra" / "config.yaml").read_text())
    assert saved["dataset"]["path"] == str(tmp_path / "reviews.csv")
    assert saved["paths"]["outputs"] == str(home / "runs")


def test_latest_is_the_newest_run_that_has_ended(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r"run=latest: there is no run below outputs"):
        read_path("latest", "run")
    for age, name in enumerate(["quora/c", "tweets/b", "tweets/multirun/a/0"]):
        folder = tmp_path / "outputs" / name / ".hydra"
        folder.mkdir(parents=True)
        (folder / "config.yaml").write_text("a: 1")
        os.utime(folder / "config.yaml", (1e9 - age, 1e9 - age))
    assert read_path("latest", "run") == Path("outputs/quora/c"), "none has ended"
    (tmp_path / "outputs" / "tweets" / "b" / "summary.json").write_text("{}")
    assert read_path("latest", "run") == Path("outputs/tweets/b")
    assert read_path("latest", "resume") == Path("outputs/quora/c")
    assert read_path("outputs/tweets/latest", "resume") == Path("outputs/tweets/b")
    assert read_path("latest", "input") == Path("latest"), "another argument"
    (tmp_path / "latest").mkdir()
    assert read_path("latest", "run") == Path("latest"), "a folder of that name"
