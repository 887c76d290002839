"""Every command and setting that the README names exists."""

import re
import shlex
from pathlib import Path

import pytest

from search import cache

README = Path(__file__).parent.parent / "README.md"
BLOCKS = re.findall(r"```bash\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
LINES = [line for block in BLOCKS for line in block.replace("\\\n", " ").splitlines()]
PARTS = [shlex.split(part, comments=True) for line in LINES for part in line.split("&&")]
COMMANDS = [part[3:] for part in PARTS if part[:3] == ["python", "-m", "search"]]
CACHE_COMMANDS = [part[3:] for part in PARTS if part[:3] == ["python", "-m", "search.cache"]]


def test_the_readme_has_commands():
    assert len(COMMANDS) > 10
    assert len(CACHE_COMMANDS) > 1


@pytest.mark.parametrize("arguments", CACHE_COMMANDS, ids=" ".join)
def test_a_command_of_the_cache_runs(tmp_path, capsys, arguments):
    assert cache.main(["--folder", str(tmp_path), *arguments]) == 0
    assert capsys.readouterr().err == ""


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
