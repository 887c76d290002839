"""A search of the default space whose trials are not trained: each ends with a score that follows from its values."""

from __future__ import annotations

import heapq
import itertools
import math
import random
from typing import Any

import keras_tuner

from search.config.tuner import TunerConfig
from search.tuning.oracles import make_oracle
from search.tuning.tuner import Tuner
from spaces import space_from

OBJECTIVE = keras_tuner.Objective("val_loss", "min")
# Of an epoch, in seconds: medians of a head on kept features and of word vectors that learn along, of a search of
# 13,000 tweets, and the standard deviation of their logarithm.
_MEDIANS, _SPREAD = {False: 0.2, True: 6.0}, 0.5


class Space(keras_tuner.HyperModel):
    """Declares the default space over three modules."""

    space = space_from({"modules": ["a", "b", "c"]})

    def declare_hyperparameters(self, hp: Any) -> None:
        """Declares the space."""
        self.space.declare(hp)


def made_tuner(config: TunerConfig, folder: str, **settings: Any) -> Tuner:
    """A tuner with its oracle, journal and files, over that space."""
    oracle = make_oracle(config, OBJECTIVE, seed=0)
    settings = {"keep": "promotable", "directory": folder, "project_name": "trials", **settings}
    return Tuner(oracle, Space(), max_epochs=config.max_epochs, **settings)


def result(spec: Any) -> Any:
    """The record of a trial at its end."""
    record = spec.record()
    draw = random.Random(repr(sorted(spec.values.items())))
    record.status, record.space, record.epochs = "COMPLETED", spec.space, spec.target_epochs
    record.score, record.best_epoch = draw.random() + 0.1 / record.epochs, record.epochs
    record.metrics = {"val_loss": record.score, "val_accuracy": draw.random(), "loss": draw.random()}
    of_epoch = _MEDIANS[bool(spec.values.get("trainable"))] * math.exp(draw.gauss(0, _SPREAD))
    record.seconds = of_epoch * (record.epochs - record.initial_epoch)
    return record


class SimulatedWorkers:
    """An executor with a clock of its own, on which trials take the seconds of their records.

    Args:
        slots: Trials at once.
        report: Is shown their beginnings.

    Attributes:
        now: Seconds since the search began.
        busy: Seconds of all trials together.
    """

    def __init__(self, slots: int, report: Any) -> None:
        self.slots = slots
        self.now = self.busy = 0.0
        self._report = report
        self._running: list[tuple[float, int, Any]] = []
        self._count = itertools.count()

    def submit(self, spec: Any) -> None:
        """Begins a trial."""
        record = result(spec)
        self._report.on_trial_begin(record)
        self.busy += record.seconds
        heapq.heappush(self._running, (self.now + record.seconds, next(self._count), record))

    def wait(self) -> list[Any]:
        """Moves the clock to the end of the next trial."""
        self.now, _, record = heapq.heappop(self._running)
        return [record]

    def close(self) -> None:
        """Nothing to end."""
