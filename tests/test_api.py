"""`search.run`: the command line's settings, from Python."""

import logging

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import given
from hypothesis import strategies as st
from reviews import write_reviews

import search
from search.job import pipeline
from search.utils.overrides import literal

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


@pytest.mark.slow
def test_two_runs_in_one_process(tmp_path, word_module):
    write_reviews(tmp_path / "reviews.csv", 200)
    small = {"space.modules": [str(word_module)], "space.trainable": [False], "tuner.max_epochs": 1}
    for seed in (1, 2):
        run = search.run(*CSV, "tuner=random", overrides={**small, "tuner.max_trials": 1, "seed": seed})
        assert run.summary["seed"] == seed and len(run.leaderboard) == 1
        scored = run.predict(run.predictions["text"])
        assert scored["predicted"].tolist() == run.predictions["predicted"].tolist()
