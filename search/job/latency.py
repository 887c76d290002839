"""The limit on the time per text of a classifier: `objective.max_ms_per_text`.

A time is measured once and kept with the run, so that a resumed run decides as it did before. Measured is the backbone
with its settings under the smallest head of the space; the head of a trial adds little to it, and the whole classifier
is measured at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import keras_tuner
import numpy as np
from numpy.typing import NDArray

from search.backbones.base import TRAINS_PUBLISHED
from search.backbones.hub.answers import answers_in_batches
from search.errors import InputError
from search.models.hypermodel import TextClassifierHyperModel
from search.models.scorer import scorer
from search.tuning.trial import TrialConstraint
from search.utils.checked import damaged, read_checked, write_checked
from search.utils.lock import waiting_for
from search.utils.timing import milliseconds_per_text
from spaces import SETTINGS, TextClassifierSpace

_KEY = "objective.max_ms_per_text"
# Values of a setting that are each measured before the search; of a longer range, those are that a trial asks for.
_MOST_OPTIONS = 6
# The settings that put words beside a head, and embed columns of texts each by itself, whatever is under it.
_OF_ALL = ("texts", "frozen_texts", "wide")


class LatencyLimit:
    """Measures backbones before the search, and refuses those that are too slow.

    Args:
        limit: Milliseconds per text, in batches of `search.utils.timing.BATCH`; None: no limit.
        file: The file of the times; those that it already holds are used.
        texts: Strings of the training split, the first of which are timed.
        measure: Times a function of texts.

    Attributes:
        milliseconds: Name of each measured module, or encoder with its settings, to its time.

    Raises:
        InputError: The file is damaged.
    """

    def __init__(
        self,
        limit: float | None,
        file: Path,
        texts: NDArray[np.object_],
        measure: Callable[[Callable[[NDArray[np.object_]], Any], NDArray[np.object_]], float] = milliseconds_per_text,
    ) -> None:
        self.limit = limit
        self.milliseconds: dict[str, float] = {}
        self._file = file
        self._texts = texts
        self._measure = measure
        if limit is not None:
            self._read()

    def narrowed(
        self, ranges: Mapping[str, Any], hypermodel: TextClassifierHyperModel, say: Callable[[str], None]
    ) -> dict[str, Any]:
        """Removes from the ranges of a space what is above the limit.

        A backbone is removed if it is too slow with its fastest settings; a value of a setting if it is too slow with
        every backbone.

        Args:
            ranges: The ranges of the space; see `space_from`.
            hypermodel: Builds the classifiers of that space.
            say: Called with the times, and with what was left out.

        Raises:
            InputError: None is fast enough.
        """
        if self.limit is None:
            return dict(ranges)
        space = hypermodel.space
        names = [str(name) for name in space["module"].options or ()]
        fast = [name for name in names if self._is_fast(hypermodel, least_values(space, name))]
        if not fast:
            raise InputError(f"{_KEY}={self.limit:g}: nothing in the space is that fast; a text takes {self._told()}.")
        kept: dict[str, Any] = {} if len(fast) == len(names) else {"modules": fast}
        left_out = [name for name in names if name not in fast]
        candidates = [least_values(space, name) for name in fast]
        for setting in _settings(hypermodel, fast):
            options = space[setting].options or () if setting in space else ()
            if not 1 < len(options) <= _MOST_OPTIONS:
                continue  # trials are measured one by one
            users = [least for least in candidates if setting in _active(space, least)]
            within = [o for o in options if any(self._is_fast(hypermodel, {**least, setting: o}) for least in users)]
            if users and setting in SETTINGS and len(within) < len(options):
                kept[setting] = within
                left_out.extend(f"{setting}={option}" for option in options if option not in within)
        if left_out:
            say(f"Left out as slower than {_KEY}={self.limit:g}: {'; '.join(left_out)} (a text takes {self._told()})")
        else:
            say(f"Within {_KEY}={self.limit:g}: a text takes {self._told()}")
        return {**ranges, **kept}

    def constraints(self, hypermodel: TextClassifierHyperModel) -> list[TrialConstraint]:
        """The constraint that fails trials above the limit and keeps their times; an empty list without a limit."""
        if self.limit is None:
            return []
        self._keep()
        return [partial(self._admit, hypermodel)]

    def outcome(self, milliseconds: float) -> dict[str, Any] | None:
        """Compares the best classifier with the limit, for summary.json.

        Args:
            milliseconds: Its time per text.

        Returns:
            limit, milliseconds_per_text, met, measured (name to time, of what was timed on the way), and a sentence
            under `text`; None where there is no limit.
        """
        if self.limit is None:
            return None
        self._read()  # what worker processes measured
        met = milliseconds <= self.limit
        text = f"limit {self.limit:g} ms a text, measured {milliseconds:.3g} ms"
        return {
            "limit": self.limit,
            "milliseconds_per_text": milliseconds,
            "met": met,
            "measured": self.milliseconds,
            "text": f"{'Within' if met else 'ABOVE'} {_KEY}: {text}, the head included.",
        }

    def _admit(self, hypermodel: TextClassifierHyperModel, hp: keras_tuner.HyperParameters) -> None:
        """Fails a trial that is above the limit."""
        space = hypermodel.space
        values = space.declare(hp)
        settings = {name: values[name] for name in _settings(hypermodel, [values["module"]]) if name in values}
        values = {**least_values(space, values["module"]), **settings}
        name = _described(hypermodel, values)
        if name not in self.milliseconds:
            self._read()  # another worker process may have measured it
        known = len(self.milliseconds)
        fast = self._is_fast(hypermodel, values)
        if len(self.milliseconds) > known:
            self._keep()
        if not fast:
            raise keras_tuner.errors.FailedTrialError(
                f"{name} takes {self.milliseconds[name]:.3g} ms a text, more than {_KEY}={self.limit:g}"
            )

    def _is_fast(self, hypermodel: TextClassifierHyperModel, values: Mapping[str, Any]) -> bool:
        """Whether a configuration under the smallest head is within the limit; measures it where not known."""
        assert self.limit is not None
        name = _described(hypermodel, values)
        if name not in self.milliseconds:
            classify = timed_classifier(hypermodel, values)
            spent = self._measure(classify, self._texts)
            if spent > self.limit:  # nothing is refused for a bad moment of the machine
                spent = min(spent, self._measure(classify, self._texts))
            self.milliseconds[name] = spent
        return self.milliseconds[name] <= self.limit

    def _told(self) -> str:
        ordered = sorted(self.milliseconds.items(), key=lambda one: one[1])
        return "; ".join(f"{name} {spent:.3g} ms" for name, spent in ordered)

    def _read(self) -> None:
        """Takes the times in the file; they decide, whoever measured them."""
        if not self._file.is_file():
            return
        kept = read_checked(self._file)
        if not all(type(spent) in (int, float) for spent in kept.values()):
            raise damaged(self._file, "it holds what is no number")
        self.milliseconds |= kept

    def _keep(self) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with waiting_for(self._file.parent):
            self._read()
            write_checked(self._file, self.milliseconds)


def timed_classifier(
    hypermodel: TextClassifierHyperModel, values: Mapping[str, Any]
) -> Callable[[NDArray[np.object_]], NDArray[np.float64]]:
    """The classifier of a configuration with fresh weights, compiled once: texts [n] to probabilities [n, classes].

    Args:
        hypermodel: Builds it.
        values: The hyperparameters. A module to fine-tune is built frozen, which takes the same time and less memory.
    """
    hp = keras_tuner.HyperParameters()
    hp.values = {**values, **dict.fromkeys(TRAINS_PUBLISHED, False)}
    return classifying(hypermodel.build(hp))


def classifying(model: Any) -> Callable[[NDArray[np.object_]], NDArray[np.float64]]:
    """A Keras model as a function of an array of texts, compiled once."""
    score = scorer(model)
    return lambda texts: answers_in_batches(score, texts, "the model")


def least_values(space: TextClassifierSpace, module: str) -> dict[str, Any]:
    """The fastest configuration of a module: every number the smallest, of other choices the first."""
    values: dict[str, Any] = {}
    for name, parameter in space.items():
        limits = parameter.limits
        numbers = [limit for limit in limits if type(limit) in (int, float)]
        values[name] = min(numbers) if len(numbers) == len(limits) else limits[0]
    return {**values, "module": module, "trainable": False}


def _active(space: TextClassifierSpace, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values whose conditions hold, given the others."""
    hp = keras_tuner.HyperParameters()
    hp.values = dict(values)
    return space.declare(hp)


def _settings(hypermodel: TextClassifierHyperModel, names: Sequence[str]) -> list[str]:
    """The settings that decide how long backbones with what stands beside them take, without duplicates."""
    return [*dict.fromkeys([*(one for name in names for one in hypermodel.backbones[name].latency_settings), *_OF_ALL])]


def _described(hypermodel: TextClassifierHyperModel, values: Mapping[str, Any]) -> str:
    """The name of a backbone, with its settings that are not the fastest."""
    name, space = str(values["module"]), hypermodel.space
    active, least = _active(space, values), least_values(space, name)
    varied = [one for one in _settings(hypermodel, [name]) if one in active and active[one] != least[one]]
    return ", ".join([name, *(f"{one}={active[one]}" for one in varied)])
