"""The whole command with an ensemble: it trains members, combines, chooses, measures, saves and reports."""

import io
import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from reviews import make_reviews

from search.commands.predict import main as predict
from search.evaluation.metrics import score
from search.models.ensembles.methods import METHODS

BARE = (
    "import sys, json, tensorflow as tf\n"
    "texts = tf.constant(json.load(sys.stdin))\n"
    "answer = tf.saved_model.load('run/ensemble/model')(texts)\n"
    "assert 'search' not in sys.modules\n"
    "print(json.dumps(answer.numpy().tolist()))\n"
)
IN_TEST_ALONE = "zebra"


def write(path, rows, seed, extra=""):
    texts, labels = make_reviews(rows, seed=seed)
    table = pd.DataFrame({"review": [f"{text} {extra}{seed}" for text in texts], "stars": labels})
    # Some labels are wrong: a perfect score would leave nothing to choose between.
    wrong = np.random.default_rng(seed).random(rows) < 0.2
    table.loc[wrong, "stars"] = np.where(table["stars"][wrong] == "bad", "good", "bad")
    table.to_csv(path, index=False)


@pytest.mark.slow
def test_an_ensemble_is_made_measured_and_served(search_command, tmp_path, word_module, capfd):
    write(tmp_path / "reviews.csv", 300, 0)
    write(tmp_path / "test.csv", 120, 1, IN_TEST_ALONE)
    outcome = search_command(
        *("dataset=csv", "dataset.path=reviews.csv", "dataset.text=review", "dataset.label=stars"),
        *("dataset.test_path=test.csv", f"space.modules=[{word_module}]", "space.trainable=[false,true]"),
        *("space.units=8", "space.batch_size=32", "space.learning_rate=0.01", "space.wide=none"),
        *("tuner.max_epochs=2", "tuner.factor=2", "ensemble.trials=5", "hydra.run.dir=run"),
    )
    assert outcome.code == 0, outcome.err
    run = tmp_path / "run"
    summary = json.loads((run / "summary.json").read_text())
    found = summary["ensembles"]
    members = {member["name"]: member for member in found["members"]}
    trials = [name for name in members if name.startswith("trial_")]
    fitted = ["tfidf_naive_bayes", "tfidf_logistic_regression", "tfidf_nb_logistic_regression"]
    assert list(members) == [*trials, *fitted, "backbone_logistic_regression"]
    assert summary["baselines"]["backbone_logistic_regression"]["module"] == str(word_module)
    assert trials[0] == f"trial_{summary['best_trial']}"
    assert {members[name]["values"]["trainable"] for name in trials} == {True, False}
    configurations = [json.dumps(members[name]["values"], sort_keys=True) for name in trials]
    # All but the one whose training another went on with.
    assert len(set(configurations)) == len(trials) < summary["trials"]["COMPLETED"]
    # Trained again on the training split, a member scores on validation what its trial scored.
    board = pd.read_csv(run / "leaderboard.csv", dtype={"trial_id": str}).set_index("trial_id")
    scores = [board.loc[name.removeprefix("trial_"), "score"] for name in trials]
    apart = np.abs([members[name]["valid"] for name in trials] - np.array(scores))
    # Last digits of probabilities differ, and may swap two rows.
    assert (apart > 1e-6).sum() <= 1 and apart.max() < 0.02
    assert members[trials[0]]["test"] == pytest.approx(summary["test"]["average_precision"])
    baseline = summary["baselines"]["tfidf_naive_bayes"]
    assert members["tfidf_naive_bayes"]["test"] == pytest.approx(baseline["test"]["average_precision"])

    assert set(found["methods"]) == set(METHODS) and found["milliseconds_per_text"] > 0
    chosen = found["methods"][found["chosen"]]
    predictions = pd.read_csv(run / "ensemble" / "predictions.csv")
    probabilities = predictions[["prob_bad", "prob_good"]].to_numpy()
    again = score((predictions["label"] == "good").to_numpy(np.int64), probabilities, chosen["threshold"])
    assert again == pytest.approx(chosen["test"], abs=1e-12)
    answer = subprocess.run(
        [sys.executable, "-c", BARE],
        input=json.dumps(predictions["text"].tolist()),
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    np.testing.assert_allclose(json.loads(answer.stdout), probabilities, atol=1e-5)
    # Its words are those of the training texts alone.
    graph = (run / "ensemble" / "model" / "saved_model.pb").read_bytes()
    assert b"dreadful" in graph and IN_TEST_ALONE.encode() not in graph

    capfd.readouterr()
    assert predict([f"run={run}", "model=ensemble", "input=test.csv", "device=cpu"]) == 0
    rows = pd.read_csv(io.StringIO(capfd.readouterr().out))
    assert rows["predicted"].tolist() == predictions["predicted"].tolist()
    for text in (outcome.out, (run / "report.html").read_text(), (run / "MODEL_CARD.md").read_text()):
        assert all(name in text for name in METHODS)


def test_a_run_without_an_ensemble_says_so(tmp_path, capsys):
    (tmp_path / "model").mkdir()
    assert predict([f"run={tmp_path}", "model=ensemble", "text=good"]) == 2
    assert "ensemble.trials" in capsys.readouterr().err
