"""Settings are read as they are typed, and commands that are printed can be pasted."""

import shlex
from pathlib import Path

import pytest
import yaml
from hydra.core.override_parser.overrides_parser import OverridesParser
from reviews import write_reviews

from search.commands import leaderboard
from search.utils.overrides import literal, quoted, readable, setting, typed

PLAIN = (
    *("café.csv", "reviews (1).csv", "it's.csv", "~/x", "a,b.csv", ";", "a\\", "a\\'b", "\\t", "C:\\dir\\x", '"', "#1"),
    *(" a ", "[1]", "{a", "a=b", "1_000", "true", "1e3", "%", "?", "*.csv", "данные.csv", "a\nb", "a:b", "@", "!"),
)


def value(word):
    return OverridesParser.create().parse_override(word).value()


@pytest.mark.parametrize("text", PLAIN)
def test_a_plain_setting_is_taken_as_it_is(text):
    assert value(readable(f"dataset.path={text}")) == text
    assert value(readable(setting("resume", text))) == text
    assert value(f"key={quoted(text)}") == value(f"key={literal(text)}") == text


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("dataset.separator=null", None),
        ("dataset.path='a b.csv'", "a b.csv"),
        ("dataset.path=", ""),
        ("space.modules=[~/my module, glove-50]", ["~/my module", "glove-50"]),
        ("space.modules=[café,['é']]", ["café", ["é"]]),
        ("dataset.classes=[1,'é b']", [1, "é b"]),
        ("dataset.positive=très bien", "très bien"),
        ("space.units={min: 1, max: 2}", {"min": 1, "max": 2}),
        ("seed=1", 1),
        ("dataset.text=[title, café (1)]", ["title", "café (1)"]),
        ("dataset.text=title,body", "title,body"),
        ("dataset.text='[title]'", "[title]"),
        ("dataset.text=1", "1"),
    ],
)
def test_what_is_in_hydras_grammar_stays(word, expected):
    assert value(readable(word)) == expected


def test_a_word_that_needs_no_quotes_gets_none():
    words = ["dataset.path=reviews.csv", "space.units=[1,2]", "dataset=csv", "~space.units", "nonsense"]
    assert [readable(word) for word in words] == words


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("dataset.path=café.csv,b.csv", ["café.csv", "b.csv"]),
        ("dataset.path='a,b.csv',c (1).csv", ["a,b.csv", "c (1).csv"]),
    ],
)
def test_commas_stand_between_the_values_of_several_runs(word, expected):
    override = OverridesParser.create().parse_override(readable(word, sweeps=True))
    assert [getattr(one, "text", one) for one in override.value().list] == expected
    assert readable("dataset.text=[a,b],a b,(c)", sweeps=True) == "dataset.text=[a,b],a b,'(c)'"
    assert readable("dataset.path=café.csv", sweeps=True) == "dataset.path='café.csv'"
    assert readable("seed=range(3)", sweeps=True) == "seed=range(3)"


def test_a_command_comes_out_of_the_shell_as_it_was():
    assert shlex.split(typed("search", "resume=a (1)/it's"))[3:] == ["resume=a (1)/it's"]


@pytest.mark.parametrize("name", ["plain", "runs (1)", "it's café", "${seed}", "'quoted'", "a\\", "null"])
def test_the_command_that_goes_on_can_be_pasted(search_command, capfd, name):
    begun = Path(name)
    (begun / ".hydra").mkdir(parents=True)
    settings = {"dataset": {"name": "csv", "path": "gone.csv"}, "tuner": {"name": "random", "max_trials": 1}}
    settings["paths"] = {"modules": "m", "features": "f"}
    (begun / ".hydra" / "config.yaml").write_text(yaml.safe_dump(settings))
    assert leaderboard.main([f"runs={begun}"]) == 2
    going_on = capfd.readouterr().err.splitlines()[0].partition("Resume it with ")[2]
    command = shlex.split(going_on)
    assert command[:3] == ["python", "-m", "search"]
    outcome = search_command(*command[3:])
    assert (outcome.code, "gone.csv does not exist" in outcome.err) == (2, True), outcome.err


@pytest.mark.slow
@pytest.mark.parametrize("name", ["café (1).csv", "a,b; c.csv"])
def test_data_of_any_name_is_found(search_command, tmp_path, name, word_module):
    write_reviews(tmp_path / name, rows=120)
    outcome = search_command(
        *("dataset=csv", f"dataset.path={name}", "dataset.text=review", "dataset.label=stars"),
        *(f"space.modules=[{word_module}]", "space.trainable=false", "tuner=random"),
        *("tuner.max_trials=1", "tuner.max_epochs=1", "hydra.run.dir=the run (1)"),
    )
    assert outcome.code == 0, outcome.err
    assert (tmp_path / "the run (1)" / "summary.json").is_file()
    board = outcome.out.partition("Look at the trials: ")[2].splitlines()[0]
    assert shlex.split(board)[3:] == ["run=the run (1)"]
