"""Every combination of a space in order."""

from __future__ import annotations

from keras_tuner import oracles

from search.tuning.oracles.stopping import StopsInOrder


class GridSearchOracle(StopsInOrder, oracles.GridSearchOracle):
    """Every combination in order; KerasTuner's, with this package's promises on seeds and failures."""
