import numpy as np
import pytest

from search.datasets import Examples
from search.datasets.table import object_array
from search.reporting.report.word_effects import chosen_rows, word_effects


def by_the_word_good(texts):
    positive = np.array([0.9 if "good" in text.split() else 0.2 for text in texts])
    return np.column_stack([1 - positive, positive])


def effects(texts, most_calls, classify=by_the_word_good):
    examples = Examples(object_array(texts), np.zeros(len(texts), int), np.arange(len(texts)))
    return word_effects(examples, range(len(texts)), np.ones(len(texts), int), classify, most_calls)


def test_the_word_that_decides_has_the_drop():
    (found,) = effects(["a good film"], 100)
    assert found["words"] == ["a", "good", "film"] and found["probability"] == 0.9 and found["position"] == 0
    assert found["drops"] == pytest.approx([0, 0.7, 0])


def test_it_calls_the_model_no_more_than_allowed():
    calls = []

    def counted(texts):
        calls.extend(texts)
        return by_the_word_good(texts)

    found = effects(["a good film", "b c d e f"], 6, counted)
    assert len(found) == 1 and len(calls) == 4
    assert effects(["a b"], 2, counted) == []


def test_of_a_long_text_the_first_words_are_tried():
    (found,) = effects(["word " * 99], 1000)
    assert len(found["words"]) == 99 and found["drops"].count(None) == 39


def test_the_confident_mistakes_of_each_class_come_first():
    labels = np.array([0, 0, 1, 1, 0, 1])
    positive = np.array([0.95, 0.6, 0.2, 0.1, 0.05, 0.99])
    probabilities = np.column_stack([1 - positive, positive])
    rows = chosen_rows(labels, (positive >= 0.5).astype(int), probabilities)
    assert rows[:4] == [0, 3, 2, 1] and set(rows[4:]) == {4, 5}
    assert len(chosen_rows(np.arange(40), np.roll(np.arange(40), 1), np.full((40, 40), 1 / 40))) <= 12
