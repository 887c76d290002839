"""What other work has set, or left beside the data, does not change a run, or is named in one line."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SEARCH = Path(__file__).parent.parent


def python(folder, *arguments, **variables):
    """Runs Python in a folder, with the packages of the tests."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(SEARCH), os.environ.get("PYTHONPATH", "")])}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder, env={**environment, **variables}, capture_output=True, text=True, check=False,
    )  # fmt: skip


CONFIGURED = """
import search
from search.utils.device import configure
configure("cpu", mixed_precision=False)
import keras
print(keras.backend.backend(), keras.config.floatx(), keras.config.epsilon())
"""


@pytest.mark.slow
def test_keras_computes_in_float32_on_tensorflow_whatever_other_work_has_set(tmp_path):
    (tmp_path / "keras.json").write_text(json.dumps({"floatx": "float64", "epsilon": 0.1, "backend": "jax"}))
    outcome = python(tmp_path, "-c", CONFIGURED, KERAS_BACKEND="jax", KERAS_HOME=str(tmp_path))
    assert outcome.stdout == "tensorflow float32 1e-07\n", outcome.stderr


def test_keras_on_another_backend_is_named(monkeypatch):
    import keras

    from search.errors import InputError
    from search.utils.device import configure

    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(InputError, match="KERAS_BACKEND=tensorflow"):
        configure("cpu", mixed_precision=False)


@pytest.mark.parametrize("module", ["search", "search.predict", "search.leaderboard"])
def test_files_beside_the_data_hide_no_package(tmp_path, module):
    for name in ("spaces", "hydra", "omegaconf", "argparse", "typing_extensions", "yaml"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('the file beside the data was read')")
    outcome = python(tmp_path, "-m", module, "--help")
    assert outcome.returncode == 0, outcome.stderr
    assert module in outcome.stdout


def test_a_space_beside_the_data_can_still_be_imported(tmp_path):
    (tmp_path / "mine.py").write_text("raise SystemExit('mine was imported')")
    outcome = python(tmp_path, "-m", "search", "+space._target_=mine.Space", "dataset=csv", "dataset.path=x.csv")
    assert "mine was imported" in outcome.stderr, outcome.stderr


NO_HOME = """
import os, pwd, sys
os.environ.pop("HOME", None)
def nobody(*_): raise KeyError("getpwuid(): uid not found")
pwd.getpwuid = nobody
module = sys.argv.pop(1)
from importlib import import_module
sys.exit(import_module(f"search.commands.{module}").main(sys.argv[1:]))
"""
PATHS = ("paths.modules=m", "paths.features=f")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["search"], "paths.modules=~/.cache/search/modules: there is no home folder"),
        (["search", *PATHS, "dataset=csv", "dataset.path=x.csv"], "x.csv does not exist"),
        (["modules", "list"], "no home folder"),
        (["cache"], "no home folder"),
        (["predict", "run=~/run", "text=a"], "no home folder"),
        (["predict", "run=run", "text=a"], "run=run"),
        (["leaderboard", "runs=~"], "no home folder"),
    ],
)
def test_without_a_home_folder(tmp_path, words, told):
    outcome = python(tmp_path, "-c", NO_HOME, *words, SEARCH_CACHE="")
    assert (outcome.returncode, told in outcome.stderr) == (2, True), outcome.stderr
    assert len(outcome.stderr.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


WRITES = """
from search.reporting.screen import Screen
screen = Screen()
for number in range(20_000):
    screen.say(f"line {number}")
open("went on", "w").close()
"""


def test_a_run_goes_on_when_the_reader_of_its_output_leaves(tmp_path):
    outcome = subprocess.run(
        ["bash", "-c", 'set -o pipefail; "$0" -c "$1" | head -1', sys.executable, WRITES],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(SEARCH)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (outcome.returncode, outcome.stdout, outcome.stderr) == (0, "line 0\n", "")
    assert (tmp_path / "went on").exists()
