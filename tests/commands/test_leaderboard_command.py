"""`python -m search.leaderboard` on run folders."""

import csv
import io
import json
import subprocess
import sys

import pytest

from search.commands.leaderboard import main


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    """Two runs with the same test rows, one with others, one that has not ended."""
    from reporting.report.made_runs import make_run

    folder = tmp_path_factory.mktemp("outputs") / "made"
    for name, skill, seed in (("weak", 0.5, 0), ("strong", 3.0, 0), ("other", 1.0, 1)):
        make_run(folder / name, skill=skill, seed=seed, measured=False, curves=False)
    (folder / "begun" / ".hydra").mkdir(parents=True)
    (folder / "begun" / ".hydra" / "config.yaml").write_text("{}")
    return folder


@pytest.mark.parametrize("width", [80, 120])
def test_the_table_fits_the_terminal_and_has_the_best_first(outputs, capsys, monkeypatch, width):
    monkeypatch.setenv("COLUMNS", str(width))
    assert main([f"runs={outputs}/*"]) == 0
    shown = capsys.readouterr()
    tables = [line for line in shown.out.splitlines() if line.startswith(" ")]
    assert max(map(len, tables)) <= width
    assert shown.out.index("strong") < shown.out.index("other") < shown.out.index("weak")
    assert "Paired bootstrap of test.average_precision" in shown.out and "other test rows" in shown.out
    assert shown.err.count("\n") == 1 and f"resume={outputs / 'begun'}" in shown.err


def test_csv_and_json_hold_the_same(outputs, capsys):
    runs = [str(outputs / name) for name in ("weak", "strong")]  # as a shell that expands the pattern gives them
    assert main([f"runs={runs[0]}", runs[1], "format=json", "metrics=f1", "sort=test.log_loss"]) == 0
    records = json.loads(capsys.readouterr().out)
    assert main([f"runs={','.join(runs)}", "format=csv", "metrics=f1", "sort=log_loss"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["run"] for row in rows] == [record["run"] for record in records]
    for row, record in zip(rows, records, strict=True):
        assert list(row) == list(record)
        assert float(row["test.f1"]) == pytest.approx(record["test.f1"])
        assert "test.mcc" not in row
    summary = json.loads((outputs / "strong" / "summary.json").read_text())
    strong = next(record for record in records if record["run"].endswith("strong"))
    assert strong["test.f1"] == pytest.approx(summary["test"]["f1"])
    assert strong["paired.behind"] is None


def test_markdown_goes_to_a_file_by_its_ending(outputs, capsys, tmp_path):
    assert main([f"runs={outputs}/[so]*", f"output={tmp_path / 'board.md'}"]) == 0
    lines = (tmp_path / "board.md").read_text().splitlines()
    assert len(lines) == 4 and lines[2].startswith("| 1 | strong")
    assert capsys.readouterr().out == f"Written: {tmp_path / 'board.md'}\n"
    assert [path.name for path in tmp_path.iterdir()] == ["board.md"]


def test_a_page_shows_scores_searches_and_the_paired_test_and_leads_to_the_reports(outputs, capsys):
    board = outputs / "board.html"
    assert main([f"runs={outputs}/[sow]*", f"output={board}"]) == 0
    capsys.readouterr()
    page = board.read_text()
    assert page.count("<svg") == 3  # scores; the searches, wide and narrow
    assert all(f'href="{name}/report.html"' in page for name in ("strong", "other", "weak"))
    assert "Paired bootstrap" in page and "best of its test rows" in page
    assert "http://" not in page and "https://" not in page
    assert main([f"runs={outputs}/[sw]*", "trials=3", "format=html"]) == 0
    trials = capsys.readouterr().out
    assert trials.count("<tr>") == 7 and "<svg" not in trials
    board.unlink()


def test_the_best_trials_of_each_run(outputs, capsys):
    assert main([f"runs={outputs}/[sw]*", "trials=3", "format=csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert len(rows) == 6 and {row["rank"] for row in rows} == {"1", "2", "3"}
    scores = [float(row["score"]) for row in rows]
    assert scores == sorted(scores, reverse=True)
    assert main([f"runs={outputs}/[sw]*", "trials=3"]) == 0
    assert "6 trials of 2 runs of made, seed 0" in capsys.readouterr().out


def test_the_trials_stand_above_what_the_largest_class_scores(outputs, capsys):
    assert main([f"runs={outputs}/[sw]*", "trials=1", "metrics=val_macro_f1"]) == 0
    told = [line for line in capsys.readouterr().out.splitlines() if line.startswith("Always answering")]
    summary = json.loads((outputs / "weak" / "summary.json").read_text())
    valid, rows = summary["baselines"]["majority"]["valid"], summary["sizes"]["train"]
    (line,) = told
    assert line.startswith(f"Always answering “{max(rows, key=rows.get)}” ")
    assert line.endswith(f": average precision {valid['average_precision']:.3f}, macro F1 {valid['macro_f1']:.3f}")
    assert main([f"runs={outputs}/*", "trials=1"]) == 0
    told = [line for line in capsys.readouterr().out.splitlines() if line.startswith("Always answering")]
    assert sorted(line.partition("(")[2] for line in told) == ["other)", "strong, weak)"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "runs="),
        (["rusn=x"], "'runs'"),
        (["runs="], "runs="),
        (["runs=/nowhere"], "no such folder"),
        (["runs=/nowhere/*"], "nothing"),
        (["runs={}", "sort=test.f2"], "test.f1"),
        (["runs={}", "metrics=f1,acuracy"], "accuracy"),
        (["runs={}", "format=cvs"], "'csv'"),
        (["runs={}", "trials=0"], "trials=0"),
        (["runs={}", "trials=many"], "trials=many"),
        (["runs={}/.hydra"], "neither it nor a folder in it"),
        (["runs={}", "trials=2", "sort=test.f1"], "val_"),
    ],
)
def test_bad_input_is_one_line_and_code_2(outputs, arguments, told, capsys):
    given = [argument.format(outputs / "weak") for argument in arguments]
    assert main(given) == 2
    said = capsys.readouterr()
    assert told in said.err and said.err.count("\n") == 1 and said.out == ""


def test_nothing_that_has_ended_is_an_error(outputs, capsys):
    assert main([f"runs={outputs / 'begun'}"]) == 2
    assert "nothing to compare" in capsys.readouterr().err


def test_it_needs_no_tensorflow(outputs):
    code = "import sys; from search.leaderboard import main; main(sys.argv[1:]); assert 'tensorflow' not in sys.modules"
    subprocess.run([sys.executable, "-c", code, f"runs={outputs}/[sw]*"], check=True, capture_output=True)


def test_help(capsys):
    assert main(["--help"]) == 0
    assert "python -m search.leaderboard runs=" in capsys.readouterr().out
