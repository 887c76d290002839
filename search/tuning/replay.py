"""Brings a study to the point where its search was interrupted."""

from __future__ import annotations

from search.errors import InputError
from search.tuning.hyperparameter_copies import hyperparameters_of
from search.tuning.record import TrialObserver, TrialRecord
from search.tuning.study import Study
from search.tuning.trial_store import TrialStore
from search.utils.checked import damaged


def replay(study: Study, store: TrialStore, observer: TrialObserver) -> None:
    """Replays the journal to a study: trials and results as they were, without proposing anything anew.

    Args:
        study: A new study.
        store: The store of the search.
        observer: Called with every trial that had ended.

    Raises:
        InputError: The search was begun with other settings, or a file is damaged.
    """
    settings = store.settings()
    history = store.files.records() if settings is None else store.history()
    if settings is not None and (changes := study.changes(settings)):
        raise InputError(_others(store, "; ".join(changes)))
    for step in history:
        if not isinstance(step, TrialRecord):
            if not study.replay(step.trial_id, step.values):
                raise InputError(_others(store, f"it would not try {step.values} as trial {step.trial_id}"))
            continue
        try:
            hyperparameters_of(step.space)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise damaged(store.files.record(step.trial_id), f"'space': {error!r}") from error
        observer.on_trial_resumed(step)
        if settings is None:
            study.adopt(step)
        else:
            study.tell(step)


def _others(store: TrialStore, difference: str) -> str:
    return (
        f"{store.files.project} holds a search with other settings: {difference}. Choose another folder, or the "
        "settings of then."
    )
