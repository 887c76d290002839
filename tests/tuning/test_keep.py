"""The checkpoints that stay, and what becomes of damaged ones."""

import json
import re

import numpy as np
import pytest
from reviews import write_reviews
from toy import TUNERS, Toy, Watcher, board, make, searched

from search.errors import InputError
from search.tuning.record import TrialRecord
from search.tuning.trial_files import TrialFiles
from search.utils.checkpoint import is_whole


def stand(files, kind):
    """The trials of which a checkpoint of some kind stands."""
    return {path.parent.name.removeprefix("trial_") for path in files.project.glob(f"trial_*/{kind}.npz")}


def fails(hp, epoch):
    if hp["units"] == 2 and epoch == 1:
        raise ValueError("this one never works")


class Accounts(Watcher):
    """Takes down which checkpoints stand after every trial."""

    def __init__(self, folder):
        super().__init__()
        self.files, self.stood = TrialFiles(folder / "trials"), []

    def on_trial_end(self, record):
        super().on_trial_end(record)
        self.stood.append((record, stand(self.files, "best"), stand(self.files, "last")))


@pytest.mark.parametrize("name", TUNERS)
@pytest.mark.parametrize("keep", ["all", "promotable", "best"])
def test_exactly_the_right_checkpoints_stand(tmp_path, name, keep):
    accounts = Accounts(tmp_path)
    tuner = searched(tmp_path, name, Toy(fails), keep=keep, observers=[accounts], max_epochs=4)
    records = list(tuner.records.values())
    trained = {record.trial_id for record in records if record.epochs > record.initial_epoch}
    winner = {tuner.ranking()[0].trial_id}
    assert stand(accounts.files, "best") == (trained if keep == "all" else winner)
    assert stand(accounts.files, "last") == (trained if keep == "all" else set())
    assert len(accounts.stood) == len(records)
    for i, (_, best, last) in enumerate(accounts.stood):
        before, after = records[: i + 1], records[i + 1 :]
        if keep == "all":
            assert best == last == trained & {record.trial_id for record in before}
            continue
        leader = min((one for one in before if one.status == "COMPLETED"), key=lambda one: one.score)
        assert best == {leader.trial_id}
        # What a later trial goes on with is there; what stands besides, it might have gone on with.
        parents = {one.parent for one in after} & {one.trial_id for one in before}
        rivals = {one.trial_id for one in before if one.status == "COMPLETED" and one.target_epochs < 4}
        assert parents <= last <= rivals
    model = tuner.load_model(tuner.oracle.get_trial(*winner))
    assert np.abs(model.get_weights()[0]).sum() == pytest.approx(tuner.ranking()[0].score)


