"""Grid search: every combination of a space in order."""

from __future__ import annotations

from typing import Any

from keras_tuner import oracles
from keras_tuner.engine.trial import TrialStatus

from search.tuning.oracles.stopping import StopsInOrder


class GridSearchOracle(StopsInOrder, oracles.GridSearchOracle):
    """KerasTuner's grid search, with this package's promises on seeds and failures.

    A combination follows from the one before it alone, so it can be proposed while that one runs.
    """

    _populate_next: list[str]

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Proposes the combination after the last one; one that is replayed moves on in the same way."""
        replayed, self._replayed = self._replayed, None
        # KerasTuner looks behind a trial once more when it has ended, since its model may have asked for more.
        self._populate_next = list(dict.fromkeys(self._populate_next))
        try:
            proposal = super().populate_space(trial_id)
        finally:
            self._replayed = replayed
        if proposal["status"] == TrialStatus.RUNNING:
            self._populate_next.append(trial_id)
        return proposal
