import numpy as np

from search.evaluation.label_errors import likely_label_errors


def test_flipped_labels_are_found_where_the_model_is_good():
    random = np.random.default_rng(0)
    truth = random.integers(0, 3, 600)
    logits = 5 * np.eye(3)[truth] + random.normal(size=(600, 3))
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = truth.copy()
    flipped = random.choice(600, 30, replace=False)
    labels[flipped] = (labels[flipped] + 1) % 3
    found = np.flatnonzero(likely_label_errors(labels, probabilities))
    assert set(found) <= set(flipped) and len(found) >= 20


def test_a_row_is_suspected_only_above_what_is_typical_of_the_other_class():
    labels = np.array([0, 0, 1, 1])
    of_one = np.array([0.1, 0.6, 0.7, 0.7])  # 0.6 is below the mean 0.7 of class 1's own rows
    assert not likely_label_errors(labels, np.column_stack([1 - of_one, of_one])).any()
    of_one[1] = 0.75
    assert likely_label_errors(labels, np.column_stack([1 - of_one, of_one])).tolist() == [False, True, False, False]


def test_nothing_is_suspected_to_be_of_a_class_without_rows():
    assert not likely_label_errors(np.array([0, 0]), np.array([[0.1, 0.9], [0.2, 0.8]])).any()