def damaged(path, how):
    content = path.read_bytes()
    if how == "cut":
        path.write_bytes(content[: len(content) // 2])
    elif how == "empty":
        path.write_bytes(b"")
    elif how == "flipped":
        number = content.index(b"\x93NUMPY") + 128  # of the first array, behind its header
        path.write_bytes(content[:number] + bytes([content[number] ^ 4]) + content[number + 1 :])
    elif how == "gone":
        path.unlink()
    else:
        np.savez(path, **{"0": np.zeros(2)})


class StopsAt(Watcher):
    """Presses Ctrl-C after an epoch of a trial."""

    def __init__(self, trial_id, epoch):
        super().__init__()
        self.moment = trial_id, epoch

    def on_epoch_end(self, record, epoch, metrics):
        super().on_epoch_end(record, epoch, metrics)
        if (record.trial_id, epoch) == self.moment:
            raise KeyboardInterrupt


QUICK = {"max_epochs": 4, "factor": 4}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    return searched(tmp_path_factory.mktemp("undisturbed"), "hyperband", **QUICK)


@pytest.mark.parametrize(("kind", "how"), [("last", "cut"), ("last", "flipped"), ("last", "foreign"), ("best", "cut")])
@pytest.mark.parametrize("promoted", [False, True])
def test_an_interrupted_trial_with_a_damaged_checkpoint_starts_over(tmp_path, caplog, undisturbed, how, kind, promoted):
    record = next(
        one
        for one in undisturbed.records.values()
        if (one.parent is not None) is promoted and one.target_epochs - one.initial_epoch >= 3
    )
    stopped = StopsAt(record.trial_id, record.initial_epoch + 2)
    with pytest.raises(KeyboardInterrupt):
        searched(tmp_path / "cut", "hyperband", **QUICK, observers=[stopped])
    path = tmp_path / "cut" / "trials" / f"trial_{record.trial_id}" / f"{kind}.npz"
    damaged(path, how)
    seen = Watcher()
    again = searched(tmp_path / "cut", "hyperband", **QUICK, observers=[seen])
    assert board(again) == board(undisturbed)
    assert f"{path} is damaged" in caplog.text
    assert seen.epochs[0][:2] == (record.trial_id, record.initial_epoch + 1)


@pytest.mark.parametrize("how", ["flipped", "gone"])
def test_a_promoted_trial_whose_parents_state_is_damaged_trains_what_its_parent_had(tmp_path, caplog, undisturbed, how):
    child = next(one for one in undisturbed.records.values() if one.parent is not None)
    stopped = StopsAt(child.trial_id, child.initial_epoch + 1)
    with pytest.raises(KeyboardInterrupt):
        searched(tmp_path / "cut", "hyperband", **QUICK, observers=[stopped])
    files = TrialFiles(tmp_path / "cut" / "trials")
    assert not files.last(child.trial_id).exists()
    damaged(files.last(child.parent), how)
    again = searched(tmp_path / "cut", "hyperband", **QUICK)
    assert board(again) == board(undisturbed)
    assert str(files.last(child.parent)) in caplog.text


@pytest.mark.parametrize("how", ["cut", "empty", "flipped", "gone"])
def test_damaged_weights_of_the_best_trial_are_named_and_not_loaded(tmp_path, how):
    tuner = searched(tmp_path, "random", keep="best")
    best = tuner.ranking()[0].trial_id
    path = tuner.files.best(best)
    damaged(path, how)
    again = make(tmp_path, "random", keep="best")
    with pytest.raises(InputError, match=re.escape(str(path))):
        again.load_model(again.oracle.get_trial(best))


def test_no_flipped_bit_of_a_checkpoint_goes_unnoticed(tmp_path):
    """Either it is found, or the file still gives what was written: not all of a zip's own fields are checked."""
    tuner = searched(tmp_path, "random", keep="best", max_trials=1)
    path = tuner.files.best(tuner.ranking()[0].trial_id)
    content = path.read_bytes()
    with np.load(path) as saved:
        expected = {name: saved[name].tobytes() for name in saved.files}
    for i in range(len(content)):
        path.write_bytes(content[:i] + bytes([content[i] ^ (1 << i % 8)]) + content[i + 1 :])
        if is_whole(path):
            with np.load(path) as saved:
                assert {name: saved[name].tobytes() for name in saved.files} == expected, i


def test_records_are_told_in_the_order_in_which_trials_began(tmp_path):
    files = TrialFiles(tmp_path)
    for number in (2, 10, 0, 1, *range(3, 10)):
        TrialRecord(str(number), {}).write(files.record(str(number)))
    assert [record.trial_id for record in files.records()] == [str(number) for number in range(11)]
    files.record("4").unlink()
    with pytest.raises(InputError, match=r"trial_4/record\.json is missing"):
        files.records()


def test_a_search_without_a_seed_goes_on_with_the_one_that_it_drew(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        searched(tmp_path, "hyperband", **QUICK, seed=None, observers=[StopsAt("0003", 1)])
    ended = board(make(tmp_path, "hyperband", **QUICK, seed=None))
    again = searched(tmp_path, "hyperband", **QUICK, seed=None)
    assert len(ended) == 3 and board(again)[:3] == ended
    loaded = make(tmp_path, "hyperband", **QUICK, seed=None)
    loaded.reload()  # as with KerasTuner, once more does no harm
    assert board(loaded) == board(again)
    assert loaded.seed == again.seed


CSV = ("dataset=csv", "dataset.path=reviews.csv", "dataset.text=review", "dataset.label=stars")


@pytest.mark.slow
def test_the_command_says_of_damaged_files_what_they_are(search_command, tmp_path, word_module, monkeypatch):
    import pandas as pd

    from search.reporting.tensorboard import TensorBoardWriter

    def leaderboard(run):
        return pd.read_csv(tmp_path / run / "leaderboard.csv", dtype=str).drop(columns="seconds")

    write_reviews(tmp_path / "reviews.csv", 150)
    arguments = (
        *(*CSV, "tuner.max_epochs=4", "tuner.factor=4", "tuner.keep=best", f"space.modules=[{word_module}]"),
        *("space.trainable=false", "space.layers=1", "space.units=8", "space.learning_rate=[0.001,0.01]"),
        *("space.dropout=0.2", "space.batch_size=32", "space.optimizer=adam", "space.class_weight=none"),
        *("space.activation=relu", "space.wide=none"),
    )
    assert search_command(*arguments, "hydra.run.dir=whole").code == 0
    files = TrialFiles(tmp_path / "whole" / "trials")
    best = json.loads((tmp_path / "whole" / "summary.json").read_text())["best_trial"]
    assert stand(files, "best") == {best} and not stand(files, "last")

    told = TensorBoardWriter.on_epoch_end

    def interrupted(self, record, epoch, metrics):
        told(self, record, epoch, metrics)
        if record.parent is not None and epoch == 3:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(TensorBoardWriter, "on_epoch_end", interrupted)
        outcome = search_command(*arguments, "hydra.run.dir=cut")
        assert outcome.code == 130 and "resume=cut" in outcome.err
    cut = TrialFiles(tmp_path / "cut" / "trials")
    (running,) = {trial_id for trial_id in stand(cut, "last") if not cut.record(trial_id).exists()}
    damaged(cut.last(running), "flipped")
    outcome = search_command("resume=cut")
    assert outcome.code == 0, outcome.err
    assert "last.npz is damaged: the trial starts over" in (tmp_path / "cut" / "search.log").read_text()
    pd.testing.assert_frame_equal(leaderboard("cut"), leaderboard("whole"), check_exact=True)

    damaged(files.best(best), "flipped")
    (tmp_path / "whole" / "summary.json").unlink()  # as if it had been killed before its end
    outcome = search_command("resume=whole")
    assert outcome.code == 2
    assert outcome.err.count("\n") == 1
    assert "best.npz is damaged" in outcome.err
