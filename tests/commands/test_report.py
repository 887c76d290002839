"""`python -m search.report` on run folders."""

import pytest

from search.commands.report import main

pytestmark = pytest.mark.filterwarnings("error")


@pytest.fixture
def run(tmp_path):
    from reporting.report.made_runs import make_run

    return make_run(tmp_path / "outputs" / "made", rows=40)


def test_it_writes_both_files_again(run, capsys):
    assert main([f"run={run}"]) == 0
    assert (run / "report.html").stat().st_size > 10_000 and (run / "MODEL_CARD.md").is_file()
    assert str(run / "report.html") in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [(["run=/nowhere"], "no run"), (["ran=x"], "run=FOLDER"), ([], "run="), (["run="], "run=FOLDER")],
)
def test_bad_input_is_one_line_and_code_2(arguments, told, capsys):
    assert main(arguments) == 2
    said = capsys.readouterr().err
    assert told in said and said.count("\n") == 1


def test_help(capsys):
    assert main(["--help"]) == 0
    assert "python -m search.report run=" in capsys.readouterr().out
