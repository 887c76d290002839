"""Leaving words out finds those that a model looks at."""

import numpy as np

from search.reporting.explaining import Row, explained, words_of_classes


def classify(texts, columns=None):
    """Good speaks for class 1, bad for class 0."""
    score = np.array([0.5 + 0.2 * ("good" in text.lower()) - 0.3 * ("bad" in text.lower()) for text in texts])
    return np.column_stack([1 - score, score])


def most_probable(probabilities):
    return probabilities.argmax(axis=1)


def test_the_word_that_counts_has_the_effect_and_the_others_none():
    (one,) = explained([Row("so good a day")], classify, most_probable, 10)
    assert (one.of, one.words) == (1, ["so", "good", "a", "day"])
    assert np.allclose(one.effects, [0, 0.2, 0, 0])
    (other,) = explained([Row("so good a day", of=0)], classify, most_probable, 10)
    assert np.allclose(other.effects, [0, -0.2, 0, 0]), "of the other class"


def test_words_beyond_the_limit_are_not_tried_and_chunks_keep_their_order():
    texts = [f"good {'x ' * 30}{number}" for number in range(200)]
    found = list(explained([Row(text) for text in texts], classify, most_probable, 20))
    assert [one.text for one in found] == texts
    assert all(np.isnan(one.effects).sum() == len(one.words) - 20 for one in found)


def test_words_of_many_texts_are_counted_whatever_their_case_and_punctuation():
    texts = ["Good!", "a good one", "bad, bad", "once good (rare)"]
    found = words_of_classes(explained([Row(text) for text in texts], classify, most_probable, 10), 2)
    assert [(word.word, word.texts) for word in found[1]] == [("good", 3)] and np.isclose(found[1][0].effect, 0.2)
    assert (
        words_of_classes(explained([Row(text) for text in texts], classify, most_probable, 10), 1)[0][0].word == "bad"
    )


def test_the_columns_beside_a_text_stay_as_they_are():
    asked = []

    def remembers(texts, columns):
        asked.extend(zip(texts, columns["price"].tolist(), strict=True))
        return classify(texts)

    prices = np.array([(1.0,), (2.0,)], [("price", float)])
    rows = [Row("good day", prices[:1]), Row("bad", prices[1:])]
    list(explained(rows, remembers, most_probable, 10))
    assert asked == [("good day", 1), ("day", 1), ("good", 1), ("bad", 2), ("", 2)]
