"""Cross-validated trials: no fold's model sees what it is judged by, and the answer is as without folds."""

import json
from dataclasses import replace

import keras_tuner
import numpy as np
import pandas as pd
import pytest
from declared import backbones, hyperparameters
from reviews import make_reviews, write_reviews

from search.commands.leaderboard import main as leaderboard
from search.datasets import Examples
from search.datasets.folds import cross_folds
from search.evaluation.metric_list import Target
from search.evaluation.metrics import score
from search.features.cache import FeatureCache
from search.job.validation import Validation
from search.training.cross_validation import CrossValidated
from search.training.folded_training import unpack
from search.training.trainable import TrainableHyperModel
from search.tuning.oracles.hyperband import HyperbandOracle
from search.tuning.tuner import Tuner
from spaces import space_from

FOLDS = 3
KINDS = {
    "frozen": {"modules": ["words"], "trainable": False},
    "fine-tuned": {"modules": ["words"], "trainable": True, "fine_tuning_rate": 0.01},
    "head first": {"modules": ["words"], "trainable": True, "fine_tuning_rate": 0.01, "head_first": True},
    "encoder": {"modules": ["mean"], "trainable": True, "embedding_size": 4},
}


def make_examples(rows, seed=0):
    texts, labels = make_reviews(rows, seed=seed)
    # A word of its own for each fold would tell a vocabulary that has seen too much.
    texts = [f"{text} only{row % FOLDS}" for row, text in enumerate(texts)]
    codes = np.array([label == "good" for label in labels], np.int64)
    wrong = np.random.default_rng(seed).random(rows) < 0.2
    return Examples(np.array(texts, object), np.where(wrong, 1 - codes, codes), np.arange(rows))


TRAIN = make_examples(120)
FOLD = np.arange(120) % FOLDS


@pytest.fixture
def make(word_module, tmp_path):
    def make(kind="frozen", train=TRAIN, **ranges):
        settings = {"layers": 1, "units": 8, "batch_size": 32, "learning_rate": 0.01, "dropout": 0.2}
        space = space_from({**settings, **KINDS[kind], **ranges})
        standing = backbones(space, {"words": word_module}, train.texts)
        whole = TrainableHyperModel(space, standing, Target(2), seed=0, features=FeatureCache(tmp_path / "features"))
        return CrossValidated(whole, cross_folds(train, FOLD))

    return make


def trained(hypermodel, epochs=2, hp=None):
    hp = hp or hyperparameters(hypermodel)
    training = hypermodel.training(hp, verbose=0)
    told = []
    training.run(range(epochs), lambda epoch, metrics: told.append(metrics) or False)
    return unpack(training.weights()), told


def same(some, others):
    return all(np.array_equal(one, other) for one, other in zip(some, others, strict=True))


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_fold_holds_out_changes_nothing_of_its_model(make, kind):
    held = FOLD == 0
    texts, labels = TRAIN.texts.copy(), TRAIN.labels.copy()
    texts[held] = [f"{text} unheard{row}" for row, text in enumerate(texts[held])]
    labels[held] = 1 - labels[held]
    before, _ = trained(make(kind))
    after, _ = trained(make(kind, replace(TRAIN, texts=texts, labels=labels)))
    if kind != "head first":  # its head is stopped by the rows it is judged by, as every trial is
        assert same(before[0], after[0])
    assert not same(before[1], after[1]) and not same(before[2], after[2])


def test_the_vocabulary_of_a_fold_is_of_what_it_learns_from(make):
    crossed = make("encoder")
    values = crossed.whole.space.declare(hyperparameters(crossed))
    for number, hypermodel in enumerate(crossed.of_folds):
        known = set(hypermodel.backbone(values).tokens.vocabulary(values))
        assert {f"only{other}" for other in range(FOLDS)} - known == {f"only{number}"}


