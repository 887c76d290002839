"""The benchmarks run: what they print is read by people, and nothing here is timed."""

import importlib
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


def test_scale_measures_a_table_of_the_size_asked_for(here, word_module):
    (point,) = here("scale", "--module", str(word_module), "--rows", "600", "--trials")
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


def test_the_table_of_quality_grows_and_judges_by_the_seeds_that_are_there(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    quality = importlib.import_module("quality")
    csv, page = tmp_path / "quality.csv", tmp_path / "quality.md"
    page.write_text("# Title\n<!-- quality -->\nold\n<!-- /quality -->\nend\n")

    def keep(name, seed, scores, **searched):
        tests = {
            known: {"test": {"macro_f1": score}}
            for known, score in zip(quality.BASELINES.values(), scores, strict=True)
        }
        for command in ("word-counts", "minilm"):
            quality._keep(csv, name, command, seed, 180, {"baselines": tests})
        for seconds, score in searched.items():
            best = {"chosen": "mean", "methods": {"mean": {"test": {"macro_f1": score + 0.01}}}}
            summary = {"test": {"macro_f1": score}, "ensembles": best}
            quality._keep(csv, name, "default", seed, int(seconds[1:]), summary)

    keep("tweets", 0, [0.2, 0.5, 0.7, 0.6, 0.6], s60=0.1, s180=0.8)  # the run with more time counts
    keep("bbc", 0, [0.2, 0.5, 0.8, 0.6, 0.6], s180=0.7)
    keep("drugs", 0, [0.2, 0.5, 0.6, 0.5, 0.5], s180=0.66)
    keep("drugs", 1, [0.2, 0.5, 0.8, 0.5, 0.5], s180=0.66)
    assert quality._is_there(csv, "bbc", "default", 0, 180) and not quality._is_there(csv, "bbc", "default", 1, 180)
    quality.write_table(csv, page)
    assert page.read_text().startswith("# Title\n") and page.read_text().endswith("\nend\n")
    shown = {line["data, metric"].split(",")[0]: line for line in table(page.read_text())}
    assert shown["tweets"]["default search"] == "0.800 (one seed)" and shown["tweets"]["verdict"].startswith("at or")
    assert shown["bbc"]["verdict"] == "below TF-IDF, logistic regression by 0.100"
    assert shown["drugs"]["TF-IDF, logistic regression"] == "0.700 ± 0.100"
    assert shown["drugs"]["verdict"] == "within one standard error of TF-IDF, logistic regression"
    assert shown["quora"]["verdict"] == "not run"


def test_driver_runs_a_search_without_training_and_resumes_it(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    trials, *_ = importlib.import_module("driver").measured("hyperband of 27 epochs", 20)
    assert trials == 20
