"""The callbacks of a run: the protocol, and the observer that keeps their errors apart from those of trials."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from search.errors import CallbackError, InputError, nearest

if TYPE_CHECKING:  # callbacks are checked before TensorFlow, which this imports, is needed
    from search.tuning.record import TrialRecord
    from spaces import Parameter

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RunEvent:
    """A run that has begun, or ended.

    Attributes:
        folder: Its folder.
        settings: Its whole configuration, as nested mappings.
        objective: The metric that ranks its trials, such as val_average_precision.
        direction: max or min, whichever is better.
        classes: The names of the classes.
        space: Each hyperparameter to its range; empty for a run that had ended before.
        resumed: Whether it was interrupted before, and goes on.
        summary: The answer, as in summary.json; None: it has not ended, or without an answer.
        error: The error or interrupt that ended it; None: none did.
    """

    folder: Path
    settings: Mapping[str, Any]
    objective: str
    direction: str
    classes: Sequence[str]
    space: Mapping[str, Parameter]
    resumed: bool
    summary: Mapping[str, Any] | None = None
    error: BaseException | None = None


class Callback:
    """A follower of a run; a subclass overrides what it is interested in, and nothing else need be there.

    All methods are called in the process that searches, one at a time, wherever trials run: with `parallel.workers`
    several trials can have begun and not ended. A trial is a copy of its record (`search.tuning.record.TrialRecord`):
    `trial_id`, `values` (its hyperparameters), `score`, `status`, `epochs`, `parent` and more. The search waits for
    the callback. An error in it ends the run, which can be resumed; it is never booked on the trial.

    Example:
        >>> class Best(Callback):
        ...     def on_trial_end(self, trial):
        ...         print(trial.trial_id, trial.status, trial.score)
        >>> run = search.run(frame, callbacks=[Best()])  # doctest: +SKIP
    """

    def on_run_begin(self, run: RunEvent) -> None:
        """The run begins, or goes on; its data have been read and its folder is there."""

    def on_trial_resumed(self, trial: TrialRecord) -> None:
        """A trial had ended before the run was interrupted; it is reported again, in order, but not run again."""

    def on_trial_begin(self, trial: TrialRecord) -> None:
        """A trial begins, or goes on after a kill, at `trial.epochs`; later epochs reported before are void."""

    def on_epoch_end(self, trial: TrialRecord, epoch: int, metrics: Mapping[str, float]) -> None:
        """An epoch has ended; `epoch` counts from 1, those of the trial's parents included; 0 is a head trained alone.

        The metrics are those of the leaderboard: `val_…` of the validation rows, and `loss` among the others.
        """

    def on_trial_end(self, trial: TrialRecord) -> None:
        """The trial has ended; its `status`, COMPLETED or FAILED, says how."""

    def on_run_end(self, run: RunEvent) -> None:
        """The run has ended, with its `summary`, or by an `error`, after which it can be resumed."""


_EVENTS = [name for name in vars(Callback) if name.startswith("on_")]


class Callbacks:
    """Calls several callbacks, in their order; as an observer of trials it is given to the tuner.

    Args:
        callbacks: Anything with some of the methods of `Callback`.

    Raises:
        InputError: They are no list, or one is a class, or has no such method or one of another name.
    """

    def __init__(self, callbacks: Sequence[Any] = ()) -> None:
        if not isinstance(callbacks, list | tuple):
            raise InputError(f"callbacks={callbacks!r:.80}: expected a list of objects.")
        self._callbacks = list(callbacks)
        for one in self._callbacks:
            _check(one)

    def __add__(self, others: Sequence[Any]) -> Callbacks:
        """These callbacks, and others after them."""
        return Callbacks([*self._callbacks, *others])

    @contextmanager
    def following(self, run: RunEvent) -> Iterator[Callable[[Mapping[str, Any]], None]]:
        """Tells of the beginning of a run, and of its end where the block raises.

        Args:
            run: The run.

        Yields:
            A function to call with the summary once it has ended.
        """
        begun: list[Any] = []

        def end(summary: Mapping[str, Any]) -> None:
            while begun:
                _tell(begun.pop(0), "on_run_end", replace(run, summary=summary))

        try:
            for one in self._callbacks:
                begun.append(one)
                _tell(one, "on_run_begin", run)
            yield end
        except BaseException as error:
            for one in begun:
                try:
                    _tell(one, "on_run_end", replace(run, error=error))
                except CallbackError:  # what ended the run is to be told, not this
                    log.exception("A callback failed at the end of a run")
            raise

    def on_trial_resumed(self, record: TrialRecord) -> None:
        """Passes it on."""
        for one in self._callbacks:
            _tell(one, "on_trial_resumed", _copy(record))

    def on_trial_begin(self, record: TrialRecord) -> None:
        """Passes it on."""
        for one in self._callbacks:
            _tell(one, "on_trial_begin", _copy(record))

    def on_epoch_end(self, record: TrialRecord, epoch: int, metrics: Mapping[str, float]) -> None:
        """Passes it on."""
        for one in self._callbacks:
            _tell(one, "on_epoch_end", _copy(record), epoch, {name: float(metrics[name]) for name in metrics})

    def on_trial_end(self, record: TrialRecord) -> None:
        """Passes it on."""
        for one in self._callbacks:
            _tell(one, "on_trial_end", _copy(record))


def _tell(callback: Any, event: str, *arguments: Any) -> None:
    """Calls a method of a callback, if it has that one.

    Raises:
        CallbackError: It raised an error.
    """
    method = getattr(callback, event, None)
    if method is None:
        return
    try:
        method(*arguments)
    except Exception as error:
        raise CallbackError(_told(callback, event, error)) from error


def _copy(record: TrialRecord) -> TrialRecord:
    """A copy that a callback may change without changing the search."""
    return replace(record, values=dict(record.values), metrics=dict(record.metrics), space={})


def _check(callback: Any) -> None:
    found = [name for name in dir(callback) if name.startswith("on_")]
    name = callback.__name__ if isinstance(callback, type) else type(callback).__name__
    if isinstance(callback, type):
        raise InputError(f"callbacks: {name} is a class: expected an object, such as {name}().")
    if not found:
        raise InputError(f"callbacks: {callback!r:.80} has none of the methods {', '.join(_EVENTS)}.")
    if unknown := [one for one in found if one not in _EVENTS]:
        raise InputError(f"callbacks: {name}.{unknown[0]} would never be called. {nearest(unknown[0], _EVENTS)}")


def _told(callback: Any, event: str, error: Exception) -> str:
    """The error of a callback in a line, with where it came from."""
    if isinstance(error, InputError):
        return f"{type(callback).__name__}: {error}"
    frames = traceback.extract_tb(error.__traceback__)
    at = f" ({frames[-1].filename}, line {frames[-1].lineno})" if len(frames) > 1 else ""
    words = " ".join(str(error).split())
    return f"The callback {type(callback).__name__} failed in {event}{at}: {type(error).__name__}: {words:.300}."
