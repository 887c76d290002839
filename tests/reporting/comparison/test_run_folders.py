"""Finding the runs a person means."""

import shlex
from pathlib import Path

import pytest

from search.errors import InputError
from search.reporting.comparison.folders import read_runs, run_folders, short_names
from search.reporting.report.sections.use import use

ALL = ["1", "2", "10", "begun", "other"]


@pytest.mark.parametrize("word", ["outputs/made", "outputs/made/*", "outputs", "outputs/made/"])
def test_a_pattern_and_the_folders_above_name_every_run_in_natural_order(made, monkeypatch, tmp_path, word):
    (tmp_path / "outputs").mkdir()
    (tmp_path / "outputs" / "made").symlink_to(made)
    monkeypatch.chdir(tmp_path)
    assert [folder.name for folder in run_folders([word])] == ALL


def test_several_words_and_commas_name_each_run_once(made):
    words = [f"{made / '2'},{made / '1'}", made / "2", f"{made}/1*"]
    assert [folder.name for folder in run_folders(words)] == ["2", "1", "10"]


def test_a_folder_with_a_comma_in_its_name(tmp_path):
    folder = tmp_path / "seed=1,tuner=grid"
    (folder / ".hydra").mkdir(parents=True)
    (folder / ".hydra" / "config.yaml").write_text("{}")
    assert run_folders([str(folder)]) == [folder]


@pytest.mark.parametrize(
    ("word", "told"),
    [("nowhere", "no such folder"), ("x/*", "nothing"), ("empty", ".hydra"), ("file", "a file"), ("", "empty")],
)
def test_what_is_no_run_is_refused(tmp_path, monkeypatch, word, told):
    monkeypatch.chdir(tmp_path)
    Path("empty").mkdir()
    Path("file").write_text("")
    with pytest.raises(InputError, match=told):
        run_folders([word])


def test_runs_that_have_not_ended_are_named_and_left_out(made):
    waiting = []
    found = read_runs([f"{made}/[1b]*"], waiting.append)
    assert [run.folder.path.name for run in found] == ["1", "10"]
    assert [folder.name for folder in waiting] == ["begun"]


def test_a_runs_own_page_tells_how_to_compare_it_with_those_beside_it(made, runs, monkeypatch):
    monkeypatch.chdir(made.parent)
    command = next(text for _, text in use(runs[0])["commands"] if "search.leaderboard" in text)
    *_, word = shlex.split(command)
    assert word == "runs=made/*"
    assert [folder.name for folder in run_folders([word.removeprefix("runs=")])] == ALL


def test_short_names_leave_out_what_is_shared():
    assert short_names([Path("/a/quora/1"), Path("/a/tweets/1")]) == ["quora/1", "tweets/1"]
    assert short_names([Path("/a/quora/1"), Path("/a/quora/2")]) == ["1", "2"]
    assert short_names([Path("/a/quora/1")]) == ["1"]
