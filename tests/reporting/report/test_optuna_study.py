"""A run's trials as a study of Optuna: their values, scores and curves, failed ones too."""

import builtins

import numpy as np
import optuna
import pytest
from made_runs import hyperband_records, make_run

from search.commands.export import main
from search.errors import InputError
from search.reporting.optuna_study import write_study
from search.reporting.report.run_files import read_run


@pytest.fixture
def run(tmp_path):
    trials = hyperband_records(np.random.default_rng(0), failing=0.3)
    path = make_run(tmp_path / "made", trials=trials)
    for trial in trials:
        trial.write(path / "trials" / f"trial_{trial.trial_id}" / "record.json")
    return path, trials


def test_every_trial_is_there_with_its_values_score_and_curve(run, tmp_path):
    path, records = run
    assert main([f"run={path}", "format=optuna", f"output={tmp_path / 'study.db'}"]) == 0
    study = optuna.load_study(study_name=None, storage=f"sqlite:///{tmp_path / 'study.db'}")
    assert study.direction == optuna.study.StudyDirection.MAXIMIZE
    assert [trial.params for trial in study.trials] == [record.values for record in records]
    assert [trial.value for trial in study.trials] == [record.score for record in records]
    states = {"COMPLETED": optuna.trial.TrialState.COMPLETE, "FAILED": optuna.trial.TrialState.FAIL}
    assert [trial.state for trial in study.trials] == [states[record.status] for record in records]
    promoted = next(record for record in records if record.parent is not None and record.status == "COMPLETED")
    found = study.trials[records.index(promoted)]
    assert found.user_attrs["parent"] == promoted.parent
    assert list(found.intermediate_values) == list(range(1, promoted.epochs + 1))


def test_without_optuna_it_is_one_line(run, tmp_path, monkeypatch):
    real = builtins.__import__

    def without(name, *arguments):
        if name == "optuna":
            raise ModuleNotFoundError("no", name=name)
        return real(name, *arguments)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(InputError, match=r"search\[optuna\]"):
        write_study(read_run(run[0]), tmp_path / "study.db")
    assert not (tmp_path / "study.db").exists()
