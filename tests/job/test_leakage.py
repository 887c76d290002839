"""Nothing that a run learns, chooses or fits depends on the test split."""

import json

import numpy as np
import pandas as pd
import pytest
from reviews import make_reviews

TEXTS = ["good lovely room", "awful food it was", "the story of zebra"]


def write(path, rows, seed, word="", flip=0.2):
    texts, labels = make_reviews(rows, seed=seed)
    table = pd.DataFrame({"review": [f"{text} {word}{seed}" for text in texts], "stars": labels})
    wrong = np.random.default_rng(seed).random(rows) < flip
    table.loc[wrong, "stars"] = np.where(table["stars"][wrong] == "bad", "good", "bad")
    random = np.random.default_rng(seed)
    table["price"] = random.normal(9 if word else 5, 2, rows).round(2)
    table["brand"] = np.where(random.random(rows) < 0.7, table["stars"], "other" + word)
    table["day"] = [f"20{20 + k % 5}-0{1 + k % 9}-11" for k in range(rows)]
    table.loc[::7, "price"] = np.nan
    table.to_csv(path, index=False)


def answers(model):
    """The answers of a saved model for a few texts, with columns beside them if it takes any."""
    import tensorflow as tf

    columns = {"price": [1.0, 7.0, np.nan], "brand": ["good", "bad", "other"], "day": [1.5e9, 1.6e9, 1.7e9]}
    served = tf.saved_model.load(str(model)).signatures["serving_default"]
    wanted = served.structured_input_signature[1]
    given = {name: tf.constant(({"texts": TEXTS} | columns)[name], one.dtype) for name, one in wanted.items()}
    return served(**given)["probabilities"].numpy().tolist()


def learned(folder):
    """Everything that a run found without its test split, and the answers of its models."""
    summary = json.loads((folder / "summary.json").read_text())
    board = pd.read_csv(folder / "leaderboard.csv").drop(columns="seconds")
    ensembles = summary["ensembles"]
    return {
        "trials": board.to_json(),
        "best": (summary["best_trial"], summary["best_epoch"], summary["best"], summary.get("folds")),
        "threshold": summary["threshold"],
        "valid": summary["valid"],
        "baselines": {name: (one["threshold"], one["valid"]) for name, one in summary["baselines"].items()},
        "members": [(one["name"], one["valid"]) for one in ensembles["members"]],
        "chosen": ensembles["chosen"],
        "methods": {
            name: (one["threshold"], one["valid"], one.get("weights")) for name, one in ensembles["methods"].items()
        },
        "answers": [answers(folder / model) for model in ("model", "ensemble/model")],
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    "settings",
    [
        (
            *("dataset.folds=2", "space.modules=[{}]", "space.wide=[none,tfidf]", "space.wide_l2=1"),
            "dataset.columns=[price,brand,day]",
        ),
        (
            *("dataset.valid_size=0.2", "space.modules=[{},mean]", "space.wide=none", "space.embedding_size=4"),
            *("dataset.text=[brand,review]", "space.texts=[joined,apart]"),
        ),
    ],
)
def test_another_test_split_changes_what_is_measured_and_nothing_else(search_command, tmp_path, word_module, settings):
    write(tmp_path / "train.csv", 150, 0)
    write(tmp_path / "one.csv", 50, 1)
    write(tmp_path / "other.csv", 40, 2, word="zebra", flip=0.7)
    for test in ("one", "other"):
        outcome = search_command(
            *("dataset=csv", "dataset.path=train.csv", "dataset.text=review", "dataset.label=stars"),
            *(f"dataset.test_path={test}.csv", f"hydra.run.dir={test}", "ensemble.trials=2", "tuner=grid"),
            *(*(setting.format(word_module) for setting in settings), "space.trainable=[false]"),
            *("space.layers=1", "space.units=8", "space.batch_size=32", "space.learning_rate=0.01"),
            *("space.dropout=0.1", "space.class_weight=none", "tuner.max_epochs=1"),
        )
        assert outcome.code == 0, outcome.err
    one, other = learned(tmp_path / "one"), learned(tmp_path / "other")
    for name, found in one.items():
        assert found == other[name], name
    scores = [json.loads((tmp_path / test / "summary.json").read_text())["test"] for test in ("one", "other")]
    assert scores[0] != scores[1]
