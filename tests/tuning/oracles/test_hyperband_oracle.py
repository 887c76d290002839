"""The trials that the oracle proposes, against a plain simulation of Hyperband in which failed trials are replaced."""

import math
import random
import sys
from collections import defaultdict

import keras_tuner
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search.tuning.oracles.hyperband import HyperbandOracle
from search.tuning.oracles.schedule import brackets, total_trials

# KerasTuner takes the best of the values of a trial that has none but NaN.
pytestmark = pytest.mark.filterwarnings("ignore:All-NaN axis encountered:RuntimeWarning")

MIN, MAX = keras_tuner.Objective("loss", "min"), keras_tuner.Objective("accuracy", "max")
NO_BOUNDS = {"max_consecutive_failed_trials": sys.maxsize, "max_failed_trials": sys.maxsize}


class Oracle(HyperbandOracle):
    """The oracle without its files."""

    def __init__(self, *arguments, **keywords):
        super().__init__(*arguments, **keywords)
        self.verbose = 0

    def save(self):
        pass

    def _save_trial(self, trial):
        pass


def rates():
    hp = keras_tuner.HyperParameters()
    hp.Float("rate", 0, 1)
    return hp


def numbers(n):
    hp = keras_tuner.HyperParameters()
    hp.Int("number", 1, n)
    return hp


def end(oracle, trial, outcome):
    """Ends a trial with a score, or with a status that says how it failed."""
    if isinstance(outcome, str):
        trial.status = outcome
    else:
        oracle.update_trial(trial.trial_id, {oracle.objective.name: outcome}, step=1)
        trial.status = "COMPLETED"
    oracle.end_trial(trial)


def run(oracle, outcome, worker="tuner0"):
    """Runs a search with one worker; `outcome` makes a score or a failure of a trial's values."""
    while (trial := oracle.create_trial(worker)).status != "STOPPED":
        assert trial.status == "RUNNING", "nothing is ongoing to wait for"
        assert len(oracle.trials) <= 5000
        end(oracle, trial, outcome(trial.hyperparameters.values))
    return list(oracle.trials.values())


def by_configuration(outcome):
    """Makes an outcome of values of one of the number of the configuration, in order of appearance, and its epochs."""
    seen = {}
    return lambda values: outcome(seen.setdefault(values["rate"], len(seen)), values["tuner/epochs"])


def luck(seed, failures):
    """Scores with many ties, and now and then a failure of some kind."""

    def outcome(number, epochs):
        draw = random.Random(f"{seed} {number} {epochs}")
        if draw.random() < failures:
            return draw.choice(["FAILED", "INVALID", math.nan, math.inf])
        return float(draw.randrange(20))

    return outcome


def is_score(outcome):
    return not isinstance(outcome, str) and math.isfinite(outcome)


def simulate(plan, outcome, sign):
    """Hyperband with replacement: per trial the number of its configuration and the epochs it starts from and ends at.

    Apart from the implementation: whole rounds one after another, no trials, no states.
    """
    log, drawn = [], 0
    for bracket in plan:
        survivors = []
        for size, epochs, before in bracket:
            pool, round_ = sorted(survivors, key=lambda pair: sign * pair[0]), []
            while len(round_) < size:
                if pool:
                    number, start = pool.pop(0)[1], before
                else:
                    number, start, drawn = drawn, 0, drawn + 1
                log.append((number, start, epochs))
                result = outcome(number, epochs)
                if is_score(result):
                    round_.append((result, number))
            survivors = round_
    return log


def plain(plan):
    return [[(round_.size, round_.epochs, round_.initial_epoch) for round_ in bracket] for bracket in plan]


