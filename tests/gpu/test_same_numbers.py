"""A GPU gives the numbers of a CPU, up to the rounding of its sums, and the same ones every time."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from reviews import write_reviews

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not any(Path("/dev").glob("nvidia[0-9]*")), reason="there is no NVIDIA card"),
]

CSV = ("dataset=csv", "dataset.path=reviews.csv", "dataset.text=review", "dataset.label=stars")
SMALL = (
    *("tuner=random", "tuner.max_trials=3", "tuner.max_epochs=3", "space.units=[8,16]", "space.batch_size=32"),
    *("space.learning_rate=0.01", "space.fine_tuning_rate=0.01", "threshold=0.5"),
)
# Every way of training: features of a frozen module, an embedding bag, rows of a table under a recurrent layer, the
# head before the rest, and token ids under an encoder.
WAYS = {
    "head": ("space.trainable=[false]",),
    "embedding_bag": ("space.trainable=[true]", "space.head_first=false"),
    "head_first": ("space.trainable=[true]", "space.head_first=true"),
    "keras": ("space.trainable=[true]", "space.head_first=false", "space.optimizer=[adagrad]"),
    "encoders": ("space.modules=[mean,conv1d,lstm]",),
}
TOLERANCE = 3e-3


def searched(folder, device, *settings):
    """A search in a process of its own: the leaderboard and the predictions."""
    given = (*CSV, *SMALL, *settings, f"device={device}", f"hydra.run.dir={device}_{len(list(folder.iterdir()))}")
    ended = subprocess.run(
        [sys.executable, "-m", "search", *given],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    run = folder / given[-1].partition("=")[2]
    board = pd.read_csv(run / "leaderboard.csv", dtype={"trial_id": str}).sort_values("trial_id").reset_index(drop=True)
    return run, board, pd.read_csv(run / "predictions.csv")


def same(one, other, tolerance):
    """Whether two tables hold the same, but for the time taken and for numbers that differ by less than a tolerance."""
    one, other = (table.drop(columns="seconds", errors="ignore") for table in (one, other))
    assert list(one) == list(other)
    for name in one:
        if one[name].dtype.kind == "f":
            np.testing.assert_allclose(one[name], other[name], atol=tolerance, rtol=tolerance, err_msg=name)
        elif name != "predicted":  # where two classes are about as likely, rounding decides
            assert one[name].tolist() == other[name].tolist(), name


@pytest.fixture
def reviews(tmp_path):
    """A folder with a table of reviews."""
    write_reviews(tmp_path / "reviews.csv", 400)
    return tmp_path


@pytest.mark.parametrize("way", WAYS)
def test_a_gpu_gives_the_scores_of_a_cpu(reviews, word_module, way):
    settings = (f"space.modules=[{word_module}]", *WAYS[way])
    run, board, predictions = searched(reviews, "gpu", *settings)
    _, expected_board, expected = searched(reviews, "cpu", *settings)
    assert "CPU" not in json.loads((run / "summary.json").read_text())["device"]
    scores = [name for name in board if name.startswith("val_") or name == "score"]
    same(board[scores], expected_board[scores], TOLERANCE)
    same(predictions, expected, TOLERANCE)


@pytest.mark.parametrize("way", ["head", "embedding_bag", "encoders"])
def test_a_gpu_gives_the_same_numbers_again(reviews, word_module, way):
    settings = (f"space.modules=[{word_module}]", *WAYS[way])
    _, board, predictions = searched(reviews, "gpu", *settings)
    _, again, predicted_again = searched(reviews, "gpu", *settings)
    same(board, again, 0)
    same(predictions, predicted_again, 0)


def test_half_precision_learns_as_well_and_its_model_is_read_on_a_cpu(reviews, word_module):
    # Long enough that the start, which is drawn anew where Keras trains, matters no more.
    settings = (f"space.modules=[{word_module}]", *WAYS["embedding_bag"], "tuner.max_epochs=12", "space.dropout=0")
    run, board, predictions = searched(reviews, "gpu", *settings, "mixed_precision=true")
    _, expected, _ = searched(reviews, "gpu", *settings)
    assert board["score"].max() > expected["score"].max() - 0.05 > 0.8
    columns = [name for name in predictions if name.startswith("prob_")]
    scored = [sys.executable, "-m", "search.predict", f"run={run}", "input=reviews.csv", "output=scored.csv"]
    without_card = {**os.environ, "CUDA_VISIBLE_DEVICES": "-1"}
    ended = subprocess.run(scored, cwd=reviews, env=without_card, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    table = pd.read_csv(reviews / "reviews.csv")
    answers = pd.read_csv(reviews / "scored.csv")[columns]
    of_text = dict(zip(table["review"], answers.to_numpy(), strict=True))
    np.testing.assert_allclose([of_text[text] for text in predictions["text"]], predictions[columns], atol=0.02)
