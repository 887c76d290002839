"""However many trials run side by side, and in whatever order they end, it is one and the same search."""

import random
from dataclasses import replace

import keras_tuner
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from search.config.tuner import TunerConfig
from search.execution.base import Done, Wait
from search.training.base import NOTHING_KNOWN, TrialState
from search.tuning.oracles import ORACLES, make_oracle, model_sampler
from search.tuning.study import Budget, Study

OBJECTIVE = keras_tuner.Objective("val_loss", "min")
SETTINGS = {
    "hyperband": {"max_epochs": 9, "factor": 3, "iterations": 2},
    "random": {"max_epochs": 3, "max_trials": 20},
    "bayesian": {"max_epochs": 3, "max_trials": 8, "batch": 3},
    "grid": {"max_epochs": 3, "max_trials": 20},
    "asha": {"max_epochs": 9, "factor": 3, "max_trials": 40},
}
NO_BOUND = {"max_consecutive_failures": None, "max_failures": 10_000}


def make_study(name, seed, limit=None, *, finite=False, **changed):
    config = TunerConfig(name=name, **{**SETTINGS[name], **changed})
    oracle = make_oracle(replace(config, max_total_epochs=limit), OBJECTIVE, seed)
    oracle.saves_each_step, oracle.verbose = False, 0
    hp = keras_tuner.HyperParameters()
    hp.Choice("kind", ["a", "b", "c"])
    hp.Int("units", 1, 4)
    if not finite:
        hp.Float("rate", 0.1, 1.0)
    oracle.update_space(hp)
    return Study(oracle, config.max_epochs, Budget(max_total_epochs=limit))


def simulated(spec, failing):
    """A result that follows from the trial alone, with many ties; it may fail, or stop early."""
    draw = random.Random(repr((sorted(spec.values.items()), spec.target_epochs)))
    result = spec.record()
    result.space = spec.space
    if draw.random() < failing:
        result.status, result.epochs = "FAILED", draw.randrange(spec.initial_epoch, spec.target_epochs)
        return result
    result.status, result.epochs = "COMPLETED", draw.randint(spec.initial_epoch + 1, spec.target_epochs)
    result.score, result.best_epoch = float(draw.randrange(8)), result.epochs
    result.metrics = {"val_loss": result.score}
    return result


def run(study, workers, schedule, failing):
    """Asks whenever a worker is free, and lets the trials end in any order."""
    running, most = [], 0
    while True:
        asked = study.ask() if len(running) < workers else Wait()
        if not isinstance(asked, Wait | Done):
            running.append(asked)
            most = max(most, len(running))
        elif running:
            study.tell(simulated(running.pop(schedule.randrange(len(running))), failing))
        else:
            assert isinstance(asked, Done), "it waits for nothing"
            return most


def told(study):
    assert study.best() is next(iter(study.ranking()), None)
    rows = [(one.trial_id, one.parent, one.values, one.status, one.score, one.epochs) for one in study.records.values()]
    return rows, [record.trial_id for record in study.ranking()], study.oracle.stop_reason


@pytest.mark.parametrize("name", [name for name in ORACLES if name != "asha"])  # which promises no such thing
@settings(deadline=None, max_examples=12, suppress_health_check=list(HealthCheck))
@given(
    seed=st.integers(0, 99),
    workers=st.integers(2, 8),
    failing=st.sampled_from([0.0, 0.1, 0.4]),
    finite=st.booleans(),
    bounds=st.sampled_from([NO_BOUND, {"max_consecutive_failures": 2}, {"max_failures": 3}]),
    limit=st.sampled_from([None, None, 25]),
)
def test_any_order_of_ends_gives_what_one_worker_gives(name, seed, workers, failing, finite, bounds, limit):
    def searched(workers):
        study = make_study(name, seed, limit, finite=finite, **bounds)
        run(study, workers, random.Random(seed), failing)
        return told(study)

    assert searched(workers) == searched(1)


@pytest.fixture
def early_model(monkeypatch):
    """A model of the results is made as soon as there are a few."""
    monkeypatch.setattr(model_sampler, "_LEAST", 6)


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("failing", [0.0, 0.2])
def test_a_models_proposals_are_the_same_for_any_number_of_workers(early_model, seed, failing):
    def searched(workers, sampler):
        study = make_study("hyperband", seed, sampler=sampler, **NO_BOUND)
        most = run(study, workers, random.Random(workers), failing)
        assert sampler == "random" or most <= 9  # a bracket waits for those before it
        return told(study)

    assert searched(20, "tpe") == searched(1, "tpe") != searched(1, "random")


@pytest.mark.parametrize("name", ["hyperband", "asha"])
def test_a_models_search_goes_on_the_same_after_a_replay(early_model, name):
    def made():
        return make_study(name, 0, sampler="tpe", **NO_BOUND)

    whole, steps = made(), []
    while not isinstance(spec := whole.ask(), Done):
        steps.append((spec, simulated(spec, 0.1)))
        whole.tell(steps[-1][1])
    again = made()
    for spec, result in steps[: len(steps) // 2]:
        assert again.replay(spec.trial_id, spec.space["values"])
        again.tell(result)
    run(again, 1, random.Random(0), 0.1)
    assert told(again) == told(whole)


@pytest.mark.parametrize(("name", "most"), [("hyperband", 34), ("random", 20), ("grid", 20), ("bayesian", 3)])
def test_what_need_not_wait_runs_side_by_side(name, most):
    assert run(make_study(name, 0), 100, random.Random(0), 0.0) == most


def test_a_failure_shifts_nobody_elses_draw():
    def drawn(failing):
        study = make_study("hyperband", 3, **NO_BOUND)
        run(study, 1, random.Random(0), failing)
        return {one.trial_id: one.values for one in study.records.values() if one.parent is None}

    undisturbed, disturbed = drawn(0.0), drawn(0.3)
    assert undisturbed.items() <= disturbed.items()
    replacements = disturbed.keys() - undisturbed.keys()
    assert replacements and all(int(trial_id) >= 1_000_000 for trial_id in replacements)


def test_a_promoted_trial_takes_over_what_its_parent_found_out_also_after_a_replay():
    study, again, parents = make_study("hyperband", 0), make_study("hyperband", 0), {}
    while (spec := study.ask()).parent is None:
        assert spec.state == NOTHING_KNOWN
        parents[spec.trial_id] = simulated(spec, 0.0)
        parents[spec.trial_id].head_epochs, parents[spec.trial_id].accumulate = len(parents), 2
        study.tell(parents[spec.trial_id])
        assert again.replay(spec.trial_id, spec.space["values"])
        again.tell(parents[spec.trial_id])
    parent = parents[spec.parent]
    assert spec.state == parent.state == TrialState(accumulate=2, head_epochs=parent.head_epochs)
    assert again.replay(spec.trial_id, spec.space["values"])
    again.ask_again()
    assert again.ask() == spec


def test_a_batch_of_one_sees_all_trials_before_it_and_a_larger_one_those_before_the_batch():
    def scored(batch):
        study = make_study("bayesian", 0, batch=batch, max_trials=9)
        run(study, 1, random.Random(0), 0.0)
        return [record.values for record in study.records.values()]

    one, three = scored(1), scored(3)
    assert one[:4] == three[:4] and one[4] != three[4]
