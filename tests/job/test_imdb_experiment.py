"""The experiment on IMDB reviews, by the real command, on a folder in the layout of aclImdb."""

import json
import random
import re

import numpy as np
import pandas as pd
import pytest

from search.evaluation.metrics import score

OPENINGS = "The film was", "This story is", "We found the place", "It was with the food that the hotel was", "A room of"
CLOSINGS = "and the story was", "in this very room it was", "with food that was", "we found it", "in a place so"
WORDS = {
    "pos": "best brilliant excellent great happy love lovely nice superb wonderful".split(),
    "neg": "awful broken dreadful hate horrible poor sad terrible ugly worst".split(),
}
ROWS = {"train": 150, "test": 60}
UNLABELLED = "zebra"


def sentences(label, number, draw):
    """A review: some words speak for its class, and one may speak against it."""
    other = "neg" if label == "pos" else "pos"
    ending = draw.choice(WORDS[other if draw.random() < 0.4 else label])
    middle = f"{draw.choice(OPENINGS)} {draw.choice(WORDS[label])} {draw.choice(CLOSINGS)} {draw.choice(WORDS[label])}."
    return f"{middle}<br /><br />{draw.choice(OPENINGS)} {ending}, number {number}!\n"


@pytest.fixture
def acl_imdb(tmp_path):
    draw = random.Random(0)
    for split, rows in ROWS.items():
        for label in WORDS:
            folder = tmp_path / "aclImdb" / split / label
            folder.mkdir(parents=True)
            for number in range(rows):
                text = sentences(label, f"{split}{number}", draw)
                (folder / f"{number}_{draw.randint(1, 10)}.txt").write_text(text, encoding="utf-8")
    folder = tmp_path / "aclImdb" / "train" / "unsup"
    folder.mkdir()
    for number in range(20):
        (folder / f"{number}_0.txt").write_text(f"{UNLABELLED} {sentences('pos', number, draw)}")
    (tmp_path / "aclImdb" / "README").write_text("Large Movie Review Dataset")
    # As published, some reviews stand there twice, one of them in both splits.
    for place in ("train/pos/9_1.txt", "test/pos/90_1.txt", "test/pos/91_1.txt"):
        (tmp_path / "aclImdb" / place).write_text("A wonderful film, wonderful. And great!")
    return tmp_path / "aclImdb"


def texts_of(folder):
    return sorted(path.read_text().strip() for path in folder.glob("*/*.txt"))


@pytest.mark.slow
def test_frozen_and_fine_tuned_beside_an_ensemble_on_the_published_split(
    search_command, acl_imdb, word_module, tmp_path
):
    outcome = search_command(
        *("experiment=imdb_nnlm", "dataset.path=aclImdb", f"space.modules=[{word_module}]", "tuner.max_epochs=2"),
        *("hydra.run.dir=run", "device=cpu"),
    )
    assert outcome.code == 0, outcome.err
    run = tmp_path / "run"
    summary = json.loads((run / "summary.json").read_text())

    board = pd.read_csv(run / "leaderboard.csv")
    assert sorted(board["trainable"]) == [False, True, True] and (board["status"] == "COMPLETED").all()
    for name, value in {"layers": 2, "units_1": 500, "units_2": 100, "optimizer": "adagrad"}.items():
        assert (board[name] == value).all()
    assert (board["learning_rate"] == 0.003).all()
    assert sorted(board["fine_tuning_rate"].dropna()) == pytest.approx([0.003, 0.3])
    assert summary["objective"]["name"] == "val_accuracy" and summary["threshold"] == 0.5

    # What stands in test/ is the test split, and nothing of train/unsup is anywhere.
    assert summary["classes"] == ["neg", "pos"]
    assert summary["sizes"]["test"] == {"neg": ROWS["test"], "pos": ROWS["test"] + 2}
    predictions = pd.read_csv(run / "predictions.csv")
    assert sorted(predictions["text"]) == texts_of(acl_imdb / "test")
    assert summary["cleaning"]["read"] == sum(sum(counts.values()) for counts in summary["sizes"].values())
    assert summary["cleaning"]["read"] == 2 * sum(ROWS.values()) + 3
    graph = (run / "ensemble" / "model" / "saved_model.pb").read_bytes()
    assert b"wonderful" in graph and UNLABELLED.encode() not in graph

    truth, found = (predictions[column] == "pos" for column in ("label", "predicted"))
    assert summary["test"]["accuracy"] == pytest.approx(np.mean(truth == found))
    matrix = re.search(r"Confusion matrix: (\d+) of (\d+) right", (run / "report.html").read_text())
    assert [int(count) for count in matrix.groups()] == [np.sum(truth == found), len(truth)]

    ensembles = summary["ensembles"]
    members = {member["name"]: member for member in ensembles["members"]}
    assert "tfidf_logistic_regression" in members
    assert {one["values"]["trainable"] for name, one in members.items() if name.startswith("trial_")} == {False, True}
    chosen = ensembles["methods"][ensembles["chosen"]]
    combined = pd.read_csv(run / "ensemble" / "predictions.csv")
    again = score(truth.to_numpy(np.int64), combined[["prob_neg", "prob_pos"]].to_numpy(), chosen["threshold"])
    assert chosen["test"] == pytest.approx(again) and again["accuracy"] > 0.5
