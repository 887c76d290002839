"""Runs that stand beside each other."""

import pytest

from search.reporting.comparison.folders import read_runs


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """Four runs: three with the same test rows, of rising skill, and one with others; one that has not ended."""
    from reporting.report.made_runs import make_run

    folder = tmp_path_factory.mktemp("outputs") / "made"
    for name, skill, seed in (("1", 0.5, 0), ("2", 1.5, 0), ("10", 3.0, 0), ("other", 1.0, 1)):
        make_run(folder / name, skill=skill, seed=seed, measured=False, curves=False)
    (folder / "begun" / ".hydra").mkdir(parents=True)
    (folder / "begun" / ".hydra" / "config.yaml").write_text("{}")
    (folder / "notes.txt").write_text("mine")
    return folder


@pytest.fixture(scope="session")
def runs(made):
    return read_runs([made / name for name in ("1", "2", "10", "other")])
