"""A run tells what repeats it: command, packages, and the commit of a checkout."""

import shutil
import subprocess
from importlib.metadata import version

import pytest

from search.reporting.provenance import code, provenance, write_packages
from search.utils.overrides import as_given


def test_the_command_is_the_one_that_was_typed():
    overrides = ["dataset=csv", "dataset.path=my file.csv", "~space.units", "+space.units=[1,2]", "~space.wide"]
    assert as_given(overrides) == [*overrides[:2], "space.units=[1,2]", "~space.wide"]
    found = provenance({"dataset.path": {"sha256": "0"}}, [*overrides, "resume=there"], ["/my/conf"])
    told = "dataset=csv 'dataset.path=my file.csv' 'space.units=[1,2]' '~space.wide'"
    assert found["command"] == f"python -m search --config-dir /my/conf {told}"
    assert found["data"] == {"dataset.path": {"sha256": "0"}} and found["code"]["version"] == version("search")


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_the_commit_is_that_of_the_checkout_and_of_no_other(tmp_path):
    def git(*words):
        who = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false")
        return subprocess.run(["git", *who, *words], cwd=tmp_path, check=True, capture_output=True, text=True).stdout

    package = tmp_path / "package"
    package.mkdir()
    (package / "__init__.py").write_text("")
    git("init", "-q")
    assert code(package)["commit"] is None, "the package is not among the files of the checkout"
    git("add", ".")
    git("commit", "-q", "-m", "first")
    assert (code(package)["commit"], code(package)["modified"]) == (git("rev-parse", "HEAD").strip(), False)
    (package / "__init__.py").write_text("changed")
    assert code(package)["modified"] is True


def test_packages_are_listed_as_pip_freeze_does(tmp_path):
    write_packages(tmp_path / "packages.txt")
    lines = (tmp_path / "packages.txt").read_text().splitlines()
    assert f"numpy=={version('numpy')}" in lines
