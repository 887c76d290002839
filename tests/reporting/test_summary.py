"""What the summary counts, and the predictions behind it."""

import numpy as np
import pandas as pd

from search.datasets import Examples
from search.reporting.results import ScoredRows
from search.reporting.summary import count_trials, versions, write_predictions
from search.tuning.record import TrialRecord


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
    predicted = (probabilities[:, 1] >= 0.3).astype(int)
    write_predictions(path, ScoredRows(examples, ("no", "yes"), probabilities, 0.3))
    read = pd.read_csv(path, keep_default_na=False)
    assert read["row"].tolist() == [3, 1, 7]
    assert read["text"].tolist() == texts.tolist()
    assert read["label"].tolist() == ["no", "yes", "yes"]
    assert read["predicted"].tolist() == [["no", "yes"][one] for one in predicted]
    np.testing.assert_array_equal(read[["prob_no", "prob_yes"]].to_numpy(), probabilities)
