"""Files written from the declarations of the settings are up to date, and no default has two values."""

import dataclasses

import pytest
import settings_tables
from omegaconf import MISSING, OmegaConf

from search.config import Config
from search.config.tuner import TunerConfig
from spaces import SETTINGS

AGAIN = "run python tests/settings_tables.py"


def test_the_space_is_written_from_its_declaration():
    assert settings_tables.SPACE_YAML.read_text() == settings_tables.space_yaml(), AGAIN


def test_the_reference_is_written_from_the_declarations():
    assert settings_tables.PAGE.read_text() == settings_tables.settings_page(), AGAIN


def test_a_setting_of_the_space_reaches_file_and_reference(monkeypatch):
    added = dataclasses.replace(SETTINGS["dropout"], help="Smooths the labels.")
    monkeypatch.setitem(SETTINGS, "label_smoothing", added)
    assert (
        "# Smooths the labels. Exists only where there is a hidden layer.\nlabel_smoothing: {"
        in settings_tables.space_yaml()
    )
    assert "`space.label_smoothing`" in settings_tables.settings_page()


@pytest.mark.parametrize("key, words", [(key, words) for key, _, words in settings_tables.config_fields(Config)])
def test_every_setting_says_what_it_does(key, words):
    assert words.endswith((".", ")")), key


def test_the_file_of_the_configuration_repeats_the_defaults_of_the_schema():
    in_file = settings_tables.yaml_defaults()
    defaults = {key: field.default for key, field, _ in settings_tables.config_fields(Config)}
    same = {key: value for key, value in in_file.items() if defaults[key] != MISSING}
    assert same == {key: defaults[key] for key in same}
    assert len(same) > 10


@pytest.mark.parametrize(
    "path", sorted((settings_tables.ROOT / "conf" / "tuner").glob("*.yaml")), ids=lambda path: path.stem
)
def test_a_tuner_sets_what_the_schema_knows(path):
    known = {field.name for field in dataclasses.fields(TunerConfig)}
    assert set(OmegaConf.load(path)) <= known
