"""`tracker=mlflow`, against a store in a folder."""

import json

import mlflow
import numpy as np
import pandas as pd
import pytest
from made_models import make_run
from tracking.runs_told import SUMMARY, event, tell_interrupted, tell_resumed

from search.tracking import trackers
from search.tracking.callbacks import Callbacks


@pytest.fixture
def client(tmp_path, monkeypatch):
    # An SQLite file, MLflow's default, takes seconds to be made.
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    mlflow.set_tracking_uri((tmp_path / "store").as_uri())
    yield mlflow.MlflowClient()
    mlflow.set_tracking_uri(None)


@pytest.mark.filterwarnings("ignore")  # MLflow's own
def test_a_resumed_run_goes_on_in_the_same_run_of_mlflow(tmp_path, client):
    folder = tmp_path / "run"
    folder.mkdir()
    make_run(folder, ["no", "yes"], 0.6)
    (folder / "report.html").write_text("<html>")
    (tracker,) = trackers("mlflow")
    tell_interrupted(tracker, folder)
    parent = json.loads((folder / "mlflow.json").read_text())["run"]
    assert client.get_run(parent).info.status == "KILLED"
    assert client.get_run(parent).data.params == {"dataset.name": "made", "seed": "3"}
    tell_resumed(trackers("mlflow")[0], folder)

    found = client.get_run(parent)
    assert found.info.status == "FINISHED" and found.info.run_name == "run"
    assert found.data.metrics == {"score": 0.75, "test_f1": 0.7, "test_recall": 0.6}
    assert "report.html" in [one.path for one in client.list_artifacts(parent)]
    runs = [one for one in client.search_runs([found.info.experiment_id]) if one.info.run_id != parent]
    trials = {one.info.run_name: one for one in runs}
    assert len(runs) == 4 and all(one.data.tags["mlflow.parentRunId"] == parent for one in runs)
    assert [trials[f"trial {k}"].info.status for k in range(4)] == ["FINISHED", "FAILED", "FINISHED", "FINISHED"]
    assert trials["trial 0"].data.params == {"layers": "1", "learning_rate": "0.001", "wide": "none"}
    assert trials["trial 1"].data.tags["search.error"] == "ValueError: no"
    for name, values in (("trial 2", [(1, 0.645), (2, 0.77)]), ("trial 3", [(1, 0.655), (2, 0.78)])):
        points = client.get_metric_history(trials[name].info.run_id, "val_f1")
        assert sorted((one.step, one.value) for one in points) == values

    with Callbacks(trackers("mlflow")).following(event(folder, resumed=True)) as end:
        end(SUMMARY)  # a finished run that is resumed has nothing to add
    assert len(client.search_logged_models([found.info.experiment_id])) == 1
    assert client.get_run(parent).info.status == "FINISHED"

    model = mlflow.pyfunc.load_model(f"runs:/{parent}/model")
    assert model.metadata.signature.inputs.input_names() == ["text"]
    scored = model.predict(pd.DataFrame({"text": ["good good day", " a day"]}))
    assert scored["predicted"].tolist() == ["yes", "no"]
    np.testing.assert_allclose(scored["prob_yes"], 1 / (1 + np.exp([-1, 1])), atol=1e-6)
