"""A run that has ended is not run again; what can be given to it later is added, and nothing else changes."""

import json
import shutil

import pytest
from reviews import write_reviews

from search.utils.checksums import sha256

pytestmark = pytest.mark.slow
SMALL = (
    "tuner=random",
    "tuner.max_trials=2",
    "tuner.max_epochs=1",
    "space.trainable=false",
    "space.layers=0",
    "space.wide=none",
)


@pytest.fixture
def finished(search_command, tmp_path, word_module):
    write_reviews(tmp_path / "reviews.csv", 200)
    outcome = search_command(
        *("dataset=csv", "dataset.path=reviews.csv", "dataset.text=review", "dataset.label=stars"),
        *(*SMALL, f"space.modules=[{word_module}]", "hydra.run.dir=run"),
    )
    assert outcome.code == 0, outcome.err
    return tmp_path / "run"


def files_of(run):
    """Every file with its content and its time, but for what a run notes of itself."""
    return {
        str(path.relative_to(run)): (sha256(path), path.stat().st_mtime_ns)
        for path in sorted(run.rglob("*"))
        if path.is_file() and path.name != "search.log" and ".hydra" not in path.parts
    }


def changed(before, after):
    """The first part of the names of what is not as it was, in content."""
    names = {*before, *after}
    return {name.split("/")[0] for name in names if before.get(name, " ")[0] != after.get(name, " ")[0]}


def test_a_finished_run_is_told_and_stays_as_it_is(search_command, finished):
    before = files_of(finished)
    (finished.parent / "reviews.csv").unlink()  # nothing is read for it
    outcome = search_command("resume=run")
    assert (outcome.code, outcome.err) == (0, "")
    assert "finished" in outcome.out and "final_refit=true" in outcome.out
    assert files_of(finished) == before


def test_what_is_asked_for_later_is_added_and_nothing_else(search_command, finished):
    begun = before = files_of(finished)
    test = json.loads((finished / "summary.json").read_text())["test"]
    told = {"summary.json", "report.html", "MODEL_CARD.md"}
    for setting, made in (("final_refit=true", "model_all"), ("ensemble.trials=2", "ensemble")):
        outcome = search_command("resume=run", setting)
        assert outcome.code == 0, outcome.err
        after = files_of(finished)
        assert {made, "summary.json"} <= changed(before, after) <= {made, *told}
        assert files_of(finished)["model.keras"] == begun["model.keras"]
        before = after
    summary = json.loads((finished / "summary.json").read_text())
    assert summary["test"] == test and summary["final_refit"] and summary["ensembles"]
    outcome = search_command("resume=run")
    assert (outcome.code, files_of(finished)) == (0, before)


def test_a_report_that_is_missing_is_added_alone(search_command, finished):
    before = files_of(finished)
    (finished / "report.html").unlink()
    assert search_command("resume=run").code == 0
    after = files_of(finished)
    assert {name for name in before if before[name] != after.get(name)} <= {"report.html", "MODEL_CARD.md"}


def test_a_damaged_model_is_refused_and_can_be_made_again(search_command, finished):
    words = finished / "model" / "assets" / "vocabulary.txt"
    whole = words.read_bytes()
    words.write_bytes(whole[:-4])
    outcome = search_command("resume=run")
    assert (outcome.code, outcome.err.count("\n")) == (2, 1) and "vocabulary.txt" in outcome.err
    expected = (finished / "predictions.csv").read_bytes()
    shutil.rmtree(finished / "model")
    assert (outcome := search_command("resume=run")).code == 0, outcome.err
    assert words.read_bytes() == whole and (finished / "predictions.csv").read_bytes() == expected


def test_a_search_that_is_given_more_goes_on(search_command, finished):
    outcome = search_command("resume=run", "tuner.max_seconds=1000")
    assert outcome.code == 0 and "Resuming after 2 finished trials" in outcome.out, outcome.err
