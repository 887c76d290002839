"""The benchmarks run: what they print is read by people, and nothing here is timed."""

import subprocess
import sys
from pathlib import Path

import pytest
from reviews import write_reviews

BENCHMARKS = Path(__file__).parent / "benchmarks"

pytestmark = pytest.mark.slow


@pytest.fixture
def benchmark(tmp_path, word_module):
    """Runs a benchmark on small data and gives the tables it printed, each line as a dictionary."""
    reviews = write_reviews(tmp_path / "reviews.csv", 400)
    data = ["--csv", str(reviews), "--text", "review", "--label", "stars", "--module", str(word_module)]

    def run(script, *arguments):
        command = [sys.executable, str(BENCHMARKS / script), *data, *arguments]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
        assert ended.returncode == 0, ended.stderr
        lines = [
            [cell.strip() for cell in line.split("|")[1:-1]] for line in ended.stdout.splitlines() if line[:1] == "|"
        ]
        header, _, *rows = lines
        return [dict(zip(header, row, strict=True)) for row in rows]

    return run


def test_plain_and_ours_run_the_same_search(benchmark):
    plain, ours = benchmark(
        "frozen_search.py",
        *("--rows", "200", "--valid-rows", "50", "--max-epochs", "2", "--batch", "32"),
        *("--variants", "plain", "ours-cold"),
    )
    assert (plain["variant"], ours["variant"]) == ("plain", "ours-cold")
    assert (plain["trials"], plain["epochs"]) == (ours["trials"], ours["epochs"])
    assert float(plain["times faster"]) == 1


def test_scale_measures_a_table_of_the_size_asked_for(benchmark):
    (point,) = benchmark("scale.py", "--rows", "600", "--trials")
    assert point["asked for"] == "600"
    # A few of the made-up texts may be the same, and a fifth of the table is for valid and test.
    assert 300 < int(point["texts trained on"]) <= 480
    assert point["trials"] == "5"


def test_finetune_compares_the_same_training(tmp_path):
    reviews = write_reviews(tmp_path / "reviews.csv", 400)
    command = [sys.executable, str(BENCHMARKS / "finetune.py"), "--csv", str(reviews), "--text", "review"]
    command += ["--label", "stars", "--rows", "200", "--tables", "500x8", "--batches", "32", "--plain-steps", "4"]
    ended = subprocess.run([*command, "--epochs", "1"], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    *_, line = ended.stdout.splitlines()
    table, touched, batch, *_ = (cell.strip() for cell in line.split("|")[1:-1])
    assert (table, batch) == ("500 x 8", "32")
    assert 200 < int(touched) < 500  # each text has a number of its own in it
