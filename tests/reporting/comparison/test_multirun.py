"""The summary of a multirun."""

import io
import json
import math
import multiprocessing
import os
import signal
import subprocess
from contextlib import suppress

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from search.commands.cli import exit_code
from search.errors import InputError
from search.reporting.comparison.attempts import Attempt, Attempts
from search.reporting.comparison.curve import amounts
from search.reporting.comparison.multirun import summarise
from search.reporting.comparison.seed_groups import grouped, varying

FIXED = ["dataset=made", "~space.units", "+space.units=[8]"]


@pytest.fixture(scope="module")
def sweep(tmp_path_factory):
    """Two fractions by three seeds by two heads; one failed, one was interrupted."""
    from reporting.report.made_runs import make_run

    folder = tmp_path_factory.mktemp("multirun")
    attempts = []
    for fraction, skill in (("0.1", 0.5), ("1", 2.0)):
        for layers in ("1", "2"):
            for seed in range(3):
                path = folder / f"{len(attempts)}_made"
                overrides = [*FIXED, f"dataset.train_fraction={fraction}", f"space.layers={layers}", f"seed={seed}"]
                if len(attempts) in (4, 11):
                    ends = ("failed", "no <room>") if len(attempts) == 4 else ("interrupted", "")
                    attempts.append(Attempt(path, overrides, *ends))
                else:
                    make_run(path, skill=skill, seed=seed, rows=60, train_rows=60, measured=False, curves=False)
                    attempts.append(Attempt(path, overrides, "finished"))
    printed = io.StringIO()
    summarise(folder, attempts, Console(file=printed, width=120))
    return folder, attempts, printed.getvalue()


def test_what_is_the_same_in_all_runs_is_left_out(sweep):
    assert varying(sweep[1]) == ["dataset.train_fraction", "space.layers", "seed"]


def test_a_row_per_run_failed_ones_too(sweep):
    folder, attempts, _ = sweep
    table = pd.read_csv(folder / "summary.csv", keep_default_na=False, na_values=[""])
    assert table["run"].tolist() == [one.folder.name for one in attempts]
    assert table["status"].value_counts().to_dict() == {"finished": 10, "failed": 1, "interrupted": 1}
    assert table.loc[4, "error"] == "no <room>" and math.isnan(table.loc[4, "test.f1"])
    own = json.loads((folder / "7_made" / "summary.json").read_text())["test"]
    assert table.loc[7, "test.f1"] == pytest.approx(own["f1"])


def test_means_and_spread_over_seeds(sweep):
    folder, _, _ = sweep
    runs, groups = (pd.read_csv(folder / name) for name in ("summary.csv", "groups.csv"))
    assert groups[["runs", "unfinished"]].to_numpy().tolist() == [[3, 0], [2, 1], [3, 0], [2, 1]]
    scores = runs["test.average_precision"][:3]
    row = groups.loc[0]
    assert row["test.average_precision.mean"] == pytest.approx(scores.mean())
    assert row["test.average_precision.sd"] == pytest.approx(np.std(scores, ddof=1))
    reach = 4.302652729911275 * np.std(scores, ddof=1) / math.sqrt(3)  # Student's t, 2 degrees of freedom
    assert row["test.average_precision.high"] == pytest.approx(scores.mean() + reach)


def test_one_run_keeps_its_own_interval(sweep):
    table = pd.DataFrame(
        {"status": ["finished"], "a": ["x"], "test.f1": [0.5], "test.f1.low": [0.4], "test.f1.high": [0.7]}
    )
    (row,) = grouped(table, ["a"], ["test.f1"]).to_dict("records")
    assert (row["test.f1.low"], row["test.f1.high"]) == (0.4, 0.7) and math.isnan(row["test.f1.sd"])


def test_the_page_draws_a_learning_curve_and_links_to_the_reports(sweep):
    folder, _, _ = sweep
    text = (folder / "summary.html").read_text()
    assert text.count("<svg") == 2 and "layers=1" in text
    assert text.count('href="0_made/report.html"') == 1 and "4_made/report.html" not in text
    assert "no &lt;room&gt;" in text and "<room>" not in text


def test_the_tables_are_printed_and_in_markdown(sweep):
    folder, _, printed = sweep
    markdown = (folder / "summary.md").read_text()
    for text in (printed, markdown):
        assert "12 runs, 10 finished" in text and "4_made failed: no <room>" in text and "±" in text
    assert max(map(len, printed.splitlines())) <= 120


def test_train_size_is_drawn_over_the_texts_there_were():
    table = pd.DataFrame({"status": ["finished"] * 2, "dataset.train_size": ["0.1", "500"], "sizes.train.a": [90, 500]})
    assert amounts(table, ["dataset.train_size"]).values.tolist() == [90, 500]
    assert amounts(table, ["seed"]) is None
    assert amounts(table.assign(status="failed"), ["dataset.train_size"]) is None


