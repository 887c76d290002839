import numpy as np
import pytest

from search.datasets.near_duplicates import SIMILARITY, near_duplicates, word_sets


def twins_of(texts, others):
    return near_duplicates(word_sets(texts), word_sets(others))


def words(random, n):
    return [f"w{i}" for i in random.choice(5000, n, replace=False)]


def test_order_case_punctuation_and_links_make_no_difference():
    others = ["nothing of the kind", "The cat sat, on a mat!", "!!!"]
    texts = ["on a mat the CAT sat https://t.co/x", "a dog", "", "???"]
    found = twins_of(texts, others)
    assert found.text.tolist() == [0] and found.twin.tolist() == [1] and found.similarity.tolist() == [1.0]


def test_pairs_above_the_limit_are_found_and_those_below_are_not():
    random = np.random.default_rng(0)
    others, near, far = [], [], []
    for _ in range(200):
        text = words(random, 20)
        others.append(" ".join(text))
        near.append(" ".join([*text[1:], "new"]))  # 19 of 21 words
        far.append(" ".join([*text[:12], *words(random, 8)]))  # at most 12 of 28 or so
    found = twins_of(near, others)
    assert len(found.text) >= 198 and (found.text == found.twin).all()
    assert found.similarity == pytest.approx(np.full(len(found.text), 19 / 21))
    assert not len(twins_of(far, others).text)


def test_the_nearest_is_given_and_equal_texts_do_not_crowd_it_out():
    text = " ".join(f"w{i}" for i in range(10))
    others = [*[text + " x y"] * 3, text]
    found = twins_of([text], others)
    assert found.twin.tolist() == [3] and found.similarity[0] == 1 >= SIMILARITY


def test_no_texts_at_all():
    assert not len(twins_of(["a"], ["?"]).text)
