"""Ratings become classes in their order; what has no order that follows from the data is refused in one line."""

import pytest

from search.config.dataset import DatasetConfig
from search.datasets import load_splits
from search.errors import InputError


@pytest.fixture
def load(tmp_path):
    def load(labels, test=(), **values):
        config = {"path": _written(tmp_path / "train.csv", labels), "folds": None, **values}
        if test:
            config["test_path"] = _written(tmp_path / "test.csv", test)
        return load_splits(DatasetConfig(name="ratings", **config), tmp_path, seed=0)

    return load


def _written(path, labels):
    rows = [f"{path.stem} text {i},{label}" for i, label in enumerate([*labels] * 10)]
    path.write_text("\n".join(["text,label", *rows]))
    return str(path)


@pytest.mark.parametrize(
    ("labels", "ordered", "classes"),
    [
        (["10", "9", "2"], True, ("2", "9", "10")),
        (["1.50", "10", "-1", "1.5", "10.0"], True, ("-1", "1.5", "10")),
        (["good", "poor", "fair"], ["poor", "fair", "good"], ("poor", "fair", "good")),
        (["1", "2", "3"], [3, 2, 1], ("3", "2", "1")),
        (["no", "yes"], ["yes", "no"], ("yes", "no")),
    ],
)
def test_classes_follow_the_order(load, labels, ordered, classes):
    splits = load(labels, ordered=ordered)
    assert splits.classes == classes
    assert splits.target.ordered and splits.target.classes == len(classes)


def test_without_an_order_nothing_is_ordered(load):
    assert not load(["10", "9", "2"]).target.ordered


def test_classes_that_are_left_out_may_be_named_or_not(load):
    for order in (["poor", "fair", "good"], ["poor", "good"]):
        assert load(["good", "poor", "fair"], ordered=order, classes=["good", "poor"]).classes == ("poor", "good")


@pytest.mark.parametrize(
    ("labels", "values", "says"),
    [
        (["1", "2", "n/a"], {"ordered": True}, r"numbers, and there are 'n/a'.*dataset\.ordered=\["),
        (["1", "2", "inf"], {"ordered": True}, "there are 'inf'"),
        (["7", "007"], {"ordered": True}, "the same number"),
        (["a", "b", "c"], {"ordered": ["a", "b"]}, "lacks 'c'"),
        (["poor", "good"], {"ordered": ["poor", "god"]}, "dataset.ordered=god.*did you mean 'good'"),
        (["a", "b"], {"ordered": ["a", "b", "a"]}, "'a' twice"),
        (["a", "b"], {"ordered": ["a"]}, "expected true"),
        (["a", "b"], {"ordered": "a"}, "expected true"),
        (["1", "2"], {"ordered": True, "positive": 1}, "of ordered classes the last is positive, 2"),
        (["1", "2"], {"ordered": True, "rare": "merge"}, "rare=drop"),
        (["1", "2"], {"ordered": True, "test": ["1", "3"]}, r"No training row is of class '3'.*dataset\.classes"),
        (["1", "2.5"], {}, "not whole.*dataset.ordered=true"),
    ],
)
def test_what_has_no_order_is_refused(load, labels, values, says):
    with pytest.raises(InputError, match=says) as error:
        load(labels, **values)
    assert "\n" not in str(error.value)
