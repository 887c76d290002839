"""A search with several labels per text, from a DataFrame to the answers of its model."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from reviews import make_reviews

import search
from search.commands import evaluate, predict
from search.evaluation import score
from search.reporting.comparison.pairs import pairs
from search.reporting.report.run_files import read_run
from search.reporting.report.sections.wrong import wrong

NAMES = ["good", "dull", "first"]
SMALL = {
    "tuner": "random",
    "tuner.max_trials": 3,
    "tuner.max_epochs": 1,
    "space.trainable": [False, True],
    "space.wide": ["none", "tfidf"],
    "space.batch_size": 32,
    "space.layers": [0, 1],
    "space.units": 8,
    "space.wide_l2": 1,
    "space.learning_rate": 0.03,
}


def frame(rows, seed):
    """Reviews with three labels, two of which words tell; some have none, some all."""
    good, named = make_reviews(rows, ("bad", "good"), seed)
    dull, others = make_reviews(rows, ("bad", "dull"), seed + 100)
    texts = [f"{one} {other}" for one, other in zip(good, dull, strict=True)]
    labels = {"good": np.array(named) == "good", "dull": np.array(others) == "dull"}
    return pd.DataFrame({"review": texts, **labels, "first": np.arange(rows) % 5 < 2}).astype(dict.fromkeys(NAMES, int))


@pytest.fixture(scope="module")
def begin(tmp_path_factory, word_module):
    """Starts a search in a folder of its own, with a test split of its own."""

    def start(test, **more):
        folder = tmp_path_factory.mktemp("several") / "run"
        settings = SMALL | {"space.modules": [str(word_module)], "hydra.run.dir": str(folder)}
        given = {"text": "review", "label": NAMES, "test": frame(60, test), "quiet": True}
        return folder, lambda: search.run(frame(160, 0), overrides=settings, **given, **more)

    return start


@pytest.fixture(scope="module")
def run(begin):
    return begin(1)[1]()


def board_of(folder):
    return pd.read_csv(folder / "leaderboard.csv").drop(columns=["seconds", "worker"])


def test_what_a_run_writes_agrees_with_itself(run):
    summary, predictions = run.summary, pd.read_csv(run.path / "predictions.csv")
    assert summary["classes"] == run.classes == NAMES
    assert summary["objective"]["name"] == "val_average_precision"
    labels, decided, probabilities = (
        predictions[[prefix + name for name in NAMES]].to_numpy() for prefix in ("label_", "predicted_", "prob_")
    )
    assert (labels == frame(60, 1)[NAMES].to_numpy()).all()
    assert (decided == (probabilities >= np.array(summary["threshold"]))).all()
    assert score(labels, probabilities, tuple(summary["threshold"])) == pytest.approx(summary["test"])
    assert json.loads((run.path / "model" / "labels.json").read_text())["threshold"] == summary["threshold"]
    assert [one["name"] for one in summary["labels"]] == NAMES
    assert "tfidf_logistic_regression" in summary["baselines"]
    for file in ("report.html", "MODEL_CARD.md"):
        content = (run.path / file).read_text()
        assert all(name in content for name in (*NAMES, "subset accuracy")), file


def test_the_report_shows_the_mistakes_of_each_label(run):
    recorded = read_run(run.path)
    shown = wrong(recorded)
    assert shown["mistakes"] == (recorded.labels != recorded.predicted).sum() == len(shown["rows"])
    assert {row["label"].removeprefix("not ") for row in shown["rows"]} <= {*NAMES}
    assert all({row["label"], row["predicted"]} in [{name, f"not {name}"} for name in NAMES] for row in shown["rows"])
    assert '<section id="mistakes"' in (run.path / "report.html").read_text()


def test_runs_with_the_same_test_rows_in_any_order_are_compared(run):
    recorded = read_run(run.path)
    order = np.arange(60)[::-1]
    turned = replace(
        recorded,
        predictions=recorded.predictions.iloc[order].reset_index(drop=True),
        labels=recorded.labels[order],
        probabilities=recorded.probabilities[order],
    )
    best, other = pairs([recorded, turned], "average_precision")
    assert best.behind is None and other.behind.gain == pytest.approx(0, abs=1e-12)


def test_the_model_predicts_each_label_for_itself(run, tmp_path, capsys):
    texts = frame(30, 2)["review"].tolist()
    found = run.predict(texts)
    assert list(found) == ["text", *(f"predicted_{name}" for name in NAMES), *(f"prob_{name}" for name in NAMES)]
    assert (found.iloc[:, 1:4].to_numpy() == (found.iloc[:, 4:].to_numpy() >= run.summary["threshold"])).all()
    pd.DataFrame({"review": texts}).to_csv(tmp_path / "new.csv", index=False)
    arguments = [f"run={run.path}", f"input={tmp_path / 'new.csv'}", f"output={tmp_path / 'out.csv'}"]
    assert predict.main(arguments) == 0, capsys.readouterr().err
    written = pd.read_csv(tmp_path / "out.csv")
    pd.testing.assert_frame_equal(written.drop(columns="review"), found.drop(columns="text"), check_dtype=False)


def test_other_data_are_evaluated_by_the_thresholds_of_the_run(run, tmp_path, capsys):
    other = frame(50, 3)
    other.to_csv(tmp_path / "other.csv", index=False)
    where = [f"run={run.path}", f"dataset.path={tmp_path / 'other.csv'}", f"output={tmp_path / 'found'}"]
    assert evaluate.main(where) == 0, capsys.readouterr().err
    assert "subset_accuracy" in capsys.readouterr().out
    record = json.loads((tmp_path / "found" / "evaluation.json").read_text())
    expected = score(other[NAMES].to_numpy(), run.predict_proba(other["review"]), tuple(run.summary["threshold"]))
    assert record["metrics"] == pytest.approx(expected)


class Interrupts(search.Callback):
    """Ends the run after its first trial."""

    def on_trial_end(self, trial):
        raise KeyboardInterrupt


def test_another_test_split_and_a_kill_change_what_is_measured_and_nothing_else(run, begin):
    """Thresholds, too, come from the validation split."""
    folder, start = begin(9, callbacks=[Interrupts()])
    with pytest.raises(KeyboardInterrupt):
        start()
    other = search.run(f"resume={folder}", quiet=True)
    pd.testing.assert_frame_equal(board_of(other.path), board_of(run.path), check_exact=True)
    for key in ("best_trial", "best_epoch", "best", "threshold", "valid"):
        assert other.summary[key] == run.summary[key], key
    for name, one in run.summary["baselines"].items():
        found = other.summary["baselines"][name]
        assert (found["threshold"], found["valid"]) == (one["threshold"], one["valid"]), name
    texts = frame(20, 5)["review"]
    assert (other.predict_proba(texts) == run.predict_proba(texts)).all()
    assert other.summary["test"] != run.summary["test"]
