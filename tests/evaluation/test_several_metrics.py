"""The metrics of several labels per text are scikit-learn's; thresholds are each label's own, from the rows given."""

import numpy as np
import pytest
from sklearn import metrics as sk

from search.evaluation import Target, names, score
from search.evaluation.bootstrap import intervals
from search.evaluation.paired import Predictions
from search.evaluation.per_class import per_class
from search.evaluation.several import SeveralScorer
from search.evaluation.threshold import best_threshold, chosen_threshold
from search.evaluation.verdict import judge


def made(rows=300, labels=4, seed=0):
    """Labels of different frequencies, and probabilities that tell them somewhat; many are tied."""
    random = np.random.default_rng(seed)
    there = (random.random((rows, labels)) < np.linspace(0.1, 0.6, labels)).astype(np.int8)
    return there, np.clip(there * 0.3 + random.random((rows, labels)), 0.02, 0.98).round(2)


CUTS = (0.5, 0.61, 0.7, 0.4)


def test_every_metric_is_that_of_scikit_learn():
    labels, probabilities = made()
    decided = (probabilities >= CUTS).astype(int)
    assert score(labels, probabilities, CUTS) == pytest.approx(
        {
            "micro_f1": sk.f1_score(labels, decided, average="micro"),
            "macro_f1": sk.f1_score(labels, decided, average="macro"),
            "subset_accuracy": sk.accuracy_score(labels, decided),
            "hamming_loss": sk.hamming_loss(labels, decided),
            "log_loss": np.mean(
                [sk.log_loss(one, other) for one, other in zip(labels.T, probabilities.T, strict=True)]
            ),
            "roc_auc": sk.roc_auc_score(labels, probabilities, average="macro"),
            "average_precision": sk.average_precision_score(labels, probabilities, average="macro"),
        }
    )
    assert tuple(score(labels, probabilities, CUTS)) == names(Target(4, several=True))


def test_weights_count_rows_as_often():
    labels, probabilities = made(60)
    weights = np.random.default_rng(1).integers(0, 4, 60)
    repeated = np.repeat(np.arange(60), weights)
    found = SeveralScorer(labels, probabilities, CUTS)(weights[None].astype(float))
    assert {name: one[0] for name, one in found.items()} == pytest.approx(
        score(labels[repeated], probabilities[repeated], CUTS)
    )


def test_a_label_that_no_row_has_is_left_out_of_means():
    labels, probabilities = made()
    labels[:, 0] = 0
    found, others = score(labels, probabilities, CUTS), score(labels[:, 1:], probabilities[:, 1:], CUTS[1:])
    for name in ("macro_f1", "roc_auc", "average_precision"):
        assert found[name] == pytest.approx(others[name])
    assert found["subset_accuracy"] < others["subset_accuracy"]


def test_intervals_hold_the_scores():
    labels, probabilities = made()
    scores = score(labels, probabilities, CUTS)
    for name, (low, high) in intervals(labels, probabilities, CUTS, resamples=200, seed=0).items():
        assert low < scores[name] < high


def test_each_label_has_the_threshold_of_its_own_best_f1():
    labels, probabilities = made()
    found = chosen_threshold(labels, probabilities)
    for own, ours, threshold in zip(labels.T, probabilities.T, found, strict=True):
        assert threshold == best_threshold(own, np.column_stack([1 - ours, ours]))
        best = max(sk.f1_score(own, ours >= cut) for cut in np.unique(ours))
        assert sk.f1_score(own, ours >= threshold) == pytest.approx(best)
    assert len(set(found)) > 1
    assert chosen_threshold(labels.argmax(axis=1), probabilities / probabilities.sum(axis=1)[:, None]) is None


def test_a_label_whose_rows_are_not_told_apart_is_predicted_only_where_it_is_most_probable():
    labels, probabilities = made(500, 2)
    labels[:, 0] = 0
    labels[np.argsort(probabilities[:, 0])[250], 0] = 1
    first, second = chosen_threshold(labels, probabilities)
    assert first == probabilities[:, 0].max() and second < probabilities[:, 1].max()


def test_each_label_has_precision_recall_and_average_precision():
    labels, probabilities = made()
    decided = (probabilities >= CUTS).astype(np.int8)
    precision, recall, f1, support = sk.precision_recall_fscore_support(labels, decided)
    found = per_class("abcd", labels, probabilities, decided)
    assert [one["name"] for one in found] == [*"abcd"]
    assert [one["rows"] for one in found] == support.tolist()
    for name, expected in (("precision", precision), ("recall", recall), ("f1", f1)):
        assert [one[name] for one in found] == pytest.approx(expected)
    expected = sk.average_precision_score(labels, probabilities, average=None)
    assert [one["average_precision"] for one in found] == pytest.approx(expected)


@pytest.mark.parametrize("metric", ["average_precision", "micro_f1", "hamming_loss"])
def test_a_verdict_compares_with_baselines(metric):
    labels, probabilities = made()
    noise = Predictions(np.random.default_rng(9).random(probabilities.shape), CUTS)
    better = judge(labels, Predictions(probabilities, CUTS), {"noise": noise}, metric, seed=0)
    worse = judge(labels, noise, {"ours": Predictions(probabilities, CUTS)}, metric, seed=0)
    assert (better.outcome, worse.outcome) == ("better", "worse")


@pytest.mark.parametrize("wrong", [np.full((300, 4), np.nan), made(labels=3)[1], made(200)[1]])
def test_arrays_that_do_not_fit_are_refused(wrong):
    with pytest.raises(ValueError, match="Expected"):
        score(made()[0], wrong, CUTS)
