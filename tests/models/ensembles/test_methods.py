"""What combines classifiers: by hand where that is possible, and nothing of it has seen the test split."""

import itertools

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score

from search.datasets.folds import assign_folds
from search.evaluation.metric_list import Target
from search.evaluation.metrics import names, score
from search.evaluation.paired import Predictions
from search.job.ensemble_comparison import chosen, compare, fit_ensembles
from search.job.ensemble_members import Member
from search.models.ensembles.combiners import Stacked, Votes, Weighted, combined, stacking_features
from search.models.ensembles.methods import (
    METHODS,
    Task,
    fit_greedy,
    fit_mean,
    fit_stacking,
    fit_vote,
    out_of_fold,
)


def made(skills, labels, classes, seed=0):
    """Probabilities of members of so much skill, whose mistakes are their own [members, n, classes]."""
    random = np.random.default_rng(seed)
    logits = random.normal(size=(len(skills), len(labels), classes))
    logits += np.array(skills)[:, None, None] * np.eye(classes)[labels]
    weights = np.exp(logits)
    return weights / weights.sum(axis=2, keepdims=True)


def labels_of(rows, classes, seed=0):
    return np.random.default_rng(seed).integers(0, classes, rows)


AP, F1 = Task("average_precision"), Task("macro_f1")


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("classes", [2, 4])
def test_every_method_gives_probabilities_and_is_better_than_its_members(name, classes):
    labels, others = labels_of(400, classes), labels_of(400, classes, 1)
    members, unseen = made([1, 1, 1, 1], labels, classes), made([1, 1, 1, 1], others, classes, 1)
    found = combined(METHODS[name](members, labels, AP), unseen)
    np.testing.assert_allclose(found.sum(axis=1), 1)
    assert found.min() >= 0
    alone = max(score(others, one)["average_precision"] for one in unseen)
    assert score(others, found)["average_precision"] > alone


def test_the_mean_is_the_mean():
    members = made([1, 2], labels_of(5, 3), 3)
    np.testing.assert_allclose(combined(fit_mean(members, labels_of(5, 3), F1), members), members.mean(axis=0))


def test_what_most_members_decide_for_is_predicted():
    thresholds = np.array([0.2, 0.5, 0.9])
    for positive in itertools.product([0.1, 0.4, 0.6, 0.95], repeat=3):
        members = np.array([[[1 - p, p]] for p in positive])
        votes = sum(p >= t for p, t in zip(positive, thresholds, strict=True))
        assert (combined(Votes(thresholds), members)[0, 1] >= 0.5) == (votes >= 2)


def test_where_votes_tie_the_mean_probability_decides():
    members = np.array([[[0.9, 0.1], [0.6, 0.4]], [[0.4, 0.6], [0.1, 0.9]]])
    assert combined(Votes(np.array([0.5, 0.5])), members).argmax(axis=1).tolist() == [0, 1]
    three = np.array([[[0.5, 0.4, 0.1]], [[0.1, 0.6, 0.3]]])
    assert combined(Votes(None), three).argmax(axis=1).tolist() == [1]


def test_members_vote_by_the_thresholds_that_suit_each():
    labels = labels_of(200, 2)
    members = made([2, 2], labels, 2)
    shifted = np.stack([members[0, :, 0], members[0, :, 1] * 0.1], axis=1)
    members[0] = shifted / shifted.sum(axis=1, keepdims=True)
    low, middle = fit_vote(members, labels, AP).thresholds
    assert low < 0.2 < middle
    assert fit_vote(members, labels, Task("f1", 0.3)).thresholds.tolist() == [0.3, 0.3]


@pytest.mark.parametrize("classes", [2, 3])
def test_stacking_is_scikit_learns_logistic_regression(classes):
    labels = labels_of(300, classes)
    members = made([1, 0, 2], labels, classes)
    expected = LogisticRegression(max_iter=2000).fit(stacking_features(members), labels)
    found = combined(fit_stacking(members, labels, F1), members)
    np.testing.assert_allclose(found, expected.predict_proba(stacking_features(members)), atol=1e-9)


def test_stacking_gives_a_class_it_never_saw_no_probability():
    labels = labels_of(100, 2) * 2
    found = combined(fit_stacking(made([1, 1], labels, 3), labels, F1), made([1, 1], labels, 3))
    assert found[:, 1].max() == 0
    assert isinstance(fit_stacking(made([1, 1], labels * 0, 3), labels * 0, F1), Weighted)


def test_greedy_starts_from_the_best_and_every_round_gains():
    labels = labels_of(500, 2)
    members = made([0.5, 2, 1.5, 0], labels, 2)
    weights = fit_greedy(members, labels, AP).weights

    def quality(one):
        return average_precision_score(labels, np.tensordot(one, members, 1)[:, 1])

    alone = [quality(one) for one in np.eye(4)]
    assert quality(weights) > max(alone)
    assert weights.argmax() in (1, 2)
    assert weights[3] < 0.1
    assert weights.sum() == pytest.approx(1)


