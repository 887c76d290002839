"""A search ends in time for the refit."""

import time

from search.tuning.budget import TimeBudget
from search.tuning.record import TrialRecord


def spent(seconds_ago):
    return time.monotonic() - seconds_ago


RECORDS = {"0": TrialRecord("0", {}, epochs=2, best_epoch=2, seconds=4.0)}


def test_without_a_limit_every_trial_may_start():
    assert TimeBudget(None, spent(1e6)).may_start(100, RECORDS)


def test_the_first_trial_always_may():
    assert TimeBudget(1, spent(10)).may_start(100, {})


def test_a_trial_must_leave_time_for_the_refit():
    # 2 seconds an epoch; a refit of 2 epochs counts as 3.
    budget = TimeBudget(100, spent(80))
    assert budget.may_start(6, RECORDS)
    assert not budget.may_start(8, RECORDS)
    assert budget.refused == 1
