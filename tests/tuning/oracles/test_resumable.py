"""A search that is killed between any two writes to disk goes on as if it had not been."""

import json
import random
import shutil
from collections import Counter

import keras_tuner
import pytest

from search.tuning.oracles.hyperband import HyperbandOracle

MIN = keras_tuner.Objective("loss", "min")
PROJECT = "trials"


def make_oracle(folder, **settings):
    hp = keras_tuner.HyperParameters()
    hp.Float("rate", 0, 1)
    settings = {"max_epochs": 9, "seed": 0, "max_retries_per_trial": 1, "max_consecutive_failed_trials": 99, **settings}
    oracle = HyperbandOracle(settings.pop("objective", MIN), hyperparameters=hp, **settings)
    oracle.verbose = 0
    oracle._set_project_dir(str(folder), PROJECT)
    return oracle


def outcome(values):
    """A score, or None for a failure; it follows from the trial alone, as in a search that is deterministic."""
    draw = random.Random(f"{values['rate']} {values['tuner/epochs']}")
    return draw.random() if draw.random() > 0.2 else None


def begin(oracle, worker="tuner0"):
    return oracle.create_trial(worker)


def finish(oracle, trial):
    # A model may ask for what the space does not have yet.
    if trial.hyperparameters["rate"] > 0.5:
        trial.hyperparameters.Choice("late", [1, 2, 3])
    score = outcome(trial.hyperparameters.values)
    if score is None:
        trial.status = "INVALID"
    else:
        oracle.update_trial(trial.trial_id, {"loss": score}, step=1)
        trial.status = "COMPLETED"
    oracle.end_trial(trial)


def go_on(oracle, most=1000):
    """Runs a search to its end, or until it has so many trials; gives how often each of them ran."""
    runs = Counter()
    while len(oracle.end_order) < most and (trial := begin(oracle)).status == "RUNNING":
        runs[trial.trial_id] += 1
        finish(oracle, trial)
    return runs


def leaderboard(oracle):
    return [
        (trial_id, trial.status, trial.score, trial.best_step, trial.hyperparameters.values)
        for trial_id, trial in oracle.trials.items()
    ]


def test_a_kill_between_any_two_writes_changes_nothing(tmp_path):
    schedule = {"max_epochs": 4, "factor": 2}
    oracle = make_oracle(tmp_path / "whole", **schedule)
    snapshots = []

    def snapshot_after(method):
        def wrapped(*arguments):
            result = method(*arguments)
            snapshots.append(tmp_path / f"killed_{len(snapshots)}")
            shutil.copytree(tmp_path / "whole", snapshots[-1])
            return result

        return wrapped

    oracle.save = snapshot_after(oracle.save)
    oracle._save_trial = snapshot_after(oracle._save_trial)
    runs = go_on(oracle)
    assert len(runs) > 15 and 2 in runs.values(), "the search should have failures and retries"

    for folder in snapshots:
        # Without this file KerasTuner's tuner, too, begins anew.
        resumable = (folder / PROJECT / "oracle.json").exists()
        again = make_oracle(folder, **schedule)
        if resumable:
            again.reload()
        again.save, again._save_trial = lambda: None, lambda trial: None  # what follows need not be slow, too
        ended = {trial_id for trial_id, trial in again.trials.items() if trial.status in ("COMPLETED", "FAILED")}
        runs = go_on(again)
        assert leaderboard(again) == leaderboard(oracle)
        assert not ended & set(runs)
        assert again.start_order == oracle.start_order and again.end_order == oracle.end_order


def test_trials_of_all_workers_are_handed_out_again(tmp_path):
    oracle = make_oracle(tmp_path)
    running = [begin(oracle, worker) for worker in ("a", "b", "c")]
    finish(oracle, running[1])
    again = make_oracle(tmp_path)
    again.reload()
    handed_out = [begin(again, worker) for worker in ("d", "e")]
    expected = {
        running[0].trial_id: running[0].hyperparameters.values,
        running[2].trial_id: running[2].hyperparameters.values,
    }
    assert {trial.trial_id: trial.hyperparameters.values for trial in handed_out} == expected
    assert begin(again, "f").trial_id not in {trial.trial_id for trial in running}


