"""Reports a run to a storage of Optuna as it goes, for optuna-dashboard."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from search.tracking.callbacks import Callback, RunEvent
from spaces import Float, Int, Parameter

if TYPE_CHECKING:
    from search.tuning.record import TrialRecord

FILE = "optuna.db"
"""The storage in a run's folder: optuna-dashboard sqlite:///outputs/…/optuna.db."""
_ID = "trial_id"


class OptunaTracker(Callback):
    """Reports to the storage of OPTUNA_STORAGE, by default an SQLite file in the run's folder."""

    def on_run_begin(self, run: RunEvent) -> None:
        """Makes the study, or goes on with that of a resumed run."""
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        storage = os.environ.get("OPTUNA_STORAGE") or f"sqlite:///{(run.folder / FILE).absolute()}"
        self._space, self._objective = run.space, run.objective
        self._study = optuna.create_study(
            storage=storage,
            study_name=f"{run.settings['dataset']['name']} {run.folder.name}",
            direction="maximize" if run.direction == "max" else "minimize",
            load_if_exists=True,
        )
        self._study.set_user_attr("objective", run.objective)
        self._trials: dict[str, Any] = {}
        for one in self._study.get_trials(deepcopy=False):
            if _ID in one.user_attrs:
                self._trials[one.user_attrs[_ID]] = optuna.trial.Trial(self._study, one._trial_id)

    def on_trial_resumed(self, trial: TrialRecord) -> None:
        """Writes the end of a trial that the interrupt kept from being reported."""
        self.on_trial_begin(trial)
        self.on_trial_end(trial)

    def on_trial_begin(self, trial: TrialRecord) -> None:
        """Makes the trial, unless it is there."""
        if trial.trial_id in self._trials:
            return
        values = {name: value for name, value in trial.values.items() if name in self._space}
        self._study.enqueue_trial(values, user_attrs={_ID: trial.trial_id})
        asked = self._study.ask({name: _distribution(self._space[name]) for name in values})
        self._trials[trial.trial_id] = asked

    def on_epoch_end(self, trial: TrialRecord, epoch: int, metrics: Mapping[str, float]) -> None:
        """Reports the objective; an epoch that was reported before a kill is not reported again."""
        made = self._trials[trial.trial_id]
        if epoch > (self._known(made).last_step or 0):
            made.report(metrics[self._objective], epoch)

    def on_trial_end(self, trial: TrialRecord) -> None:
        """Reports the score and the facts."""
        import optuna

        made = self._trials[trial.trial_id]
        if self._known(made).state.is_finished():
            return
        for name in ("backbone", "bracket", "round", "parent", "epochs", "seconds", "error"):
            made.set_user_attr(name, getattr(trial, name))
        failed = trial.status != "COMPLETED"
        state = optuna.trial.TrialState.FAIL if failed else optuna.trial.TrialState.COMPLETE
        self._study.tell(made, None if failed else trial.score, state)

    def _known(self, trial: Any) -> Any:
        return self._study.get_trials(deepcopy=False)[trial.number]


def _distribution(parameter: Parameter) -> Any:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if isinstance(parameter, Int) and parameter.step == 1:
        return IntDistribution(parameter.min, parameter.max, log=parameter.log)
    if isinstance(parameter, Float) and parameter.options is None:
        return FloatDistribution(parameter.min, parameter.max, log=parameter.log)
    return CategoricalDistribution(list(parameter.options or []))