def check_against_simulation(max_epochs, factor, min_epochs, objective, seed, failures, iterations=1):
    outcome = luck(seed, failures)
    oracle = Oracle(objective, max_epochs, factor, iterations, seed, rates(), min_epochs=min_epochs, **NO_BOUNDS)
    trials = run(oracle, by_configuration(outcome))
    values = [trial.hyperparameters.values for trial in trials]

    plan = brackets(max_epochs, factor, min_epochs) * iterations
    numbers = {rate: k for k, rate in enumerate(dict.fromkeys(one["rate"] for one in values))}
    sign = 1 if objective is MIN else -1
    proposed = [(numbers[one["rate"]], one["tuner/initial_epoch"], one["tuner/epochs"]) for one in values]
    assert proposed == simulate(plain(plan), outcome, sign)

    completed = defaultdict(int)
    for trial, one in zip(trials, values, strict=True):
        if trial.status == "COMPLETED":
            completed[one["tuner/bracket"], one["tuner/round"], one["tuner/epochs"]] += 1
        if (parent := oracle.trials.get(one.get("tuner/trial_id"))) is None:
            assert one["tuner/initial_epoch"] == 0
        else:
            before = parent.hyperparameters.values
            assert parent.status == "COMPLETED" and before["tuner/round"] == one["tuner/round"] - 1
            assert before["tuner/epochs"] == one["tuner/initial_epoch"] and before["rate"] == one["rate"]
    planned = defaultdict(int)
    for bracket in plan:
        for i, round_ in enumerate(bracket):
            planned[len(bracket) - 1, i, round_.epochs] += round_.size
    assert completed == planned
    from_scratch = [one["rate"] for one in values if "tuner/trial_id" not in one]
    assert len(from_scratch) == len(set(from_scratch))


@settings(deadline=None, max_examples=40)
@given(
    max_epochs=st.integers(1, 100),
    factor=st.integers(2, 5),
    objective=st.sampled_from([MIN, MAX]),
    seed=st.integers(0, 1000),
    failures=st.sampled_from([0.0, 0.05, 1 / 3, 0.6]),
    data=st.data(),
)
def test_every_bracket_runs_in_full_whatever_fails(max_epochs, factor, objective, seed, failures, data):
    min_epochs = data.draw(st.just(1) | st.integers(1, max_epochs))
    check_against_simulation(max_epochs, factor, min_epochs, objective, seed, failures)


@pytest.mark.parametrize("max_epochs", [9, 27, 30])
def test_several_iterations_run_in_full(max_epochs):
    check_against_simulation(max_epochs, 3, 1, MAX, seed=0, failures=0.2, iterations=3)


def test_without_failures_the_counts_are_keras_tuners():
    theirs = keras_tuner.oracles.HyperbandOracle(MIN, max_epochs=9, hyperparameters=rates(), seed=1)
    theirs.save, theirs._save_trial, theirs.verbose = lambda: None, lambda trial: None, 0
    both = [
        [
            {name: v for name, v in trial.hyperparameters.values.items() if name != "rate"}
            for trial in run(oracle, score)
        ]
        for oracle, score in (
            (theirs, first_is_best()),
            (Oracle(MIN, 9, hyperparameters=rates(), seed=1), first_is_best()),
        )
    ]
    assert len(both[0]) == 23
    special = ("tuner/epochs", "tuner/initial_epoch", "tuner/bracket", "tuner/round")
    assert sorted([[one[name] for name in special] for one in both[0]]) == sorted(
        [[one[name] for name in special] for one in both[1]]
    )
    assert [set(one) for one in both[1] if "tuner/trial_id" in one] == [{*special, "tuner/trial_id"}] * 6


def first_is_best():
    return by_configuration(lambda number, epochs: float(number))


def test_the_best_of_a_complete_round_is_promoted_and_after_its_failure_the_next_then_a_new_one():
    fails = {(0, 3), (1, 3), (8, 3), (3, 9), (2, 9)}
    trials = run(
        Oracle(MIN, 9, seed=0, hyperparameters=rates(), **NO_BOUNDS),
        by_configuration(lambda number, epochs: "FAILED" if (number, epochs) in fails else float(number)),
    )
    lines = [
        (trial.trial_id, values.get("tuner/trial_id"), values["tuner/initial_epoch"], values["tuner/epochs"])
        for trial in trials
        if (values := trial.hyperparameters.values)["tuner/bracket"] == 2
    ]
    assert lines[:9] == [(f"{k:04}", None, 0, 1) for k in range(9)]
    assert [parent for _, parent, _, epochs in lines if epochs == 3] == ["0000", "0001", "0002", "0003", "0004"]
    assert [line[1:] for line in lines if line[3] == 9] == [("0011", 3, 9), ("1000011", 3, 9), ("2000011", 3, 9)]


