"""A worker of KerasTuner's would do harm, and is refused."""

import pytest
from toy import make

from search.errors import InputError


@pytest.mark.parametrize("name", ["KERASTUNER_TUNER_ID", "KERASTUNER_ORACLE_IP"])
def test_a_worker_is_refused_before_it_touches_the_folder(tmp_path, monkeypatch, name):
    monkeypatch.setenv(name, "127.0.0.1")
    with pytest.raises(InputError, match="unset the KERASTUNER_ variables"):
        make(tmp_path, "random")
    assert not list(tmp_path.iterdir())
