"""A runner can be taken to another process, where it gives the same result."""

import multiprocessing
import pickle
from dataclasses import asdict

import keras
import keras_tuner
import pytest
from toy import OBJECTIVE, Toy, Watcher

from search.tuning.runner import TrialRunner
from search.tuning.trial import TrialSpec
from search.tuning.trial_files import TrialFiles


def build(hp):
    keras.utils.set_random_seed(3)
    return Toy().build(hp)


def fails(hp, epoch):
    raise ValueError(f"epoch {epoch} never works")


def make_spec(trial_id="0", **settings):
    hp = keras_tuner.HyperParameters()
    Toy().declare_hyperparameters(hp)
    return TrialSpec(trial_id, hp.get_config(), **{"initial_epoch": 0, "target_epochs": 3, **settings})


def make_runner(folder, hypermodel=None):
    return TrialRunner(hypermodel or Quiet(), build, TrialFiles(folder), OBJECTIVE)


def run(runner, spec, queue=None):
    watcher = Watcher()
    result = asdict(runner.run(spec, watcher))
    del result["seconds"]
    told = result, watcher.begun, [(trial_id, epoch) for trial_id, epoch, _ in watcher.epochs]
    if queue is not None:
        queue.put(told)
    return told


class Quiet(Toy):
    """A toy without a function that cannot be pickled."""

    def __init__(self):
        super().__init__(never)


def never(hp, epoch):
    pass


def test_a_pickled_runner_gives_the_same_result(tmp_path):
    runner, spec = make_runner(tmp_path / "a", Quiet()), make_spec()
    expected = run(runner, spec)
    assert expected[0]["status"] == "COMPLETED" and expected[2] == [("0", 1), ("0", 2), ("0", 3)]
    again = pickle.loads(pickle.dumps((make_runner(tmp_path / "b", Quiet()), spec)))
    assert repr(run(*again)) == repr(expected)  # as text, in which a NaN is equal to itself


@pytest.mark.slow
def test_a_process_of_its_own_gives_the_same_result(tmp_path):
    expected = run(make_runner(tmp_path / "a", Quiet()), make_spec())
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    process = context.Process(target=run, args=(make_runner(tmp_path / "b", Quiet()), make_spec(), queue))
    process.start()
    assert repr(queue.get(timeout=120)) == repr(expected)
    process.join()


def test_a_failure_ends_in_the_result(tmp_path):
    result, _, epochs = run(make_runner(tmp_path, Toy(fails)), make_spec())
    assert (result["status"], result["score"], epochs) == ("FAILED", None, [])
    assert result["error"] == "ValueError: epoch 0 never works" and "never works" in result["traceback"]


def test_it_writes_nothing_but_the_trials_own_files(tmp_path):
    run(make_runner(tmp_path, Quiet()), make_spec("7"))
    assert {path.parent.name for path in tmp_path.rglob("*.*")} == {"trial_7"}


def test_checkpoints_are_told_as_they_are_written_the_state_after_what_it_refers_to(tmp_path):
    class Report(Watcher):
        def on_epoch_end(self, record, epoch, metrics):
            told.append(epoch)

    told, runner = [], make_runner(tmp_path / "elsewhere", Quiet())
    runner.keep_files_in(tmp_path, lambda path: told.append(path.relative_to(tmp_path).as_posix()))
    runner.run(make_spec(), Report())  # each of its epochs is better than the one before
    best, last = "trial_0/best.npz", "trial_0/last.npz"
    assert told == [best, 1, last, best, 2, last, best, 3, last]


def test_a_promoted_trial_goes_on_from_its_parents_files_alone(tmp_path):
    whole = run(make_runner(tmp_path / "whole", Quiet()), make_spec())
    run(make_runner(tmp_path / "parts", Quiet()), make_spec("0", target_epochs=1))
    child = make_spec("1", parent="0", initial_epoch=1)
    result, _, epochs = run(pickle.loads(pickle.dumps(make_runner(tmp_path / "parts", Quiet()))), child)
    assert epochs == [("1", 2), ("1", 3)]
    last = [TrialFiles(tmp_path / name).last(trial_id) for name, trial_id in (("whole", "0"), ("parts", "1"))]
    from search.utils.checkpoint import load

    assert [array.tobytes() for array in load(last[0])] == [array.tobytes() for array in load(last[1])]
    assert whole[0]["status"] == result["status"] == "COMPLETED"