def test_where_no_trial_of_the_round_before_is_left_a_new_one_starts_from_nothing():
    trials = run(
        Oracle(MIN, 3, seed=0, hyperparameters=rates(), **NO_BOUNDS),
        by_configuration(lambda number, epochs: "FAILED" if number < 3 and epochs == 3 else float(number)),
    )
    last = [trial.hyperparameters.values for trial in trials if trial.hyperparameters.values["tuner/bracket"] == 1][-1]
    assert (last["tuner/initial_epoch"], last["tuner/epochs"], last["tuner/round"]) == (0, 3, 1)
    assert "tuner/trial_id" not in last


@pytest.mark.parametrize("combinations", range(1, 11))
def test_a_small_space_is_tried_completely_and_its_best_are_trained_in_full(combinations):
    trials = run(Oracle(MAX, 9, seed=0, hyperparameters=numbers(combinations)), lambda values: float(values["number"]))
    per_round = defaultdict(list)
    for trial in trials:
        values = trial.hyperparameters.values
        per_round[values["tuner/bracket"], values["tuner/round"]].append(values["number"])
    first = sorted(per_round[2, 0])
    assert len(first) == min(combinations, 9)
    assert sorted(first + per_round[1, 0] + per_round[0, 0]) == list(range(1, combinations + 1))
    assert per_round[2, 1] == first[::-1][:3] and per_round[2, 2] == first[::-1][:1]
    assert len(per_round[1, 1]) == len(per_round[1, 0])


@pytest.mark.parametrize("hp", [None, numbers(1)])
def test_one_configuration_is_trained_in_full_once(hp):
    trials = run(Oracle(MIN, 9, seed=0, hyperparameters=hp, hyperband_iterations=None), lambda values: 1.0)
    values = [trial.hyperparameters.values for trial in trials]
    assert [(one["tuner/initial_epoch"], one["tuner/epochs"]) for one in values] == [(0, 1), (1, 3), (3, 9)]


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 12), st.integers(0, 100), st.integers(1, 40), st.integers(2, 4))
def test_a_small_space_with_failures_ends_with_all_tried_once(combinations, seed, max_epochs, factor):
    def outcome(values):
        return luck(seed, 0.3)(values["number"], values["tuner/epochs"])

    trials = run(Oracle(MIN, max_epochs, factor, None, seed, numbers(combinations), **NO_BOUNDS), outcome)
    values = [trial.hyperparameters.values for trial in trials]
    from_scratch = [one["number"] for one in values if "tuner/trial_id" not in one]
    assert sorted(from_scratch) == list(range(1, combinations + 1))
    # Of each bracket's completed trials some are promoted, unless there is no further round.
    parents = {one.get("tuner/trial_id") for one in values}
    per_round = defaultdict(list)
    for trial, one in zip(trials, values, strict=True):
        if trial.status == "COMPLETED" and one["tuner/epochs"] < max_epochs:
            per_round[one["tuner/bracket"], one["tuner/round"]].append(trial.trial_id)
    assert all(parents & set(round_) for round_ in per_round.values())


def test_conditions_are_respected_and_their_branches_exhausted():
    hp = keras_tuner.HyperParameters()
    hp.Choice("kind", ["plain", "deep"])
    with hp.conditional_scope("kind", ["deep"]):
        hp.Int("layers", 1, 3)
    trials = run(Oracle(MIN, 3, seed=0, hyperparameters=hp), lambda values: 1.0)
    tried = [
        (values["kind"], values.get("layers"))
        for trial in trials
        if "tuner/trial_id" not in (values := trial.hyperparameters.values)
    ]
    assert sorted(tried, key=str) == [("deep", 1), ("deep", 2), ("deep", 3), ("plain", None)]


def test_what_a_model_asks_for_later_is_searched_and_draws_nothing_without_a_seed():
    def search():
        oracle = Oracle(MIN, 9, seed=3, hyperparameters=rates())
        while (trial := oracle.create_trial("tuner0")).status == "RUNNING":
            hp = trial.hyperparameters
            if hp["rate"] > 0.5:  # a parameter that not every model asks for, outside any condition
                hp.Float("late", 0, 1)
            end(oracle, trial, hp["rate"])
        return [trial.hyperparameters.values for trial in oracle.trials.values()]

    first = search()
    assert first == search()
    assert len({values.get("late") for values in first}) > 5


