"""Every file of conf/experiment composes, is a configuration that can run, and reads data of its layout."""

from __future__ import annotations

import csv
import json

import numpy as np
import pandas as pd
import pytest
from hydra import compose, initialize_config_dir
from made_pictures import write_pictures
from omegaconf import OmegaConf
from reviews import make_reviews, write_reviews

from search.config import checked, configuration_folder, register
from search.datasets import load_splits
from spaces import space_from

FOLDER = configuration_folder() / "experiment"
NAMES = sorted(path.stem for path in FOLDER.glob("*.yaml"))
ROWS = 400


def composed(name, *overrides):
    register()
    with initialize_config_dir(str(configuration_folder().absolute()), version_base="1.3"):
        return compose("config", overrides=[f"experiment={name}", *overrides])


def table(path, header, row):
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *(row(number) for number in range(ROWS))])
    return path


def reviews(path):
    for split in ("train", "test"):
        for label in ("neg", "pos"):
            (path / split / label).mkdir(parents=True)
            for number in range(20):
                (path / split / label / f"{number}.txt").write_text(f"{split} {label} {number}\n")
    return path


def photos(folder):
    rows = {"train": 20, "test": 5}
    names = [f"{split}/{name}/{row}.png" for split in rows for name in ("cat", "dog") for row in range(rows[split])]
    return write_pictures(folder, names)


@pytest.fixture
def made(tmp_path):
    """Data of each layout, by the name of the data set."""
    return {
        "disaster": table(
            tmp_path / "disaster.csv", ("id", "text", "target"), lambda n: (n, f"tweet {n % 390}", int(n % 390 % 7 < 3))
        ),
        "quora": table(
            tmp_path / "quora.csv", ("qid", "question_text", "target"), lambda n: (n, f"question {n}", int(n % 5 == 0))
        ),
        "drugs": table(tmp_path / "drugs.csv", ("review", "rating"), lambda n: (f"review {n}", n % 10 + 1)),
        "imdb": reviews(tmp_path / "aclImdb"),
        "cats_dogs": photos(tmp_path / "photos"),
    }


@pytest.mark.parametrize("name", NAMES)
def test_an_experiment_composes_and_says_what_it_is(name):
    node = composed(name, "dataset.path=some.csv")
    config = checked(node)
    space = space_from(OmegaConf.to_container(node.space, resolve=True))
    if config.tuner.name == "grid":
        assert space.size() is not None and space.size() <= 20
    lines = (FOLDER / f"{name}.yaml").read_text(encoding="utf-8").splitlines()
    comment = "\n".join(line for line in lines if line.startswith("#"))
    assert lines[0] == "# @package _global_"
    assert f"python -m search experiment={name}" in comment
    assert "# Data: " in comment and "# To reach" in comment


@pytest.mark.parametrize("name", NAMES)
def test_the_data_of_an_experiment_can_be_read(name, made, tmp_path):
    overrides = ["dataset.recipe=null"] if name == "quora_modules" else []
    data_set = composed(name).dataset.name
    config = checked(composed(name, f"dataset.path={made[data_set]}", *overrides))
    splits = load_splits(config.dataset, tmp_path, config.seed)
    assert len(splits.classes) == 2
    if name == "disaster_zoo":  # every row, ten of them texts that stand there twice
        assert sum(map(len, (splits.train, splits.valid, splits.test))) == ROWS
        assert len(splits.test) == 40
    if name == "drugs_glove":
        assert splits.classes == ("negative", "positive")
        assert len(splits.test) == 0.3 * ROWS
        assert splits.sizes()["test"] == {"negative": 60, "positive": 60}
    if name == "imdb_nnlm":
        assert len(splits.test) == 40


def test_the_recipe_of_the_course_takes_its_shares(made, tmp_path):
    path = table(
        tmp_path / "full.csv",
        ("qid", "question_text", "target"),
        lambda n: (n, f"question {n}", int(n % 4 == 0)),
    )
    steps = "[{take:train,train_size:0.5,random_state:42,stratify:true},{take:test,train_size:0.1,random_state:42}]"
    config = checked(composed("quora_modules", f"dataset.path={path}", f"dataset.recipe={steps}"))
    splits = load_splits(config.dataset, tmp_path, config.seed)
    assert (len(splits.train) + len(splits.valid), len(splits.test)) == (200, 20)
    assert splits.cleaning.unused == 180


def test_the_course_has_every_module_frozen_and_fine_tuned():
    space = space_from(OmegaConf.to_container(composed("quora_modules", "dataset.path=some.csv").space, resolve=True))
    assert space["module"].options == ("glove-50", "use-multilingual")
    assert space.size() == 4


def test_an_unknown_experiment_is_one_line(search_command):
    outcome = search_command("experiment=disaster_zo")
    assert outcome.code == 2
    assert "disaster_zo" in outcome.err and len(outcome.err.splitlines()) == 1


@pytest.mark.slow
def test_a_published_split_a_threshold_and_a_part_of_train_go_through_the_whole_run(
    search_command, tmp_path, word_module
):
    texts, labels = make_reviews(300)
    rows = [
        (text, int(label == "good")) for text, label in zip([*texts, *texts[:60]], [*labels, *labels[:60]], strict=True)
    ]
    table(tmp_path / "tweets.csv", ("text", "target"), lambda number: rows[number % len(rows)])
    outcome = search_command(
        "experiment=disaster_zoo",
        "dataset.path=tweets.csv",
        f"space.modules=[{word_module}]",
        "dataset.train_fraction=0.5",
    )
    assert outcome.code == 0, outcome.err
    (path,) = tmp_path.rglob("summary.json")
    summary = json.loads(path.read_text())
    assert summary["threshold"] == 0.5
    assert summary["refit_on"] == ["train"] and "Refitting trial 0000 on train for" in outcome.out
    assert summary["sizes"]["test"].keys() == {"0", "1"} and sum(summary["sizes"]["test"].values()) == 0.1 * ROWS
    shared = summary["cleaning"]["shared_test"]
    assert shared > 0
    predictions = pd.read_csv(path.parent / "predictions.csv")
    assert (predictions["predicted"] == (predictions["prob_1"] >= 0.5)).all()
    accuracy = np.mean(predictions["predicted"] == predictions["label"])
    assert summary["test"]["accuracy"] == pytest.approx(accuracy)
    for baseline in summary["baselines"].values():
        assert baseline["threshold"] == 0.5
    said = f"those of {shared:,} rows of test in train or valid"
    for text in (outcome.out, *((path.parent / name).read_text() for name in ("report.html", "MODEL_CARD.md"))):
        assert said in text
    assert "The final model was trained on train;" in (path.parent / "MODEL_CARD.md").read_text()
    assert "threshold was chosen" not in (path.parent / "MODEL_CARD.md").read_text()


@pytest.mark.parametrize(
    ("classes", "threshold", "says"),
    [
        (("bad", "good"), 1.5, "threshold=1.5 is impossible"),
        (("bad", "good", "dull"), 0.5, "threshold=0.5 is for two classes"),
    ],
)
def test_a_threshold_that_cannot_be_is_one_line(search_command, tmp_path, classes, threshold, says):
    write_reviews(tmp_path / "reviews.csv", 100, classes)
    outcome = search_command(
        "dataset=csv",
        "dataset.path=reviews.csv",
        "dataset.text=review",
        "dataset.label=stars",
        f"threshold={threshold}",
    )
    assert outcome.code == 2
    assert says in outcome.err and len(outcome.err.splitlines()) == 1
    assert not (tmp_path / "outputs").exists()
