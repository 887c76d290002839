"""Every command and setting that the README names exists."""

import re
import shlex
from pathlib import Path

import pytest

from search import cache, evaluate, modules
from search.config import configuration_folder
from search.embedding.catalog import catalog, markdown

README = Path(__file__).parent.parent / "README.md"
BLOCKS = re.findall(r"```bash\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
LINES = [line for block in BLOCKS for line in block.replace("\\\n", " ").splitlines()]
PARTS = [shlex.split(part, comments=True) for line in LINES for part in line.split("&&")]
COMMANDS = [part[3:] for part in PARTS if part[:3] == ["python", "-m", "search"]]
MODULES_COMMANDS = [part[3:] for part in PARTS if part[:3] == ["python", "-m", "search.modules"]]
CACHE_COMMANDS = [part[3:] for part in PARTS if part[:3] == ["python", "-m", "search.cache"]]
EVALUATE_COMMANDS = [part[3:] for part in PARTS if part[:3] == ["python", "-m", "search.evaluate"]]
SCRIPTS = [block for block in re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL) if "# %%" in block]


def test_the_readme_has_commands():
    assert len(COMMANDS) > 10
    assert len(CACHE_COMMANDS) > 1
    assert len(EVALUATE_COMMANDS) > 1
    assert len(SCRIPTS) == 1


@pytest.mark.slow
def test_the_notebook_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(SCRIPTS[0], names)
    assert (tmp_path / "importance.svg").is_file()
    assert names["later"].path == names["run"].path
    assert names["run"].report.is_file()


@pytest.mark.parametrize("arguments", EVALUATE_COMMANDS, ids=" ".join)
def test_a_command_of_evaluate_is_understood(tmp_path, monkeypatch, capsys, arguments):
    monkeypatch.chdir(tmp_path)
    assert evaluate.main(arguments) == 2
    assert "expected the folder of a finished run" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", CACHE_COMMANDS, ids=" ".join)
def test_a_command_of_the_cache_runs(tmp_path, capsys, arguments):
    assert cache.main(["--folder", str(tmp_path), *arguments]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("arguments", MODULES_COMMANDS, ids=" ".join)
def test_a_command_of_the_modules_is_understood(arguments):
    given = modules.parser().parse_args(arguments)
    assert given.command in ("list", "check", "export")
    own = modules.EXPORT if given.command == "export" else ("format",)
    assert all(setting.split("=")[0] in own or "." in setting.split("=")[0] for setting in given.settings)


def test_the_table_of_modules_is_the_catalog():
    entries = catalog([configuration_folder()])
    table = re.search(r"<!-- modules -->\n(.*?)\n<!-- /modules -->", README.read_text(encoding="utf-8"), re.DOTALL)
    # python -m search.modules list format=markdown prints what belongs there.
    assert table is not None
    assert table[1].strip() == markdown(entries.values())


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_a_command_composes(search_command, tmp_path, arguments):
    (tmp_path / "my_conf" / "space").mkdir(parents=True)
    (tmp_path / "my_conf" / "space" / "mine.yaml").write_text("units: [8, 16]\n")
    # Composing needs one run's values, not a sweep's.
    flags = [argument.split(",")[0] if "-m" in arguments else argument for argument in arguments if argument != "-m"]
    if "--help" not in flags and "--cfg" not in flags:
        flags += ["--cfg", "job"]
    outcome = search_command(*flags)
    assert outcome.code == 0, outcome.err
    assert outcome.err == ""
    assert "dataset" in outcome.out


@pytest.mark.parametrize(
    "key", sorted(set(re.findall(r"`((?:dataset|tuner|objective|module|paths)\.\w+)", README.read_text())))
)
def test_a_key_in_prose_is_a_setting(search_command, key):
    outcome = search_command("--cfg", "job", f"--package={key.split('.')[0]}")
    assert outcome.code == 0
    assert re.search(rf"^ *{key.split('.')[1]}:", outcome.out, re.MULTILINE)