def test_untuned_entries_do_not_hide_that_a_configuration_was_tried():
    oracle = Oracle(MIN, 9, seed=0, hyperparameters=numbers(3), tune_new_entries=False)
    while (trial := oracle.create_trial("tuner0")).status == "RUNNING":
        trial.hyperparameters.Choice("untuned", [1, 2])
        end(oracle, trial, 1.0)
    started = [trial.hyperparameters.values for trial in oracle.trials.values()]
    assert sorted(values["number"] for values in started if "tuner/trial_id" not in values) == [1, 2, 3]


@pytest.mark.parametrize("seed", [0, 1, 12345])
def test_the_same_seed_gives_the_same_trials_and_another_others(seed):
    def drawn(seed):
        trials = run(Oracle(MIN, 9, seed=seed, hyperparameters=rates()), first_is_best())
        return [trial.hyperparameters.values for trial in trials]

    assert drawn(seed) == drawn(seed)
    assert drawn(seed)[0]["rate"] != drawn(seed + 1)[0]["rate"]


def test_no_seed_draws_one_whatever_the_global_generator():
    seeds = set()
    for _ in range(5):
        random.seed(0)
        seeds.add(Oracle(MIN).seed)
    assert len(seeds) == 5


def search_in_parallel(oracle, outcome, workers, scheduler):
    """Lets workers ask and end in random order; checks that whoever waits, waits for another."""
    running = {}
    finished = set()
    while len(finished) < workers:
        worker = scheduler.choice([w for w in range(workers) if w not in finished])
        if worker in running:
            trial = running.pop(worker)
            end(oracle, trial, outcome(trial.hyperparameters.values))
            continue
        trial = oracle.create_trial(str(worker))
        if trial.status == "STOPPED":
            assert not running
            finished.add(worker)
        elif trial.status == "IDLE":
            assert running
        else:
            running[worker] = trial


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 30), st.integers(2, 4), st.integers(2, 6), st.integers(0, 1000), st.booleans())
def test_workers_side_by_side_wait_for_each_other_alone(max_epochs, factor, workers, seed, failing):
    def outcome(values):
        return luck(seed, 0.2 * failing)(values["rate"], values["tuner/epochs"])

    oracle = Oracle(MIN, max_epochs, factor, seed=seed, hyperparameters=rates(), **NO_BOUNDS)
    search_in_parallel(oracle, outcome, workers, random.Random(seed))

    rounds = defaultdict(list)
    for trial in oracle.trials.values():
        values = trial.hyperparameters.values
        rounds[values["tuner/bracket"], values["tuner/round"]].append(trial)
    for bracket in brackets(max_epochs, factor):
        for i, planned in enumerate(bracket):
            current = rounds[len(bracket) - 1, i]
            assert sum(trial.status == "COMPLETED" for trial in current) == planned.size
            if i:
                before = [trial for trial in rounds[len(bracket) - 1, i - 1] if trial.status == "COMPLETED"]
                ranked = sorted(before, key=lambda trial: trial.score)
                promoted = [trial.hyperparameters.values.get("tuner/trial_id") for trial in current]
                promoted = [parent for parent in promoted if parent is not None]
                assert promoted == [trial.trial_id for trial in ranked[: len(promoted)]]

    alone = Oracle(MIN, max_epochs, factor, seed=seed, hyperparameters=rates(), **NO_BOUNDS)
    run(alone, outcome)
    drawn = [{name: trial.hyperparameters.values for name, trial in one.trials.items()} for one in (oracle, alone)]
    assert drawn[0] == drawn[1] and oracle.order() == alone.order()


def test_workers_side_by_side_exhaust_a_small_space():
    for seed in range(10):
        oracle = Oracle(MIN, 9, seed=seed, hyperparameters=numbers(5))
        search_in_parallel(oracle, lambda values: float(values["number"]), 3, random.Random(seed))
        values = [trial.hyperparameters.values for trial in oracle.trials.values()]
        assert sorted(one["number"] for one in values if "tuner/trial_id" not in one) == [1, 2, 3, 4, 5]
        assert 9 in {one["tuner/epochs"] for one in values}


