"""The whole command on small data and a small module: what it writes, and that the numbers agree with each other."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from reviews import write_reviews

from search.evaluation import names, score
from search.evaluation.metric_list import Target

CSV = ("dataset=csv", "dataset.path=reviews.csv", "dataset.text=review", "dataset.label=stars")
SMALL = (
    "tuner.max_epochs=2",
    "tuner.factor=2",
    "space.wide=none",
    "space.batch_size=32",
    "space.units=[8,16]",
    "space.learning_rate=0.01",
)

pytestmark = pytest.mark.slow


def only_run(folder):
    (summary,) = folder.rglob("summary.json")
    return summary.parent


@pytest.fixture
def run(request, search_command, tmp_path, word_module):
    """A finished run over frozen and trainable trials; the parameter is its classes, and whether they are ordered."""
    classes, ordered = request.param
    write_reviews(tmp_path / "reviews.csv", 400, classes)
    outcome = search_command(*CSV, *SMALL, *(RATED if ordered else ()), f"space.modules=[{word_module}]")
    assert outcome.code == 0, outcome.err
    return only_run(tmp_path / "outputs"), outcome


TWO, THREE = (("bad", "good"), False), (("bad", "good", "dull"), True)
RATED = ("dataset.ordered=[bad,dull,good]", "objective.name=val_mae")


@pytest.mark.parametrize("run", [TWO, THREE], indirect=True)
def test_the_run_folder_agrees_with_itself(run):
    folder, outcome = run
    summary = json.loads((folder / "summary.json").read_text())
    board = pd.read_csv(folder / "leaderboard.csv", dtype={"trial_id": str})
    predictions = pd.read_csv(folder / "predictions.csv")
    classes = summary["classes"]
    expected = {".hydra", "search.log", "trials", "tensorboard", "leaderboard.csv", "summary.json", "predictions.csv"}
    expected |= {"model", "model.keras", "report.html", "report.json", "baselines.npz", "MODEL_CARD.md", "inputs.json"}
    expected |= {"packages.txt"}
    assert {path.name for path in folder.iterdir()} == expected
    assert outcome.err == ""

    best = board.iloc[0]
    assert best["trial_id"] == summary["best_trial"]
    assert best["rank"] == 1
    ordered = summary.get("ordered", False)
    assert best["score"] == summary["score"] == (board["score"].min() if ordered else board["score"].max())
    assert {name: best[name] for name in summary["best"]} == summary["best"]
    assert summary["trials"] == board["status"].value_counts().to_dict()
    objective = "val_mae" if ordered else "val_average_precision"
    assert summary["objective"] == {"name": objective, "direction": "min" if ordered else "max"}
    assert classes == (["bad", "dull", "good"] if ordered else ["bad", "good"])
    assert best[objective] == best["score"]

    assert len(predictions) == sum(summary["sizes"]["test"].values())
    labels = predictions["label"].map(classes.index).to_numpy()
    probabilities = predictions[[f"prob_{name}" for name in classes]].to_numpy()
    target = Target(len(classes), ordered)
    again = score(labels, probabilities, summary["threshold"], target)
    assert set(again) == set(names(target)) == set(summary["test"])
    for name, value in again.items():
        assert value == pytest.approx(summary["test"][name], abs=1e-12), name
        low, high = summary["test_interval"][name]
        assert low <= high
    for baseline in summary["baselines"].values():
        assert set(baseline["test"]) == set(again)
    assert summary["test"]["macro_f1"] >= summary["baselines"]["majority"]["test"]["macro_f1"]
    assert summary["verdict"]["text"] in outcome.out
    assert set(summary["seconds"]) == {"embed", "search", "refit", "test", "total"}


@pytest.mark.parametrize("run", [TWO], indirect=True)
def test_the_saved_models_give_the_probabilities_written(run):
    folder, _ = run
    predictions = pd.read_csv(folder / "predictions.csv")
    columns = [name for name in predictions if name.startswith("prob_")]
    moved = folder.rename(folder.parent / "elsewhere")
    bare = (
        "import sys, json, tensorflow as tf\n"
        "model = tf.saved_model.load(sys.argv[1])\n"
        "texts = json.load(sys.stdin)\n"
        "texts = tf.constant(texts)\n"
        "both = [model(texts), model.signatures['serving_default'](texts=texts)['probabilities']]\n"
        "assert 'search' not in sys.modules\n"
        "print(json.dumps([answer.numpy().tolist() for answer in both]))\n"
    )
    keras_file = (
        "import sys, json, keras, tensorflow as tf, search.backbones.hub.layer\n"
        "model = keras.models.load_model(sys.argv[1])\n"
        "print(json.dumps([model(tf.constant(json.load(sys.stdin))).numpy().tolist()]))\n"
    )
    for code, path in ((bare, moved / "model"), (keras_file, moved / "model.keras")):
        answer = subprocess.run(
            [sys.executable, "-c", code, str(path)],
            input=json.dumps(predictions["text"].tolist()),
            capture_output=True,
            text=True,
            check=True,
            cwd=moved,
        )
        for probabilities in json.loads(answer.stdout):
            np.testing.assert_allclose(probabilities, predictions[columns].to_numpy(), atol=1e-6)
    labels = json.loads((moved / "model" / "labels.json").read_text())
    summary = json.loads((moved / "summary.json").read_text())
    assert labels == {"labels": summary["classes"], "threshold": summary["threshold"]}


def test_the_same_command_gives_the_same_answer(search_command, tmp_path, word_module):
    write_reviews(tmp_path / "reviews.csv", 300)
    boards = []
    for name in ("one", "two"):
        arguments = (*CSV, *SMALL, f"space.modules=[{word_module}]", f"hydra.run.dir={name}")
        assert search_command(*arguments).code == 0
        boards.append(pd.read_csv(tmp_path / name / "leaderboard.csv").drop(columns="seconds"))
        boards.append(pd.read_csv(tmp_path / name / "predictions.csv"))
    pd.testing.assert_frame_equal(boards[0], boards[2], check_exact=True)
    pd.testing.assert_frame_equal(boards[1], boards[3], check_exact=True)


def test_several_runs_in_a_row(search_command, tmp_path, word_module):
    write_reviews(tmp_path / "reviews.csv", 200)
    tiny = ("tuner=random", "tuner.max_trials=1", "tuner.max_epochs=1", "space.trainable=false")
    outcome = search_command("-m", *CSV, *tiny, f"space.modules=[{word_module}]", "seed=1,2")
    assert outcome.code == 0, outcome.err
    summaries = [json.loads(path.read_text()) for path in sorted(tmp_path.rglob("summary.json"))]
    assert [summary["seed"] for summary in summaries] == [1, 2]
    assert "2 runs, 2 finished" in outcome.out
    table = pd.read_csv(next(tmp_path.rglob("summary.csv")))
    assert table["seed"].tolist() == [1, 2] and table["test.accuracy"].notna().all()


def test_a_search_in_which_every_trial_fails_ends_with_its_first_error(search_command, tmp_path, word_module):
    write_reviews(tmp_path / "reviews.csv", 200)
    arguments = ("tuner=random", "tuner.max_trials=2", "tuner.max_epochs=1", "space.learning_rate=1e30")
    outcome = search_command(*CSV, *arguments, f"space.modules=[{word_module}]", "objective.name=val_loss")
    assert outcome.code == 1
    assert outcome.err.count("\n") == 1
    assert "finite" in outcome.err
    board = pd.read_csv(next(tmp_path.rglob("leaderboard.csv")))
    assert board["status"].tolist() == ["FAILED", "FAILED"]
    assert board["error"].str.contains("finite").all()


def test_workers_give_the_answer_of_one_process(search_command, tmp_path, word_module):
    write_reviews(tmp_path / "reviews.csv", 400, TWO[0])
    space = (f"space.modules=[{word_module},mean]", "space.head_first=[false,true]", "ensemble.trials=2")
    alone, beside = tmp_path / "alone", tmp_path / "beside"
    for folder, workers in ((alone, 1), (beside, 2)):
        outcome = search_command(*CSV, *SMALL, *space, f"parallel.workers={workers}", f"hydra.run.dir={folder}")
        assert outcome.code == 0, outcome.err
    boards = [pd.read_csv(folder / "leaderboard.csv", dtype=str) for folder in (alone, beside)]
    assert set(boards[1]["worker"]) == {"1", "2"}
    pd.testing.assert_frame_equal(*(board.drop(columns=["seconds", "worker"]) for board in boards))
    assert (beside / "predictions.csv").read_text() == (alone / "predictions.csv").read_text()
