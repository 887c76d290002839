"""A run goes on with the data and the modules that it was begun with, wherever they lie, and with no others."""

import json
import os
import shutil

import numpy as np
import pandas as pd
import pytest
from reviews import VOCABULARY, write_reviews

from search.backbones.builders.vectors import write_module
from search.config.dataset import DatasetConfig
from search.errors import InputError
from search.job.inputs import Inputs

SMALL = (
    "tuner=random",
    "tuner.max_trials=1",
    "tuner.max_epochs=1",
    "space.trainable=false",
    "space.layers=0",
    "space.wide=none",
)


def inputs_of(folder, **paths):
    return Inputs.of_data(DatasetConfig(name="csv", **{key: str(folder / name) for key, name in paths.items()}), folder)


@pytest.fixture
def folder(tmp_path):
    for name, text in (("a.csv", "text,label\ngood,1\n"), ("b.csv", "text,label\nbad,0\n")):
        (tmp_path / name).write_text(text)
    return tmp_path


def test_the_same_data_may_lie_elsewhere(folder):
    begun = inputs_of(folder, path="a.csv", test_path="b.csv")
    (folder / "a.csv").rename(folder / "moved.csv")
    begun.check_data(inputs_of(folder, path="moved.csv", test_path="b.csv"))


def test_other_data_is_refused_and_named(folder):
    begun = inputs_of(folder, path="a.csv", test_path="b.csv")
    (folder / "b.csv").write_text("text,label\nbad,1\n")
    with pytest.raises(InputError, match=r"dataset\.test_path=.*b\.csv"):
        begun.check_data(inputs_of(folder, path="a.csv", test_path="b.csv"))


def test_a_file_more_or_less_is_refused(folder):
    alone, both = inputs_of(folder, path="a.csv"), inputs_of(folder, path="a.csv", valid_path="b.csv")
    for then, now in ((alone, both), (both, alone)):
        with pytest.raises(InputError, match=r"dataset\.valid_path"):
            then.check_data(now)


def test_other_modules_are_refused_and_named():
    begun = Inputs({}, {"mine": "1", "glove-50": "2"})
    begun.check_modules(Inputs({}, {"mine": "1", "glove-50": "2"}))
    with pytest.raises(InputError, match="module glove-50"):
        begun.check_modules(Inputs({}, {"mine": "1", "glove-50": "3"}))


def test_what_is_written_is_read_again(folder):
    written = Inputs(inputs_of(folder, path="a.csv").data, {"mine": "1"}, ["/catalog"], {"mine": "/a/mine"})
    written.write(folder / "inputs.json")
    assert Inputs.read(folder / "inputs.json") == written
    assert Inputs.read(folder / "nowhere.json") is None
    for damaged in ("{", "{}", "[]", '{"data": {"x": 1}, "modules": {}, "catalogs": []}'):
        (folder / "inputs.json").write_text(damaged)
        with pytest.raises(InputError, match=r"inputs\.json is damaged"):
            Inputs.read(folder / "inputs.json")


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("/dev/zero")])
def test_what_has_no_end_is_refused(folder, make):
    make(folder / "endless.csv")
    with pytest.raises(InputError, match=r"endless\.csv"):
        inputs_of(folder, path="endless.csv")


@pytest.mark.slow
def test_a_run_goes_on_from_anywhere_and_with_its_own_inputs_alone(search_command, tmp_path, monkeypatch):
    words = list(VOCABULARY)
    vectors = np.random.default_rng(0).normal(size=(len(words), 8)).astype(np.float32)
    write_module(words, vectors, tmp_path / "mine")
    write_reviews(tmp_path / "reviews.csv", 200)
    begun = search_command(
        *("dataset=csv", "dataset.path=reviews.csv", "dataset.text=review", "dataset.label=stars"),
        *(*SMALL, "space.modules=[./mine]", "hydra.run.dir=run"),
    )
    assert begun.code == 0, begun.err
    run = tmp_path / "run"
    assert set(pd.read_csv(run / "leaderboard.csv")["module"]) == {"./mine"}
    assert json.loads((run / "inputs.json").read_text())["places"] == {"./mine": str(tmp_path / "mine")}
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)

    def going_on(*more):
        (run / "summary.json").unlink(missing_ok=True)  # as if it had been killed
        return search_command(f"resume={run}", *more)

    assert (outcome := going_on()).code == 0, outcome.err
    shutil.move(tmp_path / "reviews.csv", elsewhere / "same.csv")
    outcome = going_on()
    assert (outcome.code, outcome.err.count("\n")) == (2, 1) and "reviews.csv" in outcome.err
    assert (outcome := going_on("dataset.path=same.csv")).code == 0, outcome.err
    assert json.loads((run / "inputs.json").read_text())["data"]["dataset.path"]["path"] == str(elsewhere / "same.csv")

    text = (elsewhere / "same.csv").read_text()
    (elsewhere / "same.csv").write_text(text.replace("good", "bad", 1))
    outcome = going_on()
    assert (outcome.code, outcome.err.count("\n")) == (2, 1) and "same.csv" in outcome.err
    (elsewhere / "same.csv").write_text(text)

    shutil.rmtree(tmp_path / "mine")
    write_module(words, vectors * 2, tmp_path / "mine")
    monkeypatch.setattr("search.backbones.hub.load._published", {})
    outcome = going_on()
    assert (outcome.code, outcome.err.count("\n")) == (2, 1) and "module ./mine" in outcome.err
    shutil.rmtree(tmp_path / "mine")
    write_module(words, vectors, tmp_path / "mine")
    monkeypatch.setattr("search.backbones.hub.load._published", {})
    assert (outcome := going_on()).code == 0, outcome.err
