"""The paired test between runs."""

from dataclasses import replace

import numpy as np
import pytest

from search.evaluation.paired import Predictions, paired_gains
from search.reporting.comparison.pairs import paired_columns, pairs


def test_each_run_is_compared_with_the_best_on_its_test_rows(runs):
    found = pairs(runs, "average_precision")
    assert [pair.best for pair in found] == [2, 2, 2, 3]
    assert found[2].behind is None and found[3].behind is None
    best, weak = runs[2], runs[0]
    expected = paired_gains(
        best.labels,
        Predictions(best.probabilities, best.threshold),
        {"weak": Predictions(weak.probabilities, weak.threshold)},
        "average_precision",
        seed=0,
    )["weak"]
    difference = best.summary["test"]["average_precision"] - weak.summary["test"]["average_precision"]
    assert found[0].behind.gain == pytest.approx(difference, abs=1e-12) == pytest.approx(expected.gain, abs=1e-12)
    # Rows are drawn in another order: the interval is the same but for that.
    np.testing.assert_allclose(found[0].behind.interval, expected.interval, atol=0.05)
    assert found[0].behind.not_better < 0.05


def shuffled(run):
    order = np.random.default_rng(1).permutation(len(run.labels))
    predictions = run.predictions.iloc[order].reset_index(drop=True)
    return replace(run, predictions=predictions, labels=run.labels[order], probabilities=run.probabilities[order])


def test_the_order_of_the_rows_does_not_matter(runs):
    plain = pairs([runs[0], runs[2]], "f1")
    mixed = pairs([runs[0], shuffled(runs[2])], "f1")
    assert plain[0].behind == mixed[0].behind
    assert mixed[0].behind.gain > 0


@pytest.mark.parametrize("change", ["text", "label", "fewer"])
def test_other_texts_labels_or_fewer_rows_are_other_test_rows(runs, change):
    run = runs[1]
    predictions, labels = run.predictions.copy(), run.labels.copy()
    if change == "text":
        predictions.loc[3, "text"] += "!"
    elif change == "label":
        labels[3] = 1 - labels[3]
    keep = slice(None, -1 if change == "fewer" else None)
    other = replace(run, predictions=predictions.iloc[keep], labels=labels[keep], probabilities=run.probabilities[keep])
    assert [pair.behind for pair in pairs([run, other], "f1")] == [None, None]


def test_a_metric_where_less_is_better(runs):
    found = pairs(runs, "log_loss")
    losses = [run.summary["test"]["log_loss"] for run in runs[:3]]
    best = int(np.argmin(losses))
    assert [pair.best for pair in found[:3]] == [best] * 3
    assert all(pair.behind.gain > 0 for i, pair in enumerate(found[:3]) if i != best)


def test_the_columns_say_against_which_run(runs):
    table = paired_columns(runs, pairs(runs, "f1"))
    assert table["paired.against"].tolist()[:2] == [str(runs[2].folder.path)] * 2
    assert table["paired.behind"].isna().tolist() == [False, False, True, True]
