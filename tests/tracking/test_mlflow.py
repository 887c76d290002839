"""`tracker=mlflow`, against a store in a folder."""

import json
from dataclasses import asdict
from types import SimpleNamespace

import mlflow
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from made_models import make_run
from tracking.runs_told import SUMMARY, event, tell_interrupted, tell_resumed

from search.datasets import Column
from search.tracking import trackers
from search.tracking.callbacks import Callbacks
from search.tracking.mlflow import log_model
from search.tracking.served_model import SavedClassifier


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


class Priced(tf.Module):
    """A row is of the second class by its price, or its day of 1970 where it has a brand."""

    @tf.function(
        input_signature=[tf.TensorSpec([None], kind) for kind in (tf.string, tf.float64, tf.string, tf.float64)]
    )
    def __call__(self, texts, price, brand, since):
        found = tf.where(tf.math.is_nan(price), tf.where(brand == "acme", since / 86_400, 0.5), price)
        return tf.cast(tf.stack([1 - found, found], axis=1), tf.float32)


@pytest.mark.filterwarnings("ignore")  # MLflow's own
def test_the_columns_beside_the_text_are_named_as_in_the_table(tmp_path, client):
    tf.saved_model.save(Priced(), str(tmp_path / "model"))
    columns = [asdict(Column(name.title(), kind, name)) for name, kind in (("price", "number"), ("brand", "category"))]
    columns.append(asdict(Column("Since", "date", "since", "%d.%m.%Y")))
    labels = {"labels": ["no", "yes"], "threshold": 0.4, "columns": columns}
    (tmp_path / "model" / "labels.json").write_text(json.dumps(labels))
    run = client.create_run("0").info.run_id
    log_model(tmp_path, run, labels["labels"], "review")

    model = mlflow.pyfunc.load_model(f"runs:/{run}/model")
    assert model.metadata.signature.inputs.input_names() == ["review", "Price", "Brand", "Since"]
    table = {"Since": ["", "02.01.1970", None], "Brand": [None, " acme", ""], "Price": [0.25, np.nan, np.nan]}
    scored = model.predict(pd.DataFrame({**table, "review": ["a", "b", "c"], "more": 1}))
    assert scored["prob_yes"].tolist() == [0.25, 1, 0.5] and scored["predicted"].tolist() == ["no", "yes", "yes"]

    whole = {"Since": pd.to_datetime(["1970-01-02"] * 3), "Brand": [1, 2, 3], "Price": [0, 1, 0]}
    assert model.predict(pd.DataFrame({**whole, "review": ["a", "b", "c"]}))["predicted"].tolist() == [
        "no",
        "yes",
        "no",
    ]

    (tmp_path / "model" / "labels.json").write_text(json.dumps({**labels, "threshold": [0.6, 0.5]}))
    served = SavedClassifier()
    served.load_context(SimpleNamespace(artifacts={"model": str(tmp_path / "model")}))
    several = served.predict(None, pd.DataFrame({"review": ["a", "b", "c"], **table}))
    assert several[["predicted_no", "predicted_yes"]].to_numpy().tolist() == [[1, 0], [0, 1], [0, 1]]
    assert "predicted" not in several
