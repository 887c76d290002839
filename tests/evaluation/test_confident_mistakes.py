"""The most confident mistakes, of several labels too."""

import numpy as np

from search.evaluation.confident_mistakes import confident_mistakes, questions

PROBABILITIES = np.array([[0.9, 0.1], [0.2, 0.7], [0.6, 0.8], [0.1, 0.3]])


def test_the_mistakes_of_several_labels_are_those_of_each():
    labels = np.array([[1, 1], [1, 0], [0, 1], [1, 0]], np.int8)
    predicted = (PROBABILITIES >= 0.5).astype(np.int8)
    found = [confident_mistakes(*one, 10).tolist() for one in questions(labels, predicted, PROBABILITIES)]
    # Missed, the surest first, then wrongly given.
    assert found == [[3, 1, 2], [0, 1]]


def test_a_class_is_one_question():
    labels, predicted = np.array([0, 0, 1, 1]), PROBABILITIES.argmax(axis=1)
    (one,) = questions(labels, predicted, PROBABILITIES)
    assert confident_mistakes(*one, 10).tolist() == [1]
