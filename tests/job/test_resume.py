"""An interrupted run goes on in its own configuration and ends as if it had never been interrupted."""

import errno
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time

import pandas as pd
import pytest
from event_content import content as shown
from reviews import write_reviews

from search.commands.search import main
from search.features.store import ChunkStore

CSV = ("dataset=csv", "dataset.path=reviews.csv", "dataset.text=review", "dataset.label=stars")
SMALL = (
    "tuner.max_epochs=4",
    "tuner.factor=2",
    "space.wide=none",
    "space.batch_size=32",
    "space.units=[8,16]",
    "space.learning_rate=0.01",
)

KILLS = 2  # the last time it goes on with one worker, as the configuration in TensorBoard says

pytestmark = pytest.mark.slow


def start(folder, *arguments):
    return subprocess.Popen(
        [sys.executable, "-m", "search", *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )


def newest(run):
    """When the search last wrote a result: a state, a record, a curve of the refit."""
    files = [*run.glob("trials/trial_*/*"), *run.glob("tensorboard/refit/*")]
    return max(map(changed, files), default=0)


def changed(path):
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:  # a file that is being written has another name until it is whole
        return 0


def finish(process):
    _, error = process.communicate(timeout=300)
    assert process.returncode == 0, error


def board_of(run):
    return pd.read_csv(run / "leaderboard.csv", dtype={"trial_id": str, "parent": str}).drop(
        columns=["seconds", "worker"]
    )


def test_killed_again_and_again_it_ends_the_same(tmp_path, word_module):
    write_reviews(tmp_path / "reviews.csv", 300)
    arguments = (*CSV, *SMALL, f"space.modules=[{word_module}]")
    # TensorBoard shows the name of the folder.
    whole = start(tmp_path, *arguments, "hydra.run.dir=whole/run")
    finish(whole)

    moments = random.Random(0)
    run = tmp_path / "cut" / "run"
    cut = start(tmp_path, *arguments, "hydra.run.dir=cut/run")
    kills = 0
    while kills < KILLS:
        seen = newest(run)
        # At a random moment after it has got on by an epoch or more: in a trial, a promotion, a checkpoint, the refit.
        while cut.poll() is None and newest(run) == seen:
            time.sleep(0.1)
        time.sleep(moments.uniform(0, 1.2))
        if cut.poll() is not None:
            break
        kind = moments.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
        cut.send_signal(kind)
        _, error = cut.communicate(timeout=60)
        kills += 1
        if kind != signal.SIGKILL and cut.returncode == 130:
            assert "resume=cut/run" in error, error
        # With another number of workers, which is nothing that a run was begun with.
        cut = start(tmp_path, "resume=cut/run", f"parallel.workers={1 + kills % 2}")
    finish(cut)
    assert kills == KILLS
    pd.testing.assert_frame_equal(board_of(run), board_of(tmp_path / "whole" / "run"), check_exact=True)
    expected, came = (pd.read_csv(tmp_path / name / "run" / "predictions.csv") for name in ("whole", "cut"))
    pd.testing.assert_frame_equal(came, expected, check_exact=True)
    expected, came = (shown(tmp_path / name / "run" / "tensorboard") for name in ("whole", "cut"))
    assert {name for name in {*came, *expected} if came.get(name) != expected.get(name)} == set()
    hidden = {path.name for path in (tmp_path / "cut").rglob(".*")}
    assert hidden == {".hydra"}, hidden


@pytest.fixture(scope="module")
def made(tmp_path_factory, word_module):
    """A finished run."""
    folder = tmp_path_factory.mktemp("finished")
    write_reviews(folder / "reviews.csv", 200)
    tiny = ("tuner=random", "tuner.max_trials=2", "tuner.max_epochs=1", "space.trainable=false")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert main([*CSV, *tiny, f"space.modules=[{word_module}]", "hydra.run.dir=run"]) == 0
    return folder / "run"


@pytest.fixture
def finished(made, tmp_path):
    """A copy of it, to do as one likes with."""
    return shutil.copytree(made, tmp_path / "run")


def test_other_settings_are_refused_with_what_differs(search_command, finished):
    outcome = search_command("resume=run", "tuner.max_epochs=3", "seed=1", "tuner.max_seconds=100")
    assert outcome.code == 2
    assert outcome.err.count("\n") == 1
    assert "tuner.max_epochs was 1, is 3" in outcome.err
    assert "seed was 0, is 1" in outcome.err
    assert "max_seconds" not in outcome.err


def test_a_folder_without_a_run_is_refused(search_command, tmp_path):
    outcome = search_command("resume=nowhere")
    assert outcome.code == 2
    assert "nowhere" in outcome.err
    assert not (tmp_path / "nowhere").exists()


def test_a_damaged_record_is_named(search_command, finished):
    (finished / "summary.json").unlink()  # as if it had been killed before its end
    record = finished / "trials" / "trial_1" / "record.json"
    record.write_text(record.read_text()[:50])
    outcome = search_command("resume=run")
    assert outcome.code == 2
    assert "record.json is damaged" in outcome.err


@pytest.mark.parametrize("ended", [True, False])
def test_a_run_of_a_version_without_a_journal_is_gone_on_with_only_where_it_had_ended(search_command, finished, ended):
    (finished / "trials" / "journal.jsonl").unlink()
    if not ended:
        (finished / "summary.json").unlink()
    outcome = search_command("resume=run", "ensemble.trials=2")
    assert outcome.code == (0 if ended else 2), outcome.err
    if not ended:
        assert outcome.err.count("\n") == 1
        assert "earlier version (0.1.0 or before)" in outcome.err


def test_a_changed_score_is_not_believed(search_command, finished):
    (finished / "summary.json").unlink()  # as if it had been killed before its end
    record = finished / "trials" / "trial_1" / "record.json"
    record.write_text(re.sub(r'"score": [^,]+', '"score": 0.999', record.read_text()))
    outcome = search_command("resume=run")
    assert outcome.code == 2
    assert outcome.err.count("\n") == 1
    assert "record.json is damaged" in outcome.err


def test_a_full_cache_stops_the_run_which_goes_on_once_there_is_room(
    search_command, tmp_path, word_module, monkeypatch
):
    def full(self, *_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.folder))

    write_reviews(tmp_path / "reviews.csv", 200)
    tiny = ("tuner=random", "tuner.max_trials=4", "tuner.max_epochs=1", f"space.modules=[{word_module}]")
    arguments = (*CSV, *tiny, "space.trainable=[false,true]")
    assert search_command(*arguments, "hydra.run.dir=whole", "paths.features=room").code == 0
    with monkeypatch.context() as patched:
        patched.setattr(ChunkStore, "write", full)
        outcome = search_command(*arguments, "hydra.run.dir=cut", "paths.features=full")
    assert outcome.code == 2
    assert outcome.err.count("\n") == 1
    assert "No space left on device" in outcome.err and "resume=cut" in outcome.err
    for name, content in {".model.4194305.keras": "half", "trials/.oracle.4194305.json": "half"}.items():
        (tmp_path / "cut" / name).write_text(content)
    (tmp_path / "cut" / ".model.abcdefgh").mkdir()
    assert search_command("resume=cut").code == 0
    pd.testing.assert_frame_equal(board_of(tmp_path / "cut"), board_of(tmp_path / "whole"), check_exact=True)
    assert {path.name for path in (tmp_path / "cut").rglob(".*")} == {".hydra"}


def test_a_time_budget_ends_the_search_and_still_refits(search_command, tmp_path, word_module):
    write_reviews(tmp_path / "reviews.csv", 200)
    endless = ("tuner=random", "tuner.max_trials=500", "tuner.max_epochs=1", "tuner.max_seconds=8")
    outcome = search_command(*CSV, *endless, f"space.modules=[{word_module}]", "hydra.run.dir=run")
    assert outcome.code == 0, outcome.err
    assert "tuner.max_seconds" in outcome.out
    assert 1 <= len(board_of(tmp_path / "run")) < 500
    assert (tmp_path / "run" / "summary.json").exists()