def test_a_worker_that_waits_is_given_the_next_bracket():
    oracle = Oracle(MIN, 3, seed=0, hyperparameters=rates())
    first = [oracle.create_trial(str(worker)) for worker in range(4)]
    assert [trial.hyperparameters["tuner/bracket"] for trial in first] == [1, 1, 1, 0]
    for trial in first[:3]:
        end(oracle, trial, 1.0)
    assert oracle.create_trial("0").hyperparameters["tuner/trial_id"] == "0000"


@pytest.mark.parametrize("status", ["FAILED", "INVALID"])
def test_failures_in_a_row_stop_the_search_in_order(status):
    oracle = Oracle(MIN, 9, seed=0, hyperparameters=rates(), max_consecutive_failed_trials=4)
    outcomes = iter([1.0, status, status, status, 1.0, status, status, status, status])
    trials = run(oracle, lambda values: next(outcomes))
    assert len(trials) == 9 and "4 trials in a row" in oracle.stop_reason
    assert [trial.trial_id for trial in oracle.get_best_trials(2)] == ["0000", "0004"]


def test_failures_in_all_stop_the_search():
    oracle = Oracle(MIN, 9, seed=0, hyperparameters=rates(), max_failed_trials=3)
    count = iter(range(100))
    trials = run(oracle, lambda values: "FAILED" if next(count) % 2 else 1.0)
    assert sum(trial.status == "FAILED" for trial in trials) == 3 and "max_failed_trials" in oracle.stop_reason


@pytest.mark.parametrize(("max_epochs", "bound"), [(1, 10), (9, 23), (27, 70)])
def test_a_search_in_which_all_fails_ends_by_itself(max_epochs, bound):
    oracle = Oracle(MIN, max_epochs, seed=0, hyperparameters=rates(), max_consecutive_failed_trials=sys.maxsize)
    assert bound in (10, total_trials(brackets(max_epochs, 3)))
    assert len(run(oracle, lambda values: "FAILED")) == bound


def test_a_retry_keeps_trial_and_values_and_counts_once():
    oracle = Oracle(MIN, 3, seed=0, hyperparameters=rates(), max_retries_per_trial=1)
    values = []
    outcomes = iter([math.nan, 0.5, "INVALID", "INVALID", *[1.0] * 100])

    def outcome(given):
        values.append(dict(given))
        return next(outcomes)

    trials = run(oracle, outcome)
    assert values[0] == values[1] and values[2] == values[3] != values[4]
    assert (trials[0].status, trials[0].score) == ("COMPLETED", 0.5)
    assert (trials[1].status, trials[1].score) == ("FAILED", None)
    assert len(trials) == total_trials(brackets(3, 3)) + 1


def test_max_trials_ends_the_search():
    oracle = Oracle(MIN, 9, seed=0, hyperparameters=rates())
    oracle.max_trials = 5
    assert len(run(oracle, first_is_best())) == 5


@settings(deadline=None, max_examples=20)
@given(st.integers(1, 30), st.integers(2, 4), st.integers(0, 1000))
def test_what_is_promoted_was_promotable_and_at_the_end_nothing_is(max_epochs, factor, seed):
    oracle = Oracle(MIN, max_epochs, factor, seed=seed, hyperparameters=rates(), **NO_BOUNDS)
    outcome = by_configuration(luck(seed, 0.3))
    kept = set()  # the last states on disk, those that are not promotable removed at the end of every trial
    while (trial := oracle.create_trial("tuner0")).status == "RUNNING":
        values = trial.hyperparameters.values
        parent = values.get("tuner/trial_id")
        assert parent is None or (parent in kept and parent in oracle.promotable())
        end(oracle, trial, outcome(values))
        kept = (kept | {trial.trial_id}) & oracle.promotable()
    assert not kept and not oracle.promotable()


@pytest.mark.parametrize(
    "wrong",
    [
        {"factor": 1},
        {"min_epochs": 0},
        {"min_epochs": 101},
        {"hyperband_iterations": 0},
        {"max_failed_trials": 0},
        {"max_consecutive_failed_trials": 0},
    ],
)
def test_impossible_settings_are_refused(wrong):
    with pytest.raises(ValueError, match="Expected"):
        Oracle(MIN, **wrong)
