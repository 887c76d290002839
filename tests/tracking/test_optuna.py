"""`tracker=optuna`, against the storage in the run's folder."""

import optuna
from tracking.runs_told import tell_interrupted, tell_resumed

from search.tracking import trackers


def test_a_resumed_run_goes_on_in_the_same_study(tmp_path, monkeypatch):
    monkeypatch.delenv("OPTUNA_STORAGE", raising=False)
    tell_interrupted(trackers("optuna")[0], tmp_path)
    storage = f"sqlite:///{tmp_path / 'optuna.db'}"
    states = [one.state.name for one in optuna.load_study(study_name=None, storage=storage).trials]
    assert states == ["COMPLETE", "FAIL", "RUNNING", "RUNNING"]
    tell_resumed(trackers("optuna")[0], tmp_path)
    study = optuna.load_study(study_name=None, storage=storage)
    assert study.best_value == 0.78 and study.user_attrs["objective"] == "val_f1"
    trials = study.trials
    assert [one.state.name for one in trials] == ["COMPLETE", "FAIL", "COMPLETE", "COMPLETE"]
    assert [one.user_attrs["trial_id"] for one in trials] == ["0", "1", "2", "3"]
    assert trials[2].intermediate_values == {1: 0.645, 2: 0.77}
    assert trials[1].params == {"layers": 2, "learning_rate": 1e-3, "wide": "none"}
    assert trials[1].user_attrs["error"] == "ValueError: no"