def test_a_null_fraction_is_all():
    table = pd.DataFrame({"status": ["finished"] * 2, "dataset.train_fraction": ["0.1", ""]})
    assert amounts(table, ["dataset.train_fraction"]).values.tolist() == [0.1, 1.0]


def test_attempts_note_how_each_run_ends(tmp_path):
    attempts = Attempts()
    endings = [None, InputError("no\nway"), ValueError("a bug"), KeyboardInterrupt()]
    for number, error in enumerate(endings):
        with suppress(BaseException), attempts.noted(tmp_path, number, tmp_path / str(number), ["a=1"], exit_code):
            if error is not None:
                raise error
    assert [(one.status, one.error, one.code) for one in attempts.read(tmp_path)] == [
        ("finished", "", 0),
        ("failed", "no way", 2),
        ("failed", "a bug", 1),
        ("interrupted", "", 130),
    ]
    assert Attempts().read(tmp_path) == []  # those of another command


def run_elsewhere(attempts, sweep, number, ends):
    with attempts.noted(sweep, number, sweep / f"{number}_made", [], exit_code):
        print(f"said by {number}")
        subprocess.run(["echo", f"said for {number}"], check=True)
        if ends == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        if ends == "failed":
            raise InputError("no way")


def test_runs_in_processes_of_their_own_are_noted_and_print_to_files_of_their_own(tmp_path, capfd):
    attempts = Attempts()
    processes = [
        multiprocessing.get_context("spawn").Process(target=run_elsewhere, args=(attempts, tmp_path, number, ends))
        for number, ends in enumerate(["well", "failed", "killed"])
    ]
    for one in processes:
        one.start()
    for one in processes:
        one.join()
    found = attempts.read(tmp_path)
    assert [(one.status, one.code) for one in found] == [("finished", 0), ("failed", 2), ("interrupted", 1)]
    for number in range(3):
        said = (tmp_path / f"{number}_made.log").read_text()
        assert f"said for {number}" in said and said.count("said") <= 2
    printed = capfd.readouterr()
    assert "said" not in printed.out and "0_made has finished" in printed.out
    assert "1_made: no way" in printed.err


def test_the_exit_code_is_that_of_the_worst_run_and_nothing_is_summarised_where_none_finished(tmp_path, capsys):
    attempts = Attempts()
    with pytest.raises(InputError), attempts.noted(tmp_path, 0, tmp_path / "0_made", [], exit_code):
        raise InputError("no way")
    assert attempts.summarise(tmp_path) == 2
    assert attempts.summarise(None) == 0
    assert [path.name for path in tmp_path.iterdir()] == [".attempts"] and capsys.readouterr().out == ""


def test_runs_of_several_data_sets_share_what_they_can(tmp_path):
    from reporting.report.made_runs import make_run

    make_run(tmp_path / "two", rows=40, measured=False, curves=False)
    make_run(tmp_path / "three", classes=("a", "b", "c"), rows=40, measured=False, curves=False)
    attempts = [Attempt(tmp_path / name, [f"dataset={name}"], "finished") for name in ("two", "three")]
    summarise(tmp_path, attempts, Console(file=io.StringIO(), width=80))
    groups = pd.read_csv(tmp_path / "groups.csv")
    assert groups["dataset"].tolist() == ["two", "three"] and groups["test.macro_f1.mean"].notna().all()


def test_intervals_of_means_stay_within_the_range_of_the_metric():
    table = pd.DataFrame(
        {
            "status": ["finished"] * 2,
            "test.accuracy": [0.9, 0.99],
            "test.log_loss": [0.05, 0.4],
            "test.mcc": [-0.9, 0.9],
        }
    )
    (row,) = grouped(table, [], ["test.accuracy", "test.log_loss", "test.mcc"]).to_dict("records")
    assert row["test.accuracy.high"] == 1 and row["test.log_loss.low"] == 0
    assert (row["test.mcc.low"], row["test.mcc.high"]) == (-1, 1)


def test_no_best_is_brought_out_across_data_sets(tmp_path):
    from reporting.report.made_runs import make_run

    attempts = []
    for number, (rows, skill) in enumerate([(40, 1.0), (60, 0.5), (60, 2.0)]):
        path = make_run(tmp_path / f"{number}_made", rows=rows, skill=skill, measured=False, curves=False)
        attempts.append(Attempt(path, [f"dataset={rows}", f"space.layers={number}"], "finished"))
    summarise(tmp_path, attempts, Console(file=io.StringIO(), width=80))
    picture = (tmp_path / "summary.html").read_text().partition("<svg")[2].partition("</svg>")[0]
    assert picture.count('class="strong"') == 1  # the better of the two on the same rows
    assert "tested_on" not in (tmp_path / "groups.csv").read_text()
