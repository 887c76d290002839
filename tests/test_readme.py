"""Every command and setting that the README names exists."""

import json
import re
import shlex
from pathlib import Path

import pytest

from search.backbones.catalog import catalog, markdown
from search.commands import board, cache, evaluate, explain, export, leaderboard, modules, predict, report, serve
from search.config import configuration_folder

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [README, *(page.read_text(encoding="utf-8") for page in sorted((ROOT / "docs").glob("*.md")))]
BLOCKS = [block for page in PAGES for block in re.findall(r"```bash\n(.*?)```", page, re.DOTALL)]
LINES = [line for block in BLOCKS for line in block.replace("\\\n", " ").splitlines()]
PARTS = [shlex.split(part, comments=True) for line in LINES for part in line.split("&&")]
NOTEBOOK = json.loads((ROOT / "docs" / "from_a_table.ipynb").read_text(encoding="utf-8"))
OF_RUNS = {
    f"search.{one.__name__.rpartition('.')[2]}": one
    for one in (board, evaluate, explain, export, leaderboard, predict, report, serve)
}


def commands(module):
    """The arguments of every command of a module, each once; what it reads or writes through the shell is left out."""
    found = [part[3:] for part in PARTS if part[:3] == ["python", "-m", module]]
    plain = [part[: min([part.index(one) for one in "<>" if one in part], default=len(part))] for part in found]
    return list(map(list, dict.fromkeys(map(tuple, plain))))


def test_there_are_commands():
    assert len(commands("search")) > 10
    assert all(commands(name) for name in ("search.cache", "search.modules", *OF_RUNS))


def test_every_link_leads_somewhere():
    for page, folder in [(README, ROOT), *((page, ROOT / "docs") for page in PAGES[1:])]:
        for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page):
            assert (folder / link).exists(), link


def test_the_image_is_made_of_what_is_there():
    lines = [line.split() for line in (ROOT / "docs" / "Dockerfile").read_text(encoding="utf-8").splitlines()]
    copied = {name for line in lines if line[:1] == ["COPY"] for name in line[1:-1]}
    allowed = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    assert len(copied) > 5
    assert all((ROOT / name).exists() and f"!{name}" in allowed for name in copied)


@pytest.mark.slow
def test_the_notebook_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {}
    for cell in NOTEBOOK["cells"]:
        if cell["cell_type"] == "code":
            assert cell["outputs"] == []
            exec("".join(cell["source"]), names)
    assert (tmp_path / "importance.svg").is_file()
    assert names["later_run"].path == names["run"].path
    assert names["run"].report.is_file() and names["run"].summary["cleaning"]["read"] == 1800
    assert names["drop"].notna().all()


@pytest.mark.parametrize(
    ("name", "arguments"), [(name, arguments) for name in OF_RUNS for arguments in commands(name)], ids=str
)
def test_a_command_on_runs_is_understood_and_misses_the_run(tmp_path, monkeypatch, capsys, name, arguments):
    monkeypatch.chdir(tmp_path)
    for given in arguments:
        if given.startswith("input="):
            Path(given.removeprefix("input=")).write_text("id,text\n1,a\n")
    assert OF_RUNS[name].main(arguments) == 2
    missed = "no run below outputs" if "run=latest" in arguments else r"outputs/\w+"
    assert re.search(missed, capsys.readouterr().err)


@pytest.mark.parametrize("arguments", commands("search.cache"), ids=" ".join)
def test_a_command_of_the_cache_runs(tmp_path, capsys, arguments):
    assert cache.main(["--folder", str(tmp_path), *arguments]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("arguments", commands("search.modules"), ids=" ".join)
def test_a_command_of_the_modules_is_understood(arguments):
    given = modules.parser().parse_args(arguments)
    assert given.command in ("list", "check", "fetch", "export")
    own = modules.EXPORT if given.command == "export" else ("format",)
    assert all(setting.split("=")[0] in own or "." in setting.split("=")[0] for setting in given.settings)


def test_the_table_of_modules_is_the_catalog():
    entries = catalog([configuration_folder()])
    table = re.search(r"<!-- modules -->\n(.*?)\n<!-- /modules -->", README, re.DOTALL)
    # python -m search.modules list format=markdown prints what belongs there.
    assert table is not None
    assert table[1].strip() == markdown(entries.values())


@pytest.mark.parametrize("arguments", commands("search"), ids=" ".join)
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
    "key", sorted(set(re.findall(r"`((?:dataset|tuner|objective|module|paths)\.\w+)", "\n".join(PAGES))))
)
def test_a_key_in_prose_is_a_setting(search_command, key):
    outcome = search_command("--cfg", "job", f"--package={key.split('.')[0]}")
    assert outcome.code == 0
    assert re.search(rf"^ *{key.split('.')[1]}:", outcome.out, re.MULTILINE)