def test_what_an_interrupted_run_had_reported_does_not_count(tmp_path):
    oracle = make_oracle(tmp_path)
    trial = begin(oracle)
    oracle.update_trial(trial.trial_id, {"loss": 0.0}, step=1)
    again = make_oracle(tmp_path)
    again.reload()
    trial = begin(again)
    again.update_trial(trial.trial_id, {"loss": 1.0}, step=1)
    trial.status = "COMPLETED"
    again.end_trial(trial)
    assert trial.score == 1.0


def test_the_state_is_json_and_comes_back(tmp_path):
    oracle = make_oracle(tmp_path)
    go_on(oracle, most=12)
    running = begin(oracle)
    state = json.loads(json.dumps(oracle.get_state()))
    again = make_oracle(tmp_path)
    again.trials = dict(reversed(oracle.trials.items()))
    again.set_state(state)
    assert list(again.trials) == again.start_order
    assert begin(again).trial_id == running.trial_id
    same = json.loads(json.dumps(again.get_state()))
    # KerasTuner writes a set in whatever order.
    assert set(same.pop("tried_so_far")) == set(state.pop("tried_so_far"))
    assert same == state


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"max_epochs": 27}, "max_epochs was 9, is 27"),
        ({"factor": 4}, "factor was 3, is 4"),
        ({"min_epochs": 3}, "min_epochs was 1, is 3"),
        ({"seed": 1}, "seed was 0, is 1"),
        ({"objective": keras_tuner.Objective("loss", "max")}, "objective"),
        ({"hyperband_iterations": 1}, "hyperband_iterations was 2, is 1"),
        ({"factor": 2, "seed": 7}, "factor was 3, is 2; seed|seed was 0, is 7; .*factor"),
    ],
)
def test_other_settings_are_refused_and_named(tmp_path, changed, named):
    oracle = make_oracle(tmp_path, hyperband_iterations=2)
    finish(oracle, begin(oracle))
    with pytest.raises(ValueError, match=named):
        make_oracle(tmp_path, **{"hyperband_iterations": 2, **changed}).reload()


@pytest.mark.parametrize("more", [3, None])
def test_more_iterations_go_on(tmp_path, more):
    oracle = make_oracle(tmp_path, hyperband_iterations=2)
    go_on(oracle)
    again = make_oracle(tmp_path, hyperband_iterations=more)
    again.reload()
    go_on(again, most=80)
    straight = make_oracle(tmp_path / "straight", hyperband_iterations=more)
    go_on(straight, most=80)
    assert len(again.trials) > len(oracle.trials)
    assert leaderboard(again) == leaderboard(straight)


def test_no_seed_takes_the_saved_one(tmp_path):
    oracle = make_oracle(tmp_path, seed=None)
    begin(oracle)
    again = make_oracle(tmp_path, seed=None)
    again.reload()
    assert again.seed == oracle.seed


def test_a_lost_trial_is_named(tmp_path):
    oracle = make_oracle(tmp_path)
    for _ in range(3):
        finish(oracle, begin(oracle))
    shutil.rmtree(tmp_path / PROJECT / "trial_0001")
    with pytest.raises(ValueError, match="0001"):
        make_oracle(tmp_path).reload()


def test_a_project_of_keras_tuners_own_is_not_taken_for_one_of_ours(tmp_path):
    theirs = keras_tuner.oracles.HyperbandOracle(MIN, max_epochs=9, seed=1)
    theirs.verbose = 0
    theirs._set_project_dir(str(tmp_path), PROJECT)
    theirs.save()
    with pytest.raises(RuntimeError, match="existing project"):
        make_oracle(tmp_path).reload()


def test_goes_on_in_a_folder_that_reads_like_a_pattern(tmp_path):
    oracle = make_oracle(tmp_path / "runs [1]" / "a\\b")
    go_on(oracle, most=3)
    again = make_oracle(tmp_path / "runs [1]" / "a\\b")
    again.reload()
    assert again.end_order == oracle.end_order and set(again.trials) == set(oracle.trials)
