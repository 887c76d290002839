"""The model of all labelled rows: trained once the test is over, from rows that the tested one never saw."""

import io
import json
import shutil
import zipfile

import numpy as np
import pandas as pd
import pytest
from reviews import make_reviews

from search.commands.predict import main as predict

FLIP = {"good": 0, "bad": 1}
"""The test rows, which are more than the others, say the opposite of them."""


def table(rows, seed, classes=None):
    texts, labels = make_reviews(rows, seed=seed)
    frame = pd.DataFrame({"id": range(7, 7 + rows), "text": [f"{text} {seed}" for text in texts]})
    return frame if classes is None else frame.assign(target=[classes[label] for label in labels])


@pytest.fixture
def kaggle(tmp_path):
    """Files as Kaggle gives them, and a test split of its own."""
    with zipfile.ZipFile(tmp_path / "kaggle.zip", "w") as archive:
        archive.writestr("train.csv", table(300, 0, {"bad": 0, "good": 1}).to_csv(index=False))
        archive.writestr("test.csv", table(90, 1).to_csv(index=False))
        archive.writestr("sample_submission.csv", table(90, 1)[["id"]].assign(target=0).to_csv(index=False))
    table(900, 2, FLIP).to_csv(tmp_path / "flipped.csv", index=False)


def without_times(summary):
    baselines = {
        name: {key: value for key, value in one.items() if key not in ("seconds", "milliseconds_per_text")}
        for name, one in summary["baselines"].items()
    }
    kept = {key: value for key, value in summary.items() if key not in ("seconds", "milliseconds_per_text")}
    return {**kept, "baselines": baselines}


@pytest.mark.slow
def test_it_learns_from_the_test_split_and_leaves_the_test_as_it_was(
    search_command, kaggle, word_module, tmp_path, capfd
):
    # Seeds of trials follow from the name of the module: by its own path, they would be others in every run.
    shutil.copytree(word_module, tmp_path / "words")
    arguments = (
        *("experiment=disaster_submission", "dataset.path=kaggle.zip", "dataset.test_path=flipped.csv", "device=cpu"),
        *("space.modules=[./words]", "space.units=8", "space.learning_rate=0.01", "space.batch_size=16"),
        "space.wide=none",
        *("tuner=random", "tuner.max_trials=2", "tuner.max_epochs=8"),
    )
    without = search_command(*arguments, "final_refit=false", "dataset.unlabelled_member=null", "hydra.run.dir=without")
    outcome = search_command(*arguments, "hydra.run.dir=with")
    assert (without.code, outcome.code) == (0, 0), outcome.err + without.err
    run = tmp_path / "with"
    summary, before = (json.loads((folder / "summary.json").read_text()) for folder in (run, tmp_path / "without"))
    final = summary.pop("final_refit")
    assert summary.pop("command") != before["command"]
    assert without_times(summary) == without_times({name: before[name] for name in before if name != "command"})
    assert (run / "predictions.csv").read_bytes() == (tmp_path / "without" / "predictions.csv").read_bytes()
    assert not list((tmp_path / "without").glob("model_all*")) and "final_refit" not in before["seconds"]

    assert final["rows"] == sum(sum(counts.values()) for counts in summary["sizes"].values())
    assert final["splits"] == ["train", "valid", "test"]
    card = (run / "MODEL_CARD.md").read_text().replace("\\", "")
    for text in (outcome.out, (run / "report.html").read_text(), card):
        assert final["text"] in text
    labels = [json.loads((run / folder / "labels.json").read_text()) for folder in ("model", "model_all")]
    assert labels[0] == labels[1] and labels[0]["threshold"] == summary["threshold"]

    # The order, the ids and the columns of the sample; the answers of one that knows the flipped rows.
    submission = pd.read_csv(run / "submission.csv")
    assert list(submission) == ["id", "target"] and submission["id"].tolist() == table(90, 1)["id"].tolist()
    assert final["submission"] == len(submission) == 90
    flipped = table(90, 1, FLIP)
    assert summary["test"]["accuracy"] < 0.4
    assert np.mean(submission["target"] == flipped["target"]) > 0.6

    # A run that was made without can have it later, and it is the same.
    later = search_command("resume=without", "final_refit=true", "dataset.unlabelled_member=test.csv")
    assert later.code == 0, later.err
    assert (tmp_path / "without" / "submission.csv").read_bytes() == (run / "submission.csv").read_bytes()
    again = json.loads((tmp_path / "without" / "summary.json").read_text())
    assert again.pop("final_refit") == final and without_times(again) == without_times(before)

    flipped.to_csv(tmp_path / "new.csv", index=False)
    capfd.readouterr()
    assert predict([f"run={run}", "model=all", "input=new.csv", "format=kaggle", "device=cpu"]) == 0
    pd.testing.assert_frame_equal(pd.read_csv(io.StringIO(capfd.readouterr().out)), submission)
    assert predict([f"run={run}", "input=new.csv", "format=kaggle", "device=cpu"]) == 0
    tested = pd.read_csv(io.StringIO(capfd.readouterr().out))
    assert np.mean(tested["target"] == flipped["target"]) < 0.4
