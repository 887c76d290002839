"""Callbacks are told of a run, and their errors are their own."""

import pytest
from tracking.runs_told import SUMMARY, event, trial

from search.errors import CallbackError, InputError
from search.tracking import trackers
from search.tracking.callbacks import Callback, Callbacks


class Notes(Callback):
    def __init__(self, fails_in=None):
        self.told, self.fails_in = [], fails_in

    def __getattribute__(self, name):
        if not name.startswith("on_"):
            return super().__getattribute__(name)

        def note(*arguments):
            self.told.append((name, *arguments))
            if name == self.fails_in:
                raise ValueError("no\nroom")

        return note


def test_each_hears_of_the_run_and_its_end(tmp_path):
    first, second = Notes(), Notes()
    with Callbacks([first, second]).following(event(tmp_path)) as end:
        end(SUMMARY)
    for notes in (first, second):
        (begun, _), (ended, run) = notes.told
        assert (begun, ended, run.summary, run.error) == ("on_run_begin", "on_run_end", SUMMARY, None)


@pytest.mark.parametrize("fails_in", ["on_run_begin", "on_epoch_end", "on_run_end"])
def test_an_error_names_the_callback_and_others_hear_of_the_end(tmp_path, fails_in):
    before, failing, after = Notes(), Notes(fails_in), Notes()
    callbacks = Callbacks([before, failing, after])
    told = rf"The callback Notes failed in {fails_in} \(.*: ValueError: no room\."
    with pytest.raises(CallbackError, match=told), callbacks.following(event(tmp_path)) as end:
        callbacks.on_epoch_end(trial(0), 1, {"val_f1": 0.5})
        end(SUMMARY)
    assert before.told[-1][0] == "on_run_end"
    if fails_in == "on_run_begin":
        assert after.told == []
    else:
        assert isinstance(after.told[-1][1].error, CallbackError)


def test_a_callback_cannot_change_the_search():
    record, metrics = trial(0), {"val_f1": 0.5}

    class Greedy:
        def on_epoch_end(self, trial, epoch, metrics):
            trial.values.clear()
            trial.score = 1.0
            metrics.clear()

    Callbacks([Greedy()]).on_epoch_end(record, 1, metrics)
    assert record == trial(0) and metrics == {"val_f1": 0.5}


def test_what_is_no_callback_is_refused():
    misspelt = type("Misspelt", (), {"on_epoch": print})()
    for given, told in ((3, "none of the methods"), (Callback, "Callback is a class"), (misspelt, "'on_epoch_end'")):
        with pytest.raises(InputError, match=told):
            Callbacks([given])


def test_a_tracker_whose_package_is_missing_says_so(monkeypatch):
    monkeypatch.setattr("search.tracking.find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"tracker=wandb needs the package wandb: pip install 'search\[wandb\]'"):
        trackers("wandb")
    assert trackers(None) == []
