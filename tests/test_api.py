"""`search.run`: the command line's settings, from Python."""

import logging

import pandas as pd
import pytest
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import given
from hypothesis import strategies as st
from reviews import write_reviews

import search
import spaces
from search.job import pipeline
from search.utils.overrides import literal

FRAME = pd.DataFrame({"review": ["a good day", "a bad day"], "stars": ["good", "bad"]})
CSV = ("dataset=csv", "dataset.path=reviews.csv", "dataset.text=review", "dataset.label=stars")


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    logging.getLogger().handlers = []


@pytest.fixture
def asked(monkeypatch):
    """Gives the configurations that the job is asked to run; each ends before it begins."""
    configurations = []

    def stop(config, overrides, output, catalogs, *_, **__):
        configurations.append((config, list(overrides), output, catalogs))
        raise search.SearchError("stopped")

    monkeypatch.setattr(pipeline, "run", stop)

    def call(*settings, **others):
        with pytest.raises(search.SearchError, match="stopped"):
            search.run(*settings, **others)
        return configurations[-1]

    return call


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\x00"), max_size=12).filter(
    lambda text: "${" not in text
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-1000, 1000) | st.floats(0.001, 10) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.from_regex(r"\A[a-z]+\Z"), inner, max_size=3),
    max_leaves=5,
)


@given(VALUES)
def test_values_come_through_hydras_grammar(value):
    (override,) = OverridesParser.create().parse_overrides([f"key={literal(value)}"])
    assert plain(override.value()) == value


def plain(value):
    if isinstance(value, list):
        return [plain(one) for one in value]
    if isinstance(value, dict):
        return {str(key): plain(one) for key, one in value.items()}
    return getattr(value, "text", value)


def test_settings_are_those_of_the_command_line(asked, tmp_path):
    config, overrides, output, _ = asked(
        *CSV,
        "tuner.max_epochs=3",
        overrides={"space.units": [8, 16], "space.learning_rate": {"min": 1e-3, "max": 1e-2}, "seed": 5,
                   "tuner": "random", "tuner.max_trials": 4, "dataset.positive": None, "dataset.name": "mine"},
    )  # fmt: skip
    assert (config.tuner.name, config.tuner.max_trials, config.tuner.max_epochs, config.seed) == ("random", 4, 3, 5)
    assert config.space["units"] == [8, 16] and config.space["learning_rate"] == {"min": 1e-3, "max": 1e-2}
    assert "tuner.max_epochs=3" in overrides
    assert output.parts[:2] == ("outputs", "mine") and not output.exists()


def test_a_folder_of_ones_own(asked, tmp_path):
    (tmp_path / "my 'conf'" / "space").mkdir(parents=True)
    (tmp_path / "my 'conf'" / "space" / "mine.yaml").write_text("units: [8]\n")
    config, _, _, catalogs = asked("space=mine", "space.layers=2", config_dir="my 'conf'")
    assert config.space["units"] == [8] and config.space["layers"] == 2
    assert tmp_path / "my 'conf'" in catalogs


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (["dataset=quorra"], "'quora'"),
        (["tuner.max_epoch=3"], "'tuner.max_epochs'"),
        (["space.dropout.min=0.9"], "space.dropout"),
        (["nonsense"], "key=value"),
        (["--cfg"], "--cfg"),
        (["dataset=csv"], "dataset.path"),
        (["dataset=csv", "dataset.path=nowhere.csv"], "nowhere.csv"),
        (["resume=nowhere"], "resume=nowhere"),
    ],
)
def test_what_cannot_be_used_is_an_input_error(tmp_path, settings, told):
    with pytest.raises(search.InputError, match=told.replace("'", ".")) as raised:
        search.run(*settings)
    assert "\n" not in str(raised.value)
    assert list(tmp_path.iterdir()) == []


def test_hydra_is_left_as_it_was(asked, tmp_path):
    (tmp_path / "theirs.yaml").write_text("a: 1\n")
    with initialize_config_dir(str(tmp_path), version_base="1.3"):
        asked("seed=1")
        assert compose("theirs").a == 1
    asked("seed=2")
    assert not GlobalHydra.instance().is_initialized()


def test_an_interrupted_run_says_how_to_go_on(monkeypatch):
    def begun(config, overrides, output, *_, **__):
        (output / ".hydra").mkdir(parents=True)
        raise KeyboardInterrupt

    monkeypatch.setattr(pipeline, "run", begun)
    with pytest.raises(KeyboardInterrupt, match="resume=outputs/mine"):
        search.run("hydra.run.dir=outputs/mine")


@pytest.mark.parametrize(
    "data, settings, others, told",
    [
        (FRAME, ["dataset=quora"], {}, "data and dataset are both given"),
        (FRAME, [], {"overrides": {"dataset.path": "x.csv"}}, "data and dataset.path are both given"),
        (FRAME, ["resume=outputs/x"], {}, "data and resume are both given"),
        (None, CSV, {"test": FRAME}, "test is given without data"),
        (FRAME, [], {"text": "reviews"}, "data has no column 'reviews'.*did you mean 'review'"),
        (FRAME, [], {"text": ["review", "titel"]}, "data has no column 'titel'"),
        (FRAME, [], {"text": ["review", "review"]}, "each once"),
        (FRAME, [], {"label": 1}, "data has no column '1'"),
        (FRAME, [], {"overrides": ["seed=3"]}, "overrides is of type list: expected a mapping"),
        (FRAME, [], {"text": "review", "test": FRAME[["review"]]}, "test has no column 'stars'"),
        (FRAME, [], {"callbacks": [print]}, "has none of the methods"),
        (FRAME, [], {"callbacks": search.Callback()}, "expected a list of objects"),
        (FRAME.assign(stars="good"), [], {}, "^data has one class only"),
        (FRAME, [], {"test": FRAME.assign(stars="fine")}, "^No row of test is of a class"),
        (FRAME, [], {"space": 3}, "space is of type int"),
        (FRAME, [], {"space": {"unit": 3}}, "'space.units'"),
        (None, [3], {}, "3 cannot be read"),
    ],
)
def test_what_is_given_wrongly_is_told_in_a_line(tmp_path, data, settings, others, told):
    with pytest.raises(search.InputError, match=told) as raised:
        search.run(data, *settings, **{"text": "review", "label": "stars", **others})
    assert "\n" not in str(raised.value)
    assert list(tmp_path.iterdir()) == []


