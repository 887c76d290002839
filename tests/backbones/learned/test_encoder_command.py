"""The whole command with encoders: it searches, refits, saves and reports."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from reviews import write_reviews

from search.inference.predictor import Predictor

BARE = (
    "import sys, json, keras, tensorflow as tf\n"
    "texts = tf.constant(json.load(sys.stdin))\n"
    "answers = [tf.saved_model.load('run/model')(texts), keras.models.load_model('run/model.keras')(texts)]\n"
    "assert 'search' not in sys.modules\n"
    "print(json.dumps([answer.numpy().tolist() for answer in answers]))\n"
)


@pytest.mark.slow
def test_encoders_are_searched_saved_and_reported(search_command, tmp_path, word_module):
    write_reviews(tmp_path / "reviews.csv", 240)
    outcome = search_command(
        *("dataset=csv", "dataset.path=reviews.csv", "dataset.text=review", "dataset.label=stars"),
        *("space.modules=[lstm,conv1d]", f"space.embedding=[{word_module}]", "space.trainable=[true]"),
        *("space.encoder_units=8", "space.units=8", "space.layers=1", "space.batch_size=32"),
        "space.wide=none",
        *("space.dropout=0.1", "space.learning_rate=0.01", "space.class_weight=none"),
        *("tuner=grid", "tuner.max_epochs=1", "hydra.run.dir=run"),
    )
    assert outcome.code == 0, outcome.err
    run = tmp_path / "run"
    board = pd.read_csv(run / "leaderboard.csv")
    assert set(board["module"]) == {"lstm", "conv1d"} and set(board["status"]) == {"COMPLETED"}
    assert board["embedding_trainable"].all() and "trainable" not in board and "embedding_size" not in board
    predictions = pd.read_csv(run / "predictions.csv")
    expected = predictions[["prob_bad", "prob_good"]].to_numpy()
    answer = subprocess.run(
        [sys.executable, "-c", BARE],
        input=json.dumps(predictions["text"].tolist()),
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    for probabilities in json.loads(answer.stdout):
        np.testing.assert_allclose(probabilities, expected, atol=1e-6)
    assert Predictor.load(run)(predictions["text"].tolist()).predicted == predictions["predicted"].tolist()
    best = json.loads((run / "summary.json").read_text())["best"]
    timed = json.loads((run / "report.json").read_text())["modules"]
    assert all(timed[name]["milliseconds"] > 0 for name in ("lstm", "conv1d", str(word_module)))
    card = (run / "MODEL_CARD.md").read_text()
    assert f"| Encoder | {best['module']}, learned from the training texts" in card and "used as published" not in card
    assert (run / "report.html").stat().st_size > 10_000
