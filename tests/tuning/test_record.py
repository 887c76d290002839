"""Records of trials: a changed one is not believed, whatever was changed; those of earlier versions are read."""

import json

import pytest
from toy import make, searched

from search.errors import InputError
from search.tuning.record import TrialRecord
from search.utils.checked import read_checked, write_checked
from search.utils.checkpoint import load, save

RECORD = TrialRecord(
    "3",
    {"units": 64, "module": "ä", "dropout": 0.1},
    status="COMPLETED",
    score=0.1 + 0.2,
    best_epoch=2,
    epochs=3,
    metrics={"val_loss": 0.5, "loss": float("nan")},
    fold_scores=[0.1, 0.3],
    build={"input_shape": (None, 3)},
)


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "trial_3" / "record.json"
    RECORD.write(path)
    return path


def changed(path, **changes):
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, **changes}))


def test_a_record_comes_back_as_it_was(path):
    found = TrialRecord.read(path)
    assert str(found.metrics.pop("loss")) == "nan" and found.metrics == {"val_loss": 0.5}
    assert (found.score, found.values, found.fold_scores) == (RECORD.score, RECORD.values, RECORD.fold_scores)


@pytest.mark.parametrize(
    "changes",
    [{"score": 0.99}, {"values": {"units": 65}}, {"status": "FAILED"}, {"epochs": 9}, {"metrics": {}}, {"error": ""}],
)
def test_a_changed_record_is_not_believed(path, changes):
    changed(path, **changes)
    with pytest.raises(InputError, match=r"trial_3/record\.json is damaged"):
        TrialRecord.read(path)


def test_the_record_of_another_trial_is_not_believed(tmp_path, path):
    other = tmp_path / "trial_4" / "record.json"
    other.parent.mkdir()
    path.rename(other)
    with pytest.raises(InputError, match=r"trial_4/record\.json is damaged"):
        TrialRecord.read(other)


def earlier(path, **changes):
    """The record as earlier versions wrote it, without a checksum."""
    content = {**json.loads(path.read_text()), **changes}
    path.write_text(json.dumps({name: value for name, value in content.items() if name not in ("checksum", "build")}))


def test_a_record_of_an_earlier_version_is_read(path):
    earlier(path)
    assert TrialRecord.read(path).score == RECORD.score


@pytest.mark.parametrize(
    "changes",
    [
        {"score": "0.9"},
        {"score": True},
        {"score": None},
        {"values": [1]},
        {"metrics": {"loss": "low"}},
        {"fold_scores": [{}]},
        {"epochs": 1.5},
        {"trial_id": 3},
        {"trial_id": "../3"},
        {"parent": 2},
        {"status": None},
        {"space": []},
        {"surprise": 1},
    ],
)
def test_wrong_types_are_told_in_one_line(path, changes):
    earlier(path, **changes)
    with pytest.raises(InputError, match="is damaged") as told:
        TrialRecord.read(path)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("text", ["", "null", "[]", "3", '"', "{", "[" * 100_000, '{"score": 1e999}', "\xff"])
def test_what_is_no_record_at_all_is_told_in_one_line(path, text):
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(InputError, match="is damaged"):
        TrialRecord.read(path)


def test_a_search_does_not_go_on_from_a_changed_score_or_anothers_weights(tmp_path):
    tuner = searched(tmp_path, "random", keep="all")
    worst, best = tuner.ranking()[-1].trial_id, tuner.ranking()[0].trial_id
    save(tuner.files.best(best), load(tuner.files.best(worst)), {"trial_id": worst})
    with pytest.raises(InputError, match=r"best\.npz"):
        tuner.best_weights(tuner.oracle.get_trial(best))
    changed(tuner.files.record(worst), score=-1.0)
    with pytest.raises(InputError, match=r"record\.json is damaged"):
        make(tmp_path, "random")


def test_a_search_says_in_one_line_that_the_space_of_a_record_is_none(tmp_path):
    tuner = searched(tmp_path, "random", max_trials=1)
    path = tuner.files.record(tuner.ranking()[0].trial_id)
    earlier(path, space={"space": [{"class_name": "Nothing"}]})
    with pytest.raises(InputError, match="'space'"):
        make(tmp_path, "random")


def test_what_is_checked_is_json_that_others_can_read(tmp_path):
    write_checked(tmp_path / "a.json", {"b": (1.5, float("nan")), "a": {"é": None}})
    content = json.loads((tmp_path / "a.json").read_text())
    assert content.pop("checksum") and content == {"b": [1.5, None], "a": {"é": None}}
    assert read_checked(tmp_path / "a.json") == content
