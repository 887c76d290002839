"""The leaderboard ranks as the tuner does and has a column for everything a trial is."""

import pandas as pd
import pytest

from search.reporting.trial_table import leaderboard, write_leaderboard
from search.tuning.record import TrialRecord


def record(trial_id, score, status="COMPLETED", **settings):
    return TrialRecord(trial_id, {"units_1": 8}, status=status, score=score, **settings)


@pytest.mark.parametrize(("direction", "order"), [("max", ["2", "0", "3", "1"]), ("min", ["1", "0", "3", "2"])])
def test_the_best_stands_first_and_of_equals_the_earlier(direction, order):
    records = [record("0", 0.5), record("1", 0.0), record("2", 0.9), record("3", 0.5)]
    table = leaderboard(records, ["units_1"], direction)
    assert table["trial_id"].tolist() == order
    assert table["rank"].tolist() == [1, 2, 3, 4]


def test_failed_trials_stand_last_without_a_rank(tmp_path):
    failed = record("0", None, "FAILED", error="ValueError: no, really")
    best = record("1", 0.3, metrics={"val_f1": 0.3, "loss": 1.0}, best_epoch=2, parent="0", bracket=1, round=1)
    table = leaderboard([failed, best], ["units_1", "units_2"], "max")
    write_leaderboard(table, tmp_path / "leaderboard.csv")
    read = pd.read_csv(tmp_path / "leaderboard.csv", dtype={"trial_id": str, "parent": str})
    assert read["trial_id"].tolist() == ["1", "0"]
    assert read.loc[1, "error"] == "ValueError: no, really"
    assert pd.isna(read.loc[1, "rank"])
    assert pd.isna(read["units_2"]).all()
    assert read.loc[0, "val_f1"] == 0.3
    assert "loss" not in read
    assert read.columns[-2:].tolist() == ["parameters", "error"]


def test_a_search_without_trials_gives_an_empty_table():
    assert len(leaderboard([], [], "max")) == 0
