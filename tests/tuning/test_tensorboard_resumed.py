"""Whatever moment a search is killed at, in the end TensorBoard shows what it would show without the kill."""

import json
import random

import keras_tuner
import pytest
from event_content import content
from toy import OBJECTIVE, Toy, make

from search.reporting.tensorboard import ScoredEpochs, TensorBoardWriter
from search.reporting.tensorboard.events import EventFile
from search.tuning import trial_files
from search.tuning.journal import Journal
from search.tuning.record import TrialRecord
from spaces import Choice, Float, Int, Space

SPACE = Space({"kind": Choice(["a", "b"]), "units": Int(1, 4), "rate": Float(0.1, 1.0)})

pytestmark = [
    # KerasTuner takes the best of the values of a metric that has none but NaN.
    # Who is killed closes nothing.
    pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning"),
]


class Killed(BaseException):
    pass


def fails(hp, epoch):
    if hp["units"] == 3 and epoch == 2:
        raise ValueError("this one never works")


def search(folder):
    writer = TensorBoardWriter(folder / "tensorboard", SPACE, OBJECTIVE)
    make(folder, "hyperband", Toy(fails), observers=[writer], max_epochs=9, factor=3).search(verbose=0)
    writer.close()


def around(patched, owner, name, maybe):
    """Lets the process be killed before and after a function."""
    real = getattr(owner, name)

    def replaced(*args, **kwargs):
        maybe()
        result = real(*args, **kwargs)
        maybe()
        return result

    patched.setattr(owner, name, replaced)


@pytest.mark.parametrize("seed", range(4))
def test_killed_again_and_again_it_shows_the_same(tmp_path, seed, monkeypatch):
    search(tmp_path / "whole" / "run")
    draw, kills = random.Random(seed), 0

    def maybe():
        if draw.random() < 0.02:
            raise Killed

    while True:
        with monkeypatch.context() as patched:
            for owner, name in (
                (EventFile, "__init__"),
                (EventFile, "add"),
                (trial_files, "save"),
                (TrialRecord, "write"),
                (Journal, "append"),
            ):
                around(patched, owner, name, maybe)
            try:
                search(tmp_path / "cut" / "run")
                break
            except Killed:
                kills += 1
    assert kills >= 5
    came, expected = (content(tmp_path / name / "run" / "tensorboard") for name in ("cut", "whole"))
    assert came.keys() == expected.keys()
    for run in expected:
        assert came[run] == expected[run], run


def writer_of(tmp_path):
    return TensorBoardWriter(tmp_path, SPACE, keras_tuner.Objective("val_f1", "max"))


def steps(tmp_path, tag):
    return [step for one, step, _ in content(tmp_path)["0000"] if one == tag]


def test_a_line_of_the_table_that_a_kill_prevented_is_written_on_resuming(tmp_path):
    record = TrialRecord("0000", {"kind": "a", "units": 1, "rate": 0.5}, target_epochs=1)
    first = writer_of(tmp_path)
    first.on_trial_begin(record)
    record.epochs = 1
    first.on_epoch_end(record, 1, {"val_f1": 0.5})
    record.score, record.best_epoch, record.status = 0.5, 1, "COMPLETED"
    for _ in range(2):
        writer_of(tmp_path).on_trial_resumed(record)
        assert steps(tmp_path, "score") == [1]
        assert steps(tmp_path, "_hparams_/session_start_info") == [1]
        assert steps(tmp_path, "f1/validation") == [1]


def test_a_trial_that_starts_over_drops_the_epochs_it_had(tmp_path):
    """As when it ran out of memory, or its checkpoint was damaged."""
    writer, record = writer_of(tmp_path), TrialRecord("0000", {"units": 1}, epochs=0)
    for epochs in (3, 1):
        record.epochs = 0
        writer.on_trial_begin(record)
        for epoch in range(1, epochs + 1):
            record.epochs = epoch
            writer.on_epoch_end(record, epoch, {"val_f1": 0.5})
    writer.close()
    assert steps(tmp_path, "f1/validation") == [1]


def test_the_head_alone_is_kept_where_the_trial_has_it_behind_itself(tmp_path):
    record = TrialRecord("0000", {"units": 1}, head_score=0.4)
    writer = writer_of(tmp_path)
    writer.on_trial_begin(record)
    writer.on_epoch_end(record, 0, {"val_f1": 0.4})
    writer_of(tmp_path).on_trial_begin(record)
    assert steps(tmp_path, "f1/validation") == [0]
    record.head_score = None  # it starts over
    writer_of(tmp_path).on_trial_begin(record)
    assert steps(tmp_path, "f1/validation") == []


def test_counts_of_epochs_that_are_trained_again_stand_once(tmp_path):
    path = tmp_path / "trial_0000" / "scored_epochs.jsonl"
    path.parent.mkdir()
    first, second = (json.dumps({"epoch": epoch, "scores": [], "matrix": None}) + "\n" for epoch in (1, 2))
    path.write_text(first + second + '{"epoch": 3, "sc')
    ScoredEpochs(tmp_path).on_trial_begin(TrialRecord("0000", {}, epochs=1))
    assert path.read_text() == first
