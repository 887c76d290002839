"""The report tells how trials were shared out over workers."""

from types import SimpleNamespace

import pandas as pd
import pytest

from search.reporting.report.sections.workers import workers


def run(of_workers, seconds):
    trials = pd.DataFrame({"worker": of_workers, "seconds": [10.0] * len(of_workers)})
    return SimpleNamespace(trials=trials, summary={"seconds": {"search": seconds}})


def test_each_worker_has_its_trials_and_its_share_of_the_time():
    found = workers(run([1, 2, 1], 40.0))
    assert [list(row.values()) for row in found["rows"]] == [[1, 2, 20.0, 0.5], [2, 1, 10.0, 0.25]]
    assert found["idle"] == pytest.approx(1 - 30 / 80)


def test_of_a_resumed_run_no_share_is_known():
    found = workers(run([1, 2, 1], 15.0))
    assert found["idle"] is None and {row["share"] for row in found["rows"]} == {None}


def test_one_worker_has_nothing_to_share():
    assert workers(run([1, 1], 40.0)) is None
    assert workers(SimpleNamespace(trials=pd.DataFrame({"seconds": [1.0]}), summary={"seconds": {}})) is None
