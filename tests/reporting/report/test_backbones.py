"""Leaderboards say what stands under heads, those that earlier versions wrote too."""

import numpy as np
import pandas as pd
import pytest

from search.reporting.report.backbones import with_backbones
from search.reporting.trial_table import leaderboard
from search.tuning.record import TrialRecord

FACTS = ["backbone", "pretrained", "frozen"]


@pytest.mark.parametrize(
    ("values", "facts"),
    [
        ({"module": "glove", "trainable": True}, ["glove", "glove", False]),
        ({"module": "glove", "trainable": "False", "embedding": np.nan}, ["glove", "glove", True]),
        ({"module": "glove"}, ["glove", "glove", True]),
        ({"module": "lstm", "embedding": "learned", "trainable": np.nan}, ["lstm", None, False]),
        ({"module": "lstm", "embedding": "glove"}, ["lstm", "glove", True]),
        ({"module": "lstm", "embedding": "glove", "embedding_trainable": True}, ["lstm", "glove", False]),
        ({"layers": 2}, [None, None, False]),
    ],
)
def test_the_facts_follow_from_the_hyperparameters_of_earlier_versions(values, facts):
    table = with_backbones(pd.DataFrame([{"rank": 1, **values, "bracket": 0}]))
    assert table.columns.tolist() == ["rank", *values, *FACTS, "bracket"]
    assert table.loc[0, FACTS].tolist() == facts


def test_the_facts_of_records_come_back_as_they_were_written(tmp_path):
    records = [
        TrialRecord("0", {"module": "lstm"}, "lstm", None, False),
        TrialRecord("1", {"module": "glove"}, "glove", "glove", True),
        TrialRecord("2", {"module": "007"}, "007", "007", False),
    ]
    leaderboard(records, ["module"], "max").to_csv(tmp_path / "leaderboard.csv", index=False)
    read = with_backbones(pd.read_csv(tmp_path / "leaderboard.csv", dtype={"backbone": str, "pretrained": str}))
    assert read[FACTS].values.tolist() == [["lstm", None, False], ["glove", "glove", True], ["007", "007", False]]
    assert read["frozen"].dtype == bool
