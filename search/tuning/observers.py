"""Passes the events of trials on to the study and to observers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from search.tuning.record import TrialObserver, TrialRecord
from search.tuning.study import Study


class StudyReport:
    """The observer of a search: it keeps the study's records up to date and passes everything on.

    Args:
        study: The study that proposed the trials.
        observers: Called in their order.
    """

    def __init__(self, study: Study, observers: Sequence[TrialObserver]) -> None:
        self._study = study
        self._observers = list(observers)

    def on_trial_resumed(self, record: TrialRecord) -> None:
        """A trial had ended before the search was interrupted."""
        for observer in self._observers:
            observer.on_trial_resumed(record)

    def on_trial_begin(self, record: TrialRecord) -> None:
        """A trial begins, or begins again."""
        self._study.note(record)
        for observer in self._observers:
            observer.on_trial_begin(record)

    def on_epoch_end(self, record: TrialRecord, epoch: int, metrics: Mapping[str, float]) -> None:
        """An epoch of a trial has ended."""
        self._study.note(record)
        for observer in self._observers:
            observer.on_epoch_end(record, epoch, metrics)

    def on_trial_end(self, record: TrialRecord) -> None:
        """A trial has ended."""
        for observer in self._observers:
            observer.on_trial_end(record)
