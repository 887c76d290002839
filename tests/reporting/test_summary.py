"""The verdict compares with the best baseline, whichever way the metric runs."""

import numpy as np
import pandas as pd
import pytest

from search.datasets import Examples
from search.reporting.summary import count_trials, verdict, versions, write_predictions
from search.tuning.record import TrialRecord

BASELINES = {
    "majority": {"test": {"f1": 0.0, "log_loss": 0.7}},
    "naive_bayes": {"test": {"f1": 0.5, "log_loss": 0.6}},
    "failed": {"error": "no words"},
}


@pytest.mark.parametrize(
    ("metric", "score", "beaten"),
    [("f1", 0.6, True), ("f1", 0.5, False), ("f1", 0.4, False), ("log_loss", 0.5, True), ("log_loss", 0.65, False)],
)
def test_only_a_better_score_beats_the_best_baseline(metric, score, beaten):
    answer = verdict(metric, {metric: score}, BASELINES)
    assert answer["beaten"] is beaten
    assert answer["best_baseline"] == "naive_bayes"
    assert ("NOT" in answer["text"]) is not beaten


def test_the_loss_is_compared_as_the_log_loss():
    assert verdict("loss", {"log_loss": 0.5}, BASELINES)["metric"] == "log_loss"


def test_trials_are_counted_by_status():
    records = [TrialRecord(str(i), {}, status=status) for i, status in enumerate(["COMPLETED", "FAILED", "COMPLETED"])]
    assert count_trials(records) == {"COMPLETED": 2, "FAILED": 1}


def test_versions_name_what_the_numbers_depend_on():
    assert {"python", "tensorflow", "keras", "keras-tuner", "scikit-learn"} <= set(versions())


def test_predictions_keep_every_digit_and_every_text(tmp_path):
    texts = np.array(['says "hello", twice', "line\nbreak\rand\r\nmore", "NA"], dtype=object)
    probabilities = np.random.default_rng(0).dirichlet([1, 1], 3)
    examples = Examples(texts, np.array([0, 1, 1]), np.array([3, 1, 7]))
    path = tmp_path / "predictions.csv"
    write_predictions(path, examples, ("no", "yes"), np.array([1, 1, 0]), probabilities)
    read = pd.read_csv(path, keep_default_na=False)
    assert read["row"].tolist() == [3, 1, 7]
    assert read["text"].tolist() == texts.tolist()
    assert read["label"].tolist() == ["no", "yes", "yes"]
    assert read["predicted"].tolist() == ["yes", "yes", "no"]
    np.testing.assert_array_equal(read[["prob_no", "prob_yes"]].to_numpy(), probabilities)
