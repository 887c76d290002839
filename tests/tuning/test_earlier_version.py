"""Trials of a version that kept no journal can be looked at and are not gone on with."""

import pytest
from toy import TUNERS, Toy, board, make, searched

from search.errors import InputError


def fails(hp, epoch):
    if hp["units"] == 2 and epoch == 1:
        raise ValueError("this one never works")


@pytest.mark.parametrize("name", TUNERS)
def test_its_trials_are_read_and_its_search_is_refused(tmp_path, name):
    # In Hyperband of then a failure had the next number, as every trial.
    toy = Toy() if name == "hyperband" else Toy(fails)
    tuner = searched(tmp_path, name, toy, keep="all")
    (tuner.files.project / "journal.jsonl").unlink()
    again = make(tmp_path, name, toy, keep="all")
    assert board(again) == board(tuner)
    assert again.ranking()[0].trial_id == tuner.ranking()[0].trial_id
    best = again.ranking()[0].trial_id
    assert again.load_model(again.oracle.get_trial(best)).count_params() == 4
    with pytest.raises(InputError, match="earlier version"):
        again.search(verbose=0)
    assert not (tuner.files.project / "journal.jsonl").exists()