@pytest.mark.parametrize("kind", KINDS)
def test_each_fold_is_trained_as_it_would_be_alone(make, kind):
    crossed = make(kind)
    together, told = trained(crossed)
    for number, fold in enumerate(crossed.folds):
        hp = hyperparameters(crossed)
        alone = crossed.of_folds[number].training(hp, fold.train, fold.valid)
        metrics = []
        alone.run(range(2), lambda epoch, one, metrics=metrics: metrics.append(one) or False)
        for mine, its in zip(together[number], alone.weights(), strict=True):
            np.testing.assert_allclose(mine, its, rtol=1e-6, atol=1e-7)
        for mean, one in zip(told, metrics, strict=True):
            assert mean.folds[number]["val_log_loss"] == pytest.approx(one["val_log_loss"], rel=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_the_models_of_the_folds_give_what_their_trial_was_scored_by(make, kind, tmp_path):
    crossed = make(kind, learning_rate=[0.01, 0.02, 0.03, 0.04])
    splits = FakeSplits(crossed.folds)
    validation = Validation(crossed.whole, splits)
    tuner = search(validation, tmp_path / "a")
    best = tuner.ranking()[0]
    found = validation.probabilities(tuner, best)
    assert best.score == pytest.approx(np.mean(best.fold_scores))
    for fold, scored in zip(splits.folds, best.fold_scores, strict=True):
        assert score(fold.valid.labels, found[fold.at])["log_loss"] == pytest.approx(scored, rel=1e-4)
    # Where they were not kept, they are trained again.
    if kind != "head first":
        tuner.files.best(best.trial_id).unlink()
        np.testing.assert_allclose(validation.probabilities(tuner, best), found, atol=1e-5)


def test_promoted_trials_are_as_if_trained_at_once(make, tmp_path):
    crossed = make("head first", learning_rate=[0.01, 0.02, 0.03, 0.04])
    tuner = search(Validation(crossed.whole, FakeSplits(crossed.folds)), tmp_path / "a")
    promoted = next(record for record in tuner.records.values() if record.parent is not None)
    hp = hyperparameters(crossed)
    hp.values.update(promoted.values)
    told = []
    training = crossed.training(hp, verbose=0)
    training.run(range(promoted.epochs), lambda epoch, metrics: told.append(metrics["val_log_loss"]) or False)
    assert promoted.score in [pytest.approx(one, rel=1e-6) for one in told]
    assert training.head_epochs == promoted.head_epochs >= 1


class FakeSplits:
    """The splits of a cross-validation, without a test split."""

    def __init__(self, folds):
        self.folds, self.fold, self.classes = folds, FOLD, ("bad", "good")
        self.train = self.valid = TRAIN


def search(validation, folder):
    objective = keras_tuner.Objective("val_log_loss", "min")
    oracle = HyperbandOracle(objective, max_epochs=2, factor=2, seed=0)
    tuner = Tuner(oracle, validation.hypermodel, directory=str(folder), project_name="trials")
    tuner.search(*validation.fit_args, verbose=0)
    assert {record.status for record in tuner.records.values()} == {"COMPLETED"}
    return tuner


@pytest.mark.slow
def test_the_command_ranks_few_rows_by_folds_and_tests_once(search_command, tmp_path, word_module, capfd, monkeypatch):
    monkeypatch.setattr("search.datasets.folds.FEW", 2000)
    monkeypatch.setattr("search.datasets.folds._MOST", 3)
    write_reviews(tmp_path / "reviews.csv", 240)
    arguments = (
        *("dataset=csv", "dataset.path=reviews.csv", "dataset.text=review", "dataset.label=stars"),
        *(f"space.modules=[{word_module}]", "space.trainable=[false,true]"),
        *("space.units=8", "space.batch_size=32", "space.learning_rate=0.01", "space.wide=none"),
        *("tuner=random", "tuner.max_trials=3", "tuner.max_epochs=2", "hydra.run.dir=run"),
    )
    outcome = search_command(*arguments, "ensemble.trials=2", "threshold=0.4")
    assert outcome.code == 0, outcome.err
    assert "train in 3 folds" in outcome.out and "dataset.folds=auto" in outcome.out
    run = tmp_path / "run"
    summary = json.loads((run / "summary.json").read_text())
    board = pd.read_csv(run / "leaderboard.csv", dtype={"trial_id": str})
    folds = board[["fold_1", "fold_2", "fold_3"]]
    np.testing.assert_allclose(board["score"], folds.mean(axis=1))
    np.testing.assert_allclose(board["score_std"], folds.std(axis=1))
    assert summary["refit_on"] == ["train"] and list(summary["sizes"]) == ["train", "test"]
    assert summary["folds"]["scores"] == folds.iloc[0].tolist()
    assert leaderboard(["runs=run", "trials=2"]) == 0
    assert f"± {board['score_std'][0]:.3f}" in capfd.readouterr().out
    texts = set(pd.read_csv(run / "predictions.csv")["text"])
    assert len(texts) == sum(summary["sizes"]["test"].values()) == 24
    assert summary["ensembles"]["methods"]
    report = (run / "report.html").read_text()
    assert "dataset.folds=auto" in report and "3 folds" in report and "3 folds" in (run / "MODEL_CARD.md").read_text()
