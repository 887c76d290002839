"""The console script finds every command."""

import subprocess
import sys
from importlib import import_module

import pytest

from search import __version__
from search.commands import console
from search.commands.completion import completions
from search.commands.console import COMMANDS, main


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_there_and_helps(name, capsys):
    assert callable(import_module(COMMANDS[name][0]).main)
    if name == "run":  # Hydra's help ends the program by itself: see the tests of the search command
        return
    try:
        assert main([name, "--help"]) == 0
    except SystemExit as ended:
        assert not ended.code
    assert f"search.{name}" in capsys.readouterr().out


def test_help_lists_every_command_and_version_is_the_packages(capsys):
    assert main([]) == main(["--help"]) == 0
    listed = capsys.readouterr().out
    assert all(f"\n  {name} " in listed for name in COMMANDS)
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"search {__version__}\n"


def test_output_that_nobody_reads_is_no_error(monkeypatch):
    def closed(_):
        raise BrokenPipeError

    monkeypatch.setattr(console, "main", closed)
    monkeypatch.setattr(console, "discard_output", lambda: None)
    assert console.script() == 0


@pytest.mark.parametrize(("name", "hint"), [("predcit", "'predict'"), ("dataset=quora", "search run dataset=quora")])
def test_a_command_that_there_is_not_is_one_line(name, hint, capsys):
    assert main([name]) == 2
    told = capsys.readouterr().err
    assert hint in told and told.count("\n") == 1


def test_the_list_of_commands_needs_neither_tensorflow_nor_pandas():
    program = (
        "import sys; from search.commands.console import main; main([]); "
        "print({'tensorflow', 'pandas'} & {*sys.modules})"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert told.endswith("set()\n")


@pytest.mark.parametrize(
    ("words", "among"),
    [
        (["pre"], {"predict"}),
        (["predict", "run="], {"run=", "run=latest"}),
        (["evaluate", "dev"], {"device="}),
        (["run", "dataset=t"], {"dataset=tweets"}),
        (["run", "tun"], {"tuner=", "tuner."}),
        (["run", "tuner.max_e"], {"tuner.max_epochs="}),
        (["run", "device="], {"device=", "device=auto", "device=cpu", "device=gpu"}),
        (["run", "space.learning_"], {"space.learning_rate="}),
        (["run", "dataset=tweets", "final_refit=t"], {"final_refit=true"}),
        (["run", "dataset.rare="], {"dataset.rare=drop", "dataset.rare=merge"}),
        (["run", "res"], {"resume=latest"}),
        (["modules", ""], {"list", "check", "fetch", "export"}),
        (["completion", "b"], {"bash"}),
        (["nothing", ""], set()),
    ],
)
def test_words_are_completed(words, among):
    found = completions(words, COMMANDS)
    assert {*found} >= among and all(one.startswith(words[-1]) for one in found) and bool(found) == bool(among)


def test_bash_completes_what_stands_after_an_equals_sign(capsys):
    assert main(["completion", "bash"]) == 0
    script = capsys.readouterr().out
    line = "search run dataset=tw"
    program = f"""search() {{ [ "$1 $2 $3" = '--complete run dataset=tw' ] && echo dataset=tweets; }}
    compopt() {{ :; }}
    {script}
    COMP_LINE='{line}'; COMP_POINT={len(line)}; _search; echo "${{COMPREPLY[@]}}"
    """
    assert subprocess.run(["bash", "-c", program], capture_output=True, text=True, check=True).stdout == "tweets\n"
    assert main(["completion", "tcsh"]) == 2


def test_help_of_one_command_can_be_asked_for_by_name(capsys):
    assert main(["help", "predict"]) == 0
    assert "search.predict" in capsys.readouterr().out
