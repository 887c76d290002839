"""The events of a small run, to tell callbacks."""

from dataclasses import replace
from pathlib import Path

from search.tracking.callbacks import Callbacks, RunEvent
from search.tuning.record import TrialRecord
from spaces import Choice, Float, Int

SPACE = {"layers": Int(1, 2), "learning_rate": Float(1e-4, 1e-2, log=True), "wide": Choice(["none", "tfidf"])}
SUMMARY = {"score": 0.75, "best_trial": "1", "test": {"f1": 0.7, "recall": 0.6}}


def event(folder, **others):
    settings = {"dataset": {"name": "made", "path": None}, "seed": 3}
    told = RunEvent(Path(folder), settings, "val_f1", "max", ["no", "yes"], SPACE, resumed=False)
    return replace(told, **others)


def trial(number, **others):
    values = {"layers": 1 + number % 2, "learning_rate": 1e-3, "wide": "none"}
    return TrialRecord(str(number), values, target_epochs=2, **others)


def tell_epochs(callbacks, number, epochs, begun=0):
    """A trial from its beginning through some epochs."""
    record = trial(number, epochs=begun)
    callbacks.on_trial_begin(record)
    for epoch in epochs:
        record.epochs = epoch
        record.score, record.best_epoch = 0.5 + epoch / 8 + number / 100, epoch
        callbacks.on_epoch_end(record, epoch, {"val_f1": record.score, "val_loss": float("nan")})
    return record


def tell_end(callbacks, record, status="COMPLETED"):
    record.status = status
    if status == "FAILED":
        record.score, record.error = None, "ValueError: no"
    callbacks.on_trial_end(record)


def tell_interrupted(tracker, folder):
    """A run in which a trial ends, one fails, and the next two are interrupted after their first epochs."""
    callbacks = Callbacks([tracker])
    try:
        with callbacks.following(event(folder)):
            tell_end(callbacks, tell_epochs(callbacks, 0, [1, 2]))
            tell_end(callbacks, tell_epochs(callbacks, 1, []), "FAILED")
            tell_epochs(callbacks, 2, [1])
            tell_epochs(callbacks, 3, [1])
            raise KeyboardInterrupt
    except KeyboardInterrupt:
        pass


def tell_resumed(tracker, folder):
    """The rest of it: one of the interrupted trials goes on, the other begins anew; both end, and so does the run."""
    callbacks = Callbacks([tracker])
    with callbacks.following(event(folder, resumed=True)) as end:
        callbacks.on_trial_resumed(trial(0, status="COMPLETED", score=0.75, best_epoch=2, epochs=2))
        callbacks.on_trial_resumed(trial(1, status="FAILED", error="ValueError: no"))
        tell_end(callbacks, tell_epochs(callbacks, 2, [2], begun=1))
        tell_end(callbacks, tell_epochs(callbacks, 3, [1, 2]))
        end(SUMMARY)
