"""The whole command with encoders over a token-level module: it searches, refits, saves and reports."""

import json

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from reviews import write_reviews
from shapes import SHAPES

CSV = ("dataset=csv", "dataset.path=reviews.csv", "dataset.text=review", "dataset.label=stars")


@pytest.mark.slow
def test_a_token_level_module_is_searched_saved_and_reported(search_command, tmp_path, monkeypatch):
    monkeypatch.setenv("SEARCH_CACHE", str(tmp_path / "cache"))
    write_reviews(tmp_path / "reviews.csv", 200)
    settings = SHAPES["BERT of tokens alone"].build(tmp_path / "bert")
    outcome = search_command(
        *(*CSV, "space.modules=[lstm]", "space.embedding=[bert]", "space.trainable=[false,true]"),
        *(f"module.preprocessor={settings['preprocessor']}", "space.fine_tuning_rate=0.001", "space.encoder_units=8"),
        *("space.units=8", "space.layers=1", "space.batch_size=32", "space.dropout=0.1", "space.learning_rate=0.01"),
        *("space.wide=none", "space.class_weight=none", "tuner=grid", "tuner.max_epochs=1", "hydra.run.dir=run"),
    )
    assert outcome.code == 0, outcome.err
    run = tmp_path / "run"
    board = pd.read_csv(run / "leaderboard.csv")
    assert len(board) == 2 and set(board["status"]) == {"COMPLETED"} and set(board["module"]) == {"lstm"}
    assert board["embedding_fine_tuning_rate"].notna().tolist() == board["embedding_trainable"].tolist()
    assert not {"vocabulary_size", "ngrams", "trainable"} & set(board)
    predictions = pd.read_csv(run / "predictions.csv")
    # What the module gave is not asked for: the model has it inside, with the preprocessor.
    answer = tf.saved_model.load(str(run / "model"))(tf.constant(predictions["text"].tolist()))
    np.testing.assert_allclose(answer, predictions[["prob_bad", "prob_good"]], atol=1e-6)
    measured = json.loads((run / "report.json").read_text())
    assert {one["module"] for one in measured["passes"]} == {"bert, tokens"}
    assert all(measured["modules"][name]["milliseconds"] > 0 for name in ("lstm", "bert"))
    card = (run / "MODEL_CARD.md").read_text()
    assert "over the vectors that bert" in card and str(tmp_path) not in card.partition("## ")[0]


def test_a_module_that_gives_no_tokens_is_one_line(search_command, tmp_path):
    write_reviews(tmp_path / "reviews.csv", 60)
    SHAPES["object"].build(tmp_path / "sentences")
    outcome = search_command(*CSV, "space.modules=[lstm]", "space.embedding=[sentences]")
    assert outcome.code == 2 and outcome.err.count("\n") == 1
    assert "space.embedding=[sentences]" in outcome.err and "for each token" in outcome.err


def test_folds_want_a_length_that_was_not_read_off_what_they_hold_out(search_command, tmp_path, monkeypatch):
    monkeypatch.setenv("SEARCH_CACHE", str(tmp_path / "cache"))
    write_reviews(tmp_path / "reviews.csv", 60)
    settings = SHAPES["BERT of tokens alone"].build(tmp_path / "bert")
    given = ("space.modules=[lstm]", "space.embedding=[bert]", f"module.preprocessor={settings['preprocessor']}")
    outcome = search_command(*CSV, *given, "dataset.folds=2")
    assert outcome.code == 2 and outcome.err.count("\n") == 1
    assert "space.sequence_length" in outcome.err and not (tmp_path / "outputs").exists()
