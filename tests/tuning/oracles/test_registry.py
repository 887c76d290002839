"""Every oracle can be chosen by its name, in all the places where names stand."""

import re
from pathlib import Path

import pytest
from omegaconf import OmegaConf
from toy import OBJECTIVE

from search.config import configuration_folder
from search.config.tuner import TUNERS, TunerConfig
from search.tuning.oracles import ORACLES, make_oracle, plan
from search.tuning.oracles.base import ResumableOracle

DOCS = Path(__file__).parents[3] / "docs" / "search.md"


def test_schema_and_configuration_have_the_names_of_the_registry():
    files = {path.stem for path in (configuration_folder() / "tuner").glob("*.yaml")}
    assert set(ORACLES) == set(TUNERS) == files


@pytest.mark.parametrize("name", ORACLES)
def test_an_oracle_can_be_made_and_planned_from_its_file_and_is_documented(name):
    settings = OmegaConf.load(configuration_folder() / "tuner" / f"{name}.yaml")
    known = {key: value for key, value in settings.items() if key in TunerConfig.__dataclass_fields__}
    config = TunerConfig(**{**known, "name": name})
    assert isinstance(make_oracle(config, OBJECTIVE, seed=3), ResumableOracle)
    assert plan(config, combinations=None).epochs is None or plan(config, combinations=None).epochs > 0
    assert re.search(rf"`(tuner=)?{name}`", DOCS.read_text(encoding="utf-8"))
