"""ASHA promotes the best of a rung at once, and never waits while there is something to try."""

import keras_tuner
import pytest
from keras_tuner.engine.trial import TrialStatus

from search.tuning.oracles.asha import AshaOracle
from search.tuning.oracles.base import PARENT

MAX = keras_tuner.Objective("val_accuracy", "max")


def make(max_epochs=9, numbers=None, **settings):
    hp = keras_tuner.HyperParameters()
    if numbers is None:
        hp.Float("rate", 0.0, 1.0)
    else:
        hp.Int("number", 1, numbers)
    settings = {"max_trials": None, "max_consecutive_failed_trials": 1000, **settings}
    oracle = AshaOracle(max_epochs, 3, objective=MAX, hyperparameters=hp, seed=0, **settings)
    oracle.saves_each_step, oracle.verbose = False, 0
    return oracle


def begin(oracle, number):
    return oracle.create_trial(f"tuner{number}")


def end(oracle, trial, score):
    trial.status = TrialStatus.COMPLETED
    oracle.update_trial(trial.trial_id, {"val_accuracy": score}, step=1)
    oracle.end_trial(trial)


def rung(trial):
    return trial.hyperparameters.values["tuner/round"]


def test_a_trial_is_promoted_as_soon_as_it_is_in_the_best_third_of_its_rung():
    oracle = make()
    trials = [begin(oracle, number) for number in range(5)]
    assert [rung(trial) for trial in trials] == [0] * 5
    end(oracle, trials[0], 0.5)
    end(oracle, trials[1], 0.7)
    assert rung(begin(oracle, 5)) == 0  # of two trials no third is promoted
    end(oracle, trials[2], 0.6)
    promoted = begin(oracle, 6)
    values = promoted.hyperparameters.values
    assert (rung(promoted), values[PARENT], values["tuner/initial_epoch"], values["tuner/epochs"]) == (
        1,
        trials[1].trial_id,
        1,
        3,
    )
    assert values["rate"] == trials[1].hyperparameters.values["rate"]
    assert rung(begin(oracle, 7)) == 0
    # The best of those that come later is promoted in its turn.
    end(oracle, trials[3], 0.9)
    assert begin(oracle, 8).hyperparameters.values[PARENT] == trials[3].trial_id


def test_the_highest_rung_comes_first_and_nothing_is_promoted_from_the_last():
    oracle = make(max_epochs=3)
    for number in range(9):
        end(oracle, begin(oracle, number), number / 10)
    rungs = [rung(trial) for trial in oracle.trials.values()]
    assert max(rungs) == 1 and rungs[3] == 1
    assert oracle.promotable() <= {one for one, trial in oracle.trials.items() if rung(trial) == 0}


def test_the_draws_are_those_of_a_search_that_promotes_others():
    def drawn(sign):
        oracle = make()
        for number in range(20):
            end(oracle, begin(oracle, number), sign * number / 100)
        values = [trial.hyperparameters.values for trial in oracle.trials.values()]
        return [one["rate"] for one in values if PARENT not in one]

    better, worse = drawn(1), drawn(-1)
    length = min(len(better), len(worse))
    assert better[:length] == worse[:length] and len(set(better)) == len(better)


def test_a_small_space_ends_when_all_is_tried_and_promoted():
    oracle, ended = make(numbers=9), 0
    while (trial := begin(oracle, ended)).status == TrialStatus.RUNNING:
        end(oracle, trial, trial.hyperparameters.values["number"] / 10)
        ended += 1
    values = [trial.hyperparameters.values for trial in oracle.trials.values()]
    assert sorted(one["number"] for one in values if PARENT not in one) == list(range(1, 10))
    best = [one["number"] for one in values if one["tuner/round"] == 2]
    assert trial.status == TrialStatus.STOPPED and len(best) <= 2


def test_it_waits_for_running_trials_before_it_ends():
    oracle = make(numbers=1)
    only = begin(oracle, 0)
    assert begin(oracle, 1).status == TrialStatus.IDLE
    end(oracle, only, 0.5)
    assert begin(oracle, 2).status == TrialStatus.STOPPED


@pytest.mark.parametrize(("name", "value"), [("max_epochs", 27), ("seed", 1)])
def test_its_settings_tell_searches_apart(name, value):
    settings = make().settings()
    assert {"max_epochs", "min_epochs", "factor", "seed"} <= set(settings)
    assert settings[name] != value
