"""An orderly end for KerasTuner's oracles: after too many failures, or when every configuration was tried."""

from __future__ import annotations

import logging
from typing import Any

from keras_tuner.engine.trial import TrialStatus

from search.tuning.oracles.base import ResumableOracle

log = logging.getLogger(__name__)


class StopsInOrder(ResumableOracle):
    """Proposes nothing more once too many trials have failed."""

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Proposes as the other base class does, until a bound on failures is reached."""
        if self.stop_reason is not None:
            log.warning("No further trial is started: %s.", self.stop_reason)
            return {"status": TrialStatus.STOPPED, "values": None}
        if self._replayed is not None:
            return {"status": TrialStatus.RUNNING, "values": self._replayed}
        proposal: dict[str, Any] = super().populate_space(trial_id)
        return proposal

    def _random_values(self) -> dict[str, Any] | None:
        """Replaces KerasTuner's draw, which takes a space for exhausted after 20 repeated draws."""
        return self._fresh()