def test_greedy_leaves_out_what_does_not_help():
    labels = labels_of(200, 2)
    perfect = np.eye(2)[labels]
    members = np.stack([perfect, 1 - perfect])
    assert fit_greedy(members, labels, AP).weights.tolist() == [1, 0]
    assert fit_greedy(members, labels, Task("log_loss")).weights.tolist() == [1, 0]
    assert fit_greedy(members, labels * 0, AP).weights.tolist() == [0.5, 0.5]  # no positive rows: not defined


def test_folds_share_every_class():
    labels = np.array([0] * 50 + [1] * 10 + [2] * 2)
    folds = assign_folds(labels, 5, np.random.default_rng(0))
    for label, count in ((0, 10), (1, 2)):
        assert np.bincount(folds[labels == label]).tolist() == [count] * 5
    assert np.ptp(np.bincount(folds)) <= 1


@pytest.mark.parametrize("name", METHODS)
def test_a_row_is_scored_by_a_fit_that_has_not_seen_it(name):
    labels = labels_of(100, 2)
    members = made([1, 2], labels, 2)
    seen = []

    def spy(part, part_labels, task):
        seen.append({row.tobytes() for row in part.transpose(1, 0, 2)})
        return METHODS[name](part, part_labels, task)

    found = out_of_fold(spy, members, labels, AP, 0)
    folds = assign_folds(labels, 5, np.random.default_rng(0))
    for fold, fitted in enumerate(seen):
        assert not fitted & {row.tobytes() for row in members.transpose(1, 0, 2)[folds == fold]}
        assert len(fitted) == 80
    flipped = labels.copy()
    flipped[folds == 0] = 1 - flipped[folds == 0]
    again = METHODS[name](members[:, folds != 0], flipped[folds != 0], AP)
    np.testing.assert_array_equal(combined(again, members[:, folds == 0]), found[folds == 0])


def outcome(classes, test_seed, task):
    valid_labels, test_labels = labels_of(120, classes), labels_of(150, classes, test_seed)
    valid, test = made([1, 1.5, 0.5], valid_labels, classes), made([1, 1.5, 0.5], test_labels, classes, test_seed)
    members = [Member(name, *both) for name, both in zip("abc", zip(valid, test, strict=True), strict=True)]
    ensembles = fit_ensembles(valid, valid_labels, task, 0)
    single = Predictions(test[0], 0.5 if classes == 2 else None)
    return compare(members, ensembles, valid_labels, test_labels, single, task, 0)


@pytest.mark.parametrize(("classes", "task"), [(2, AP), (2, Task("f1", 0.4)), (3, F1)])
def test_another_test_split_changes_no_choice(classes, task):
    one, other = outcome(classes, 1, task), outcome(classes, 2, task)
    assert one["chosen"] == other["chosen"]
    assert [member["valid"] for member in one["members"]] == [member["valid"] for member in other["members"]]
    for name, method in one["methods"].items():
        for key in ("threshold", "valid", "weights"):
            assert method.get(key) == other["methods"][name].get(key), (name, key)
        assert method["test"] != other["methods"][name]["test"]


@pytest.mark.parametrize(("classes", "task"), [(2, AP), (3, F1)])
def test_the_summary_holds_every_method_beside_the_best_trial(classes, task):
    found = outcome(classes, 1, task)
    assert set(found["methods"]) == set(METHODS)
    for name, method in found["methods"].items():
        assert (
            set(method["valid"]) == set(method["test"]) == set(method["test_interval"]) == set(names(Target(classes)))
        )
        against = method["against_best"]
        assert against["gain"] == pytest.approx(method["test"][task.metric] - against["score"])
        assert (method["threshold"] is None) == (classes > 2)
        assert ("weights" in method) == (name in ("mean", "greedy"))
    assert found["methods"]["vote"]["threshold"] == (0.5 if classes == 2 else None)
    best = max(method["valid"][task.metric] for method in found["methods"].values())
    assert found["methods"][found["chosen"]]["valid"][task.metric] == best


def test_a_loss_is_better_where_it_is_less():
    found = outcome(2, 1, Task("log_loss"))
    losses = {name: method["valid"]["log_loss"] for name, method in found["methods"].items()}
    assert found["chosen"] == min(losses, key=losses.get)
    gain = found["methods"]["mean"]["against_best"]
    assert gain["gain"] == pytest.approx(gain["score"] - found["methods"]["mean"]["test"]["log_loss"])


def test_of_equals_the_simplest_is_chosen():
    labels = labels_of(50, 2)
    perfect = np.stack([np.eye(2)[labels]] * 2)
    assert chosen(fit_ensembles(perfect, labels, AP, 0)) == "mean"


def test_certainty_does_not_break_stacking():
    labels = labels_of(60, 2)
    certain = np.stack([np.eye(2)[labels], np.eye(2)[1 - labels]])
    found = fit_stacking(certain, labels, AP)
    assert isinstance(found, Stacked)
    assert np.isfinite(combined(found, certain)).all()
