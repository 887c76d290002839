"""Random search."""

from __future__ import annotations

from keras_tuner import oracles

from search.tuning.oracles.stopping import StopsInOrder


class RandomSearchOracle(StopsInOrder, oracles.RandomSearchOracle):
    """KerasTuner's random search, with this package's promises on seeds and failures."""
