import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import FunctionTransformer

from search.evaluation import best_threshold, predict, score
from search.evaluation.baseline_models import LOGISTIC_REGRESSION, MAJORITY, NAIVE_BAYES, NB_LOGISTIC_REGRESSION
from search.evaluation.baselines import BACKBONE_LOGISTIC_REGRESSION, FrozenBackbone, records, run_baselines

DATA = Path(__file__).parents[3] / "shared" / "data"
WORDS = (
    ["good", "great", "fine", "lovely", "happy"],
    ["bad", "awful", "poor", "nasty", "sad"],
    ["table", "chair", "window", "door", "lamp"],
)


def labelled(texts, labels):
    texts = np.array(texts, dtype=object)
    return SimpleNamespace(texts=texts, inputs=texts, labels=np.array(labels, dtype=np.int64))


def made(rows, classes, seed):
    """Texts of which each word is of the text's class in three cases of four."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, classes, rows)
    labels[:classes] = range(classes)
    sources = np.where(random.random((rows, 6)) < 0.6, labels[:, None], random.integers(0, classes, (rows, 6)))
    texts = [" ".join(random.choice(WORDS[source]) for source in row) for row in sources]
    return labelled(texts, labels)


def splits(classes):
    return made(300, classes, 0), made(100, classes, 1), made(100, classes, 2)


def fold(train, valid):
    return SimpleNamespace(train=train, valid=valid, at=np.arange(len(valid.labels)))


def rows(folds, valid, test, refit):
    return SimpleNamespace(folds=folds, valid=valid, test=test, refit=refit)


def run(train, valid, test, threshold=None):
    return run_baselines(rows([fold(train, valid)], valid, test, both(train, valid)), threshold)


def both(train, valid):
    return labelled(np.concatenate([train.texts, valid.texts]), np.concatenate([train.labels, valid.labels]))


class WordVectors:
    """Features: how often each of a few words stands in a text."""

    def __init__(self, texts):
        words = np.array([word for group in WORDS for word in group[:3]])
        self._counts = np.array([[text.split().count(word) for word in words] for text in texts], np.float32)

    def __len__(self):
        return len(self._counts)

    def take(self, rows):
        return self._counts[rows]


@pytest.mark.parametrize("classes", [2, 3])
def test_a_frozen_backbone_of_the_search_is_a_baseline_too(classes):
    train, valid, test = splits(classes)
    asked = []

    def of_split(split):
        asked.append(split)
        return WordVectors(split.texts)

    frozen = FrozenBackbone("words", of_split, WordVectors)
    more = both(train, valid)
    found = run_baselines(rows([fold(train, valid)], valid, test, more), frozen={BACKBONE_LOGISTIC_REGRESSION: frozen})
    alone = found.pop(BACKBONE_LOGISTIC_REGRESSION)
    assert list(found) == list(run(train, valid, test))  # the others stay as they are
    assert [id(split) for split in asked] == [id(split) for split in (train, valid, more, test)]
    assert alone.test["accuracy"] > 0.7 and alone.milliseconds > 0
    assert (alone.threshold is None) == (classes > 2)
    assert alone.test == score(test.labels, alone.probabilities, alone.threshold)
    assert records({"it": alone})["it"]["module"] == "words"


@pytest.mark.parametrize("classes", [2, 3])
def test_word_counts_learn_what_the_majority_cannot(classes):
    found = run(*splits(classes))
    assert list(found) == [MAJORITY, NAIVE_BAYES, LOGISTIC_REGRESSION, NB_LOGISTIC_REGRESSION]
    for name in (NAIVE_BAYES, LOGISTIC_REGRESSION, NB_LOGISTIC_REGRESSION):
        assert found[name].test["accuracy"] > 0.8
        assert found[name].test["macro_f1"] > found[MAJORITY].test["macro_f1"] + 0.3


@pytest.mark.parametrize("classes", [2, 3])
def test_the_metrics_are_those_of_the_probabilities_at_the_threshold(classes):
    test = splits(classes)[2]
    for baseline in run(*splits(classes)).values():
        assert (baseline.threshold is None) == (classes > 2)
        assert baseline.probabilities.sum(axis=1) == pytest.approx(np.ones(100))
        assert baseline.test == score(test.labels, baseline.probabilities, baseline.threshold)


def test_the_majority_gives_the_shares_of_the_classes():
    train, valid, test = splits(3)
    shares = np.bincount(np.concatenate([train.labels, valid.labels])) / 400
    majority = run(train, valid, test)[MAJORITY]
    assert majority.probabilities == pytest.approx(np.tile(shares, (100, 1)))
    assert majority.test["accuracy"] == (test.labels == shares.argmax()).mean()


def test_the_majority_of_a_rare_positive_class_is_negative():
    rare = [labelled(["a word"] * 20, [1, 1, *[0] * 18]) for _ in range(3)]
    majority = run(*rare)[MAJORITY]
    assert majority.threshold == 0.5
    assert majority.test["recall"] == 0 and majority.test["accuracy"] == 0.9


def test_nothing_fitted_sees_the_test_split():
    train, valid, test = splits(2)
    other = labelled([f"zebra {text}" for text in test.texts], 1 - test.labels)
    pair = labelled(np.concatenate([test.texts, other.texts]), np.concatenate([test.labels, other.labels]))
    alone, together = run(train, valid, test), run(train, valid, pair)
    for name in alone:
        assert together[name].threshold == alone[name].threshold
        assert together[name].valid == alone[name].valid
        assert (together[name].probabilities[: len(test.texts)] == alone[name].probabilities).all()


def test_the_threshold_comes_from_a_model_that_has_not_seen_the_validation_split():
    train, valid, test = splits(2)
    swapped = run(train, valid, valid)[NAIVE_BAYES]
    assert swapped.valid["log_loss"] > swapped.test["log_loss"]  # the refit has seen valid, the first fit has not
    assert run(train, valid, test)[NAIVE_BAYES].threshold == swapped.threshold


def test_a_threshold_that_is_given_is_kept_to():
    train, valid, test = splits(2)
    for baseline in run(train, valid, test, threshold=0.5).values():
        assert baseline.threshold == 0.5
        assert baseline.test == score(test.labels, baseline.probabilities, 0.5)
    assert run(*splits(3), threshold=0.5)[NAIVE_BAYES].threshold is None


def test_what_is_scored_on_test_is_fitted_on_the_rows_of_the_refit():
    train, valid, test = splits(2)
    alone = run_baselines(rows([fold(train, valid)], valid, test, train))
    again = labelled(test.texts, test.labels)
    for name, baseline in run_baselines(rows([fold(train, again)], again, test, train)).items():
        assert (baseline.probabilities == alone[name].probabilities).all()
        assert baseline.valid == pytest.approx(score(test.labels, baseline.probabilities, baseline.threshold))


def test_rows_without_words_to_count_are_compared_with_the_majority_and_with_features_alone():
    train, valid, test = splits(2)
    frozen = {"plain": FrozenBackbone("words", lambda split: WordVectors(split.texts), WordVectors)}
    alone = run_baselines(rows([fold(train, valid)], valid, test, train), frozen=frozen, words=False)
    beside = run_baselines(rows([fold(train, valid)], valid, test, train), frozen=frozen)
    assert list(alone) == [MAJORITY, "plain"]
    assert (alone["plain"].probabilities == beside["plain"].probabilities).all()


def test_texts_without_words_are_an_outcome_not_a_crash():
    empty = [labelled(["!", "?", ".", ","], [0, 1, 0, 1]) for _ in range(3)]
    found = run(*empty)
    assert found[MAJORITY].error is None and found[MAJORITY].test["accuracy"] == 0.5
    for name in (NAIVE_BAYES, LOGISTIC_REGRESSION):
        assert "no words" in found[name].error
        assert found[name].test is None and found[name].probabilities is None


def test_words_that_never_come_twice_are_an_outcome_not_a_crash():
    once = [labelled([f"word{i}{j}" for j in range(4)], [0, 1, 0, 1]) for i in range(3)]
    found = run(*once)
    assert found[NAIVE_BAYES].error is None
    assert "no words" in found[LOGISTIC_REGRESSION].error


def test_the_records_are_plain_json():
    told = records(run(*splits(2)))
    assert json.loads(json.dumps(told)) == told
    assert set(told[NAIVE_BAYES]) == {"threshold", "valid", "test", "milliseconds_per_text"}
    empty = [labelled(["!", "?"], [0, 1]) for _ in range(3)]
    assert set(records(run(*empty))[NAIVE_BAYES]) == {"error"}


def real(path):
    if not (DATA / path).exists():
        pytest.skip(f"needs ../shared/data/{path}")
    return pd.read_csv(DATA / path)


def test_disaster_tweets_as_published():
    table = real("disaster/train.csv").sample(frac=1, random_state=42)
    texts, labels = table["text"].to_numpy(dtype=object), table["target"].to_numpy()
    train, test, train_labels, test_labels = train_test_split(texts, labels, test_size=0.1, random_state=42)
    # The published model is fitted on all of train: the refit is, whatever part of it was held out before.
    scores = run(
        labelled(train[:6000], train_labels[:6000]),
        labelled(train[6000:], train_labels[6000:]),
        labelled(test, test_labels),
        threshold=0.5,
    )[NAIVE_BAYES].test
    assert scores["accuracy"] * 100 == 79.26509186351706
    assert scores["weighted_precision"] == pytest.approx(0.8111390004213173, rel=1e-12)
    assert scores["weighted_recall"] == pytest.approx(0.7926509186351706, rel=1e-12)
    assert scores["weighted_f1"] == pytest.approx(0.7862189758049549, rel=1e-12)


@pytest.mark.slow
def test_quora_as_measured():
    table = real("quora/train.csv").fillna("")
    texts, labels = table["question_text"].to_numpy(dtype=object), table["target"].to_numpy()
    train, test, train_labels, test_labels = train_test_split(
        texts, labels, test_size=0.2, random_state=0, stratify=labels
    )
    outcome = run(
        labelled(train[:20000], train_labels[:20000]),
        labelled(train[20000:], train_labels[20000:]),
        labelled(test, test_labels),
    )[LOGISTIC_REGRESSION]
    assert outcome.test["roc_auc"] == pytest.approx(0.918, abs=0.002)
    assert outcome.test["average_precision"] == pytest.approx(0.523, abs=0.002)
    best = score(test_labels, outcome.probabilities, best_threshold(test_labels, outcome.probabilities))
    assert best["f1"] == pytest.approx(0.542, abs=0.002)
    assert predict(outcome.probabilities, outcome.threshold).mean() == pytest.approx(0.06, abs=0.03)


def test_logistic_regressions_see_columns_beside_the_texts():
    def made(rows, seed):
        random = np.random.default_rng(seed)
        labels = random.integers(0, 2, rows)
        inputs = np.empty(rows, [("texts", object), ("price", float)])
        inputs["texts"] = [f"good word{k % 3} same" for k in range(rows)]
        inputs["price"] = labels + random.normal(0, 0.1, rows)
        return SimpleNamespace(texts=inputs["texts"], inputs=inputs, labels=labels)

    def columns():
        return FunctionTransformer(lambda inputs: inputs["price"][:, np.newaxis])

    train, valid, test = made(80, 0), made(40, 1), made(40, 2)
    backbone = FrozenBackbone("words", lambda split: WordVectors(split.texts), WordVectors)
    frozen = {BACKBONE_LOGISTIC_REGRESSION: backbone}
    found = run_baselines(rows([fold(train, valid)], valid, test, train), frozen=frozen, columns=columns)
    accuracy = {name: one.test["accuracy"] for name, one in found.items()}
    assert accuracy["tfidf_logistic_regression"] > 0.9 and accuracy[BACKBONE_LOGISTIC_REGRESSION] > 0.9
    assert max(accuracy["majority"], accuracy["tfidf_naive_bayes"], accuracy["tfidf_nb_logistic_regression"]) < 0.8