def test_a_table_is_kept_in_the_folder_of_its_run(monkeypatch, tmp_path):
    def begun(config, overrides, output, *_, **__):
        assert pd.read_parquet(config.dataset.path)["review"].tolist() == FRAME["review"].tolist()
        assert f"dataset.path={config.dataset.path}" in overrides and config.dataset.valid_path is None
        (output / ".hydra").mkdir()
        raise search.SearchError("stopped")

    monkeypatch.setattr(pipeline, "run", begun)
    with pytest.raises(search.SearchError):
        search.run(FRAME, text="review", label="stars", test=(["x"], ["good"]))
    (folder,) = (tmp_path / "outputs" / "python").iterdir()
    assert sorted(path.name for path in (folder / "data").iterdir()) == ["test.parquet", "train.parquet"]
    assert pd.read_parquet(folder / "data" / "test.parquet").columns.tolist() == ["review", "stars"]
    with pytest.raises(search.InputError, match="already holds files"):
        search.run(FRAME, f"hydra.run.dir={folder}", text="review", label="stars")


class Wide(spaces.TextClassifierSpace):
    units = (512,)
    learning_rate = spaces.Float(1e-5, 1e-3, log=True)


class Counting(Wide):
    def size(self):
        return 3


@pytest.mark.parametrize("space", [Wide, Wide(), {"units": [512], "learning_rate": Wide.learning_rate}])
def test_a_space_is_given_as_an_object(asked, space):
    config, *_ = asked("space.layers=2", space=space)
    assert config.space["units"] == [512] and config.space["layers"] == 2
    assert config.space["learning_rate"] == {"min": 1e-5, "max": 1e-3, "log": True}
    assert "_target_" not in config.space


def test_a_space_with_methods_of_its_own_is_named(asked):
    assert asked(space=Counting)[0].space["_target_"] == f"{__name__}.Counting"
    assert asked(space=Counting(layers=2))[0].space["layers"] == 2

    class Here(Counting):
        pass

    with pytest.raises(search.InputError, match="Here has methods of its own"):
        search.run(space=Here)


class Follower(search.Callback):
    """Notes what it is told, and fails at an epoch."""

    def __init__(self, fails_at=None):
        self.told, self.fails_at = [], fails_at

    def on_run_begin(self, run):
        self.told.append(("run", run.objective, run.resumed))

    def on_trial_resumed(self, trial):
        self.told.append(("resumed", trial.trial_id))

    def on_epoch_end(self, trial, epoch, metrics):
        self.told.append((trial.trial_id, epoch, metrics["val_loss"]))
        trial.values.clear()
        if len(self.told) == self.fails_at:
            raise OSError("no room")

    def on_run_end(self, run):
        self.told.append(("end", run.summary and run.summary["best_trial"], type(run.error).__name__))


@pytest.mark.slow
def test_a_run_of_a_table_is_that_of_its_csv_and_can_be_resumed_after_a_callback_failed(tmp_path, word_module, capsys):
    frame = pd.read_csv(write_reviews(tmp_path / "reviews.csv", 200))
    small = {"space.modules": [str(word_module)], "space.trainable": [False], "tuner.max_epochs": 1}
    small |= {"tuner": "random", "tuner.max_trials": 2}
    run = search.run(*CSV, overrides=small)
    capsys.readouterr()
    failing, follower = Follower(fails_at=3), Follower()
    given = {"text": "review", "label": "stars", "quiet": True, "callbacks": [failing]}
    with pytest.raises(
        search.CallbackError, match=r"Follower failed in on_epoch_end .*OSError: no room.*resume=outputs"
    ):
        search.run(frame, overrides=small, **given)
    assert failing.told[-1] == ("end", None, "CallbackError")
    (begun,) = (tmp_path / "outputs" / "python").iterdir()
    moved = begun.rename(tmp_path / "moved")
    again = search.run(f"resume={moved}", callbacks=[follower], quiet=True)
    assert capsys.readouterr().out == ""
    metric = "val_average_precision"
    assert follower.told[:2] == [("run", metric, True), ("resumed", "0")] and follower.told[-1][0] == "end"
    assert {told[:2] for told in follower.told} >= {("1", 1), ("end", run.best.trial)}
    pd.testing.assert_frame_equal(run.leaderboard.drop(columns="seconds"), again.leaderboard.drop(columns="seconds"))
    pd.testing.assert_frame_equal(run.predictions, again.predictions)
    assert again.summary["dataset"] == "python"
    scored = again.predict(again.predictions["text"])
    assert scored["predicted"].tolist() == run.predictions["predicted"].tolist()
