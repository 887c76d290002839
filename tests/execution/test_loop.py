"""The loop keeps an executor busy and tells every result."""

import pytest

from search.execution.base import Done, Wait
from search.execution.loop import run_study
from search.execution.serial import SerialExecutor


class Rounds:
    """A study of rounds of three trials, each round after the one before."""

    def __init__(self, rounds):
        self.left, self.told, self.asked = [3] * rounds, [], 0

    def ask(self):
        if self.asked == len(self.told) and self.left and self.left[0] == 0:
            self.left.pop(0)
        if not self.left:
            return Done(complete=True)
        if self.left[0] == 0:
            return Wait()
        self.left[0] -= 1
        self.asked += 1
        return self.asked

    def tell(self, result):
        self.told.append(result)


class Backwards:
    """Ends the trials that run all at once, the last one first."""

    def __init__(self, slots):
        self.slots, self.running, self.most = slots, [], 0

    def submit(self, spec):
        self.running.append(spec)
        self.most = max(self.most, len(self.running))

    def wait(self):
        ended, self.running = self.running[::-1], []
        return ended

    def close(self):
        pass


class Runner:
    """Runs trials by a function."""

    def __init__(self, function):
        self.function = function

    def run(self, spec, report):
        return self.function(spec)


def serial(function):
    return SerialExecutor(Runner(function), None)


def test_a_serial_search_runs_one_trial_after_another():
    ran, study = [], Rounds(2)
    assert run_study(study, serial(lambda spec: ran.append(spec) or spec)) == Done(complete=True)
    assert ran == study.told == [1, 2, 3, 4, 5, 6]


def test_as_many_trials_run_at_once_as_there_are_places():
    study, executor = Rounds(2), Backwards(3)
    run_study(study, executor)
    assert executor.most == 3 and sorted(study.told) == [1, 2, 3, 4, 5, 6]


def test_what_a_trial_raises_ends_the_search():
    def fails(spec):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_study(Rounds(1), serial(fails))


def test_a_study_that_waits_for_nothing_is_an_error():
    class Waits(Rounds):
        def ask(self):
            return Wait()

    with pytest.raises(RuntimeError, match="waits"):
        run_study(Waits(1), serial(lambda spec: spec))
