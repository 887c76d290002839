"""The benchmarks run: what they print is read by people, and nothing here is timed."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest
from reviews import write_reviews

BENCHMARKS = Path(__file__).parent / "benchmarks"

pytestmark = [
    pytest.mark.slow,
    # What plain Keras says of a way to train it that many users take.
    pytest.mark.filterwarnings("ignore:.*shuffle=True. was passed:UserWarning"),
]


@pytest.fixture
def data(tmp_path):
    """Arguments that name a table of 400 reviews."""
    return ["--csv", str(write_reviews(tmp_path / "reviews.csv", 400)), "--text", "review", "--label", "stars"]


@pytest.fixture
def here(data, monkeypatch, capsys):
    """Runs a benchmark with all its measurements in this process, where TensorFlow is already, and gives its table."""
    monkeypatch.syspath_prepend(BENCHMARKS)
    monkeypatch.setattr("measure.in_own_process", lambda function, *arguments: function(*arguments))

    def run(script, *arguments):
        monkeypatch.setattr(sys, "argv", [script, *data, *arguments])
        importlib.import_module(script).main()
        return table(capsys.readouterr().out)

    return run


def table(printed):
    """The lines of the table that a benchmark printed, each as a dictionary."""
    lines = [[cell.strip() for cell in line.split("|")[1:-1]] for line in printed.splitlines() if line[:1] == "|"]
    header, _, *rows = lines
    return [dict(zip(header, row, strict=True)) for row in rows]


def test_plain_and_ours_run_the_same_search(here, word_module):
    plain, ours = here(
        "frozen_search",
        *("--module", str(word_module), "--rows", "200", "--valid-rows", "50", "--max-epochs", "2", "--batch", "32"),
        *("--variants", "plain", "ours-cold"),
    )
    assert (plain["variant"], ours["variant"]) == ("plain", "ours-cold")
    assert (plain["trials"], plain["epochs"]) == (ours["trials"], ours["epochs"])
    assert float(plain["times faster"]) == 1


def test_scale_measures_a_table_of_the_size_asked_for(data, word_module):
    command = [sys.executable, str(BENCHMARKS / "scale.py"), *data, "--module", str(word_module), "--rows", "600"]
    ended = subprocess.run([*command, "--trials"], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    (point,) = table(ended.stdout)
    assert point["asked for"] == "600"
    # A few of the made-up texts may be the same, and a fifth of the table is for valid and test.
    assert 300 < int(point["texts trained on"]) <= 480
    assert point["trials"] == "5"


def test_finetune_compares_the_same_training(here):
    arguments = ("--rows", "200", "--tables", "500x8", "--batches", "32", "--plain-steps", "4", "--epochs", "1")
    (line,) = here("finetune", *arguments)
    size, touched, batch, *_ = line.values()
    assert (size, batch) == ("500 x 8", "32")
    assert 200 < int(touched) < 500  # each text has a number of its own in it
