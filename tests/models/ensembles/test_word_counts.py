"""The baselines inside TensorFlow say what they say in scikit-learn."""

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer

from search.evaluation.baseline_models import LOGISTIC_REGRESSION, NAIVE_BAYES, NB_LOGISTIC_REGRESSION
from search.evaluation.baselines import run_baselines
from search.models.ensembles.word_counts import WordCounts
from search.models.wide.terms import tokens

DATA = Path(__file__).parents[4] / "shared" / "data"
analyze = TfidfVectorizer().build_analyzer()
# Capitals that are younger than the Unicode of TensorFlow's ICU, and stay as they are.
YOUNG = {0x2C2F, 0xA7C0, 0xA7D0, 0xA7D6, 0xA7D8, *range(0x10570, 0x10596)}


# Letters whose lower case is two, or depends on where they stand; what joins letters; numbers that are no digits.
TRICKY = "aA bI\u0130\u0131ß\u03a3\u03c3\u03c2'_-.\t\n\u0301\u200d🎉é1½²日本"


def seen(texts):
    return [[word.decode() for word in row] for row in tokens(tf.constant(texts)).to_list()]


def letters():
    return (chr(code) for code in range(1, sys.maxunicode + 1) if not 0xD800 <= code < 0xE000 and code not in YOUNG)


def test_every_character_of_unicode_is_a_letter_or_none_as_in_python():
    texts = [f"a{one}b {one}{one} {one}" for one in letters()]
    chunks = ["\n".join(texts[i : i + 1000]) for i in range(0, len(texts), 1000)]
    assert seen(chunks) == [analyze(chunk) for chunk in chunks]


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.text(st.one_of(st.sampled_from(TRICKY), st.sampled_from(list(letters())[:9000]))), min_size=1, max_size=8
    )
)
def test_texts_fall_into_the_words_that_scikit_learn_sees(texts):
    assert seen(texts) == [analyze(text) for text in texts]


def fitted(texts, labels, unseen):
    given, asked = np.array(texts, dtype=object), np.array(unseen, dtype=object)
    split = SimpleNamespace(texts=given, inputs=given, labels=np.array(labels, dtype=np.int64))
    other = SimpleNamespace(texts=asked, inputs=asked, labels=np.zeros(len(unseen), np.int64))
    fold = SimpleNamespace(train=split, valid=split, at=np.arange(len(texts)))
    return run_baselines(SimpleNamespace(folds=[fold], valid=split, test=other, refit=split))


def check(outcome, unseen, classes, atol=1e-6):
    for name in (NAIVE_BAYES, LOGISTIC_REGRESSION, NB_LOGISTIC_REGRESSION):
        found = WordCounts(outcome[name].model, classes, name)(tf.constant(unseen)).numpy()
        np.testing.assert_allclose(
            found[:, : outcome[name].probabilities.shape[1]], outcome[name].probabilities, atol=atol
        )
        assert found.dtype == np.float32


WORDS = ["good", "bad", "table", "größer", "ΣΑΣ", "日本", "🎉", "i", "naïve", "_x", "COVID19", "don't"]


@pytest.mark.parametrize("classes", [2, 3])
def test_probabilities_are_scikit_learns(classes):
    random = np.random.default_rng(0)
    texts = [" ".join(random.choice(WORDS, 6)) for _ in range(200)]
    unseen = [" ".join(random.choice([*WORDS, "unknown"], 9)) for _ in range(100)] + ["", "i 🎉", "nothing of it"]
    check(fitted(texts, np.arange(200) % classes, unseen), unseen, classes)


@pytest.mark.parametrize("name", [NAIVE_BAYES, LOGISTIC_REGRESSION, NB_LOGISTIC_REGRESSION])
@pytest.mark.parametrize("labels, never", [([0, 2], [1, 3]), ([0, 1, 3], [2])])
def test_a_class_without_rows_has_no_probability(name, labels, never):
    outcome = fitted(["good day", "bad day", "dull day"][: len(labels)] * 10, labels * 10, ["good"])[name]
    found = WordCounts(outcome.model, 4, "counts")(tf.constant(["good"])).numpy()
    assert found[0, never].tolist() == [0] * len(never)
    known = outcome.probabilities[0]
    np.testing.assert_allclose(found[0, : len(known)], known, atol=1e-6)


def test_no_texts_give_no_probabilities():
    model = fitted(["good day", "bad day"] * 10, [0, 1] * 10, ["good"])[NAIVE_BAYES].model
    assert WordCounts(model, 2, "counts")(tf.constant([], tf.string)).shape == (0, 2)


def test_probabilities_of_real_tweets_are_scikit_learns():
    path = DATA / "disaster" / "train.csv"
    if not path.is_file():
        pytest.skip(f"{path} is not there")
    import pandas as pd

    table = pd.read_csv(path)
    texts = table["text"].tolist()
    unseen = texts[4000:]
    assert sum(not text.isascii() for text in unseen) > 100
    check(fitted(texts[:4000], table["target"][:4000], unseen), unseen, 2)
