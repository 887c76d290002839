"""Labels of every notation become classes in a stated order; columns that hold no classes are refused."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.config.dataset import DatasetConfig
from search.datasets.labels import LEFT_OUT, encode_labels
from search.datasets.table import Table, first_rows, object_array
from search.errors import InputError


def table(labels, source="reviews.csv") -> Table:
    return Table(object_array(["text"] * len(labels)), object_array(list(labels)), first_rows(len(labels)), source)


def encode(labels, test=None, **values):
    config = DatasetConfig(name="test", **values)
    others = [] if test is None else [table(test, "test.csv")]
    classes, _, codes = encode_labels(table(labels), others, config)
    return (classes, *(one.tolist() for one in codes))


@pytest.mark.parametrize(
    ("labels", "classes", "codes"),
    [
        ([10, 9, 10, 9], ("9", "10"), [1, 0, 1, 0]),
        (["10", "9", "10", "-1", "9", "-1"], ("-1", "9", "10"), [2, 1, 2, 0, 1, 0]),
        ([1.0, 0.0, 1.0], ("0", "1"), [1, 0, 1]),
        (["1.0", "0", "1", "0.0"], ("0", "1"), [1, 0, 1, 0]),
        ([Decimal("2.00"), Decimal("1"), Decimal("2")], ("1", "2"), [1, 0, 1]),
        ([True, False, True], ("False", "True"), [1, 0, 1]),
        (["TRUE", "false", "True", "False"], ("False", "True"), [1, 0, 1, 0]),
        (["ham", "spam", "ham"], ("ham", "spam"), [0, 1, 0]),
        (["007", "7", "007", "7"], ("007", "7"), [0, 1, 0, 1]),
        (["1", "b", "1", "b"], ("1", "b"), [0, 1, 0, 1]),
        (["NA", "null", "NA"], ("NA", "null"), [0, 1, 0]),
    ],
)
def test_labels_of_every_notation(labels, classes, codes):
    assert encode(labels) == (classes, codes)


@given(st.lists(st.integers(-3, 12), min_size=1, max_size=60).map(lambda half: half + half))
def test_whole_numbers_sort_as_numbers_whatever_they_are_written_as(labels):
    if len(set(labels)) < 2:
        labels = [*labels, 20, 20]
    if 2 * len(set(labels)) > len(labels):
        labels = labels * 2
    expected = sorted(set(labels))
    for write in (int, str, float, lambda number: f"{number}.0"):
        classes, codes = encode([write(label) for label in labels])
        assert classes == tuple(map(str, expected))
        assert [expected[code] for code in codes] == labels


@pytest.mark.parametrize(
    ("labels", "positive", "classes"),
    [
        (["spam", "ham"] * 2, None, ("ham", "spam")),
        (["spam", "ham"] * 2, "ham", ("spam", "ham")),
        ([0, 1] * 2, 0, ("1", "0")),
        (["0", "1"] * 2, 0, ("1", "0")),
        ([1.0, 0.0] * 2, "0", ("1", "0")),
        ([True, False] * 2, False, ("True", "False")),
        (["yes", "no"] * 2, "no ", ("yes", "no")),
    ],
)
def test_the_positive_class_is_the_second(labels, positive, classes):
    assert encode(labels, positive=positive)[0] == classes


def test_positive_is_checked():
    with pytest.raises(InputError, match=r"dataset\.positive: .*'spma'.*did you mean 'spam'"):
        encode(["spam", "ham"] * 2, positive="spma")
    with pytest.raises(InputError, match="3"):
        encode(["a", "b", "c"] * 2, positive="a")


def test_only_the_classes_asked_for_are_kept():
    assert encode(["a", "b", "c"] * 2, classes=["c", "a"]) == (("a", "c"), [0, LEFT_OUT, 1] * 2)
    assert encode(["1", "2", "3"] * 2, classes=[1, 3.0], positive=1) == (("3", "1"), [1, LEFT_OUT, 0] * 2)
    with pytest.raises(InputError, match=r"dataset\.classes: .*'d'.*'a', 'b', 'c'"):
        encode(["a", "b", "c"] * 2, classes=["a", "d"])


RATINGS = {"negative": {"max": 4}, "positive": {"min": 7}, "neutral": {"min": 4, "max": 7}}


@pytest.mark.parametrize("write", [int, str, float, lambda number: f"{number}.0"])
def test_ranges_of_a_number_become_classes(write):
    classes, codes = encode([write(number) for number in range(1, 11)], label_ranges=RATINGS)
    assert classes == ("negative", "neutral", "positive")
    assert codes == [0, 0, 0, 0, 1, 1, 2, 2, 2, 2]


def test_ranges_may_be_called_by_numbers():
    assert encode([1, 9], label_ranges={1: {"min": 5}, 0: {"max": 4}}) == (("0", "1"), [0, 1])


def test_numbers_in_no_range_are_left_out():
    ranges = {"bad": {"max": 2}, "good": {"min": 4.5}}
    assert encode([1.5, 3, 4.5, float("inf")], label_ranges=ranges) == (("bad", "good"), [0, LEFT_OUT, 1, 1])


@pytest.mark.parametrize("label", ["awful", True, ""])
def test_ranges_need_numbers(label):
    with pytest.raises(InputError, match=r"Row 3 of reviews\.csv .*label_ranges"):
        encode([1, 9, label], label_ranges=RATINGS)


@pytest.mark.parametrize(
    ("labels", "says"),
    [
        (["a", "a"], "one class only"),
        ([1.0, "1", 1], "one class only"),
        ([0.5, 1.0, 0.5, 1.0], r"not whole, such as 0\.5 in row 1"),
        (["1", "2.25", "1", "2"], r"not whole, such as 2\.25 in row 2"),
        (list(range(10)), "10 different values in 10 rows"),
        (["a", "b", "c", "d", "d"], "4 different values in 5 rows"),
        ([float("inf"), 1.0, 1.0, float("inf")], "not whole"),
    ],
)
def test_columns_that_hold_no_classes_are_refused(labels, says):
    with pytest.raises(InputError, match=says) as error:
        encode(labels)
    assert "dataset.label" in str(error.value)


def test_a_test_file_is_read_by_the_same_classes():
    assert encode([0, 1, 0, 1], ["1.0", "0.0"]) == (("0", "1"), [0, 1, 0, 1], [1, 0])
    found = encode_labels(table(["1", "2"] * 2), [table(["1.0", "n/a"])], DatasetConfig(name="test"))
    assert (found.classes, found.unseen, found.codes[1].tolist()) == (("1", "2"), ("n/a",), [0, 2])
    assert encode(["a", "b"] * 2, ["a", "c"], classes=["a", "b"])[2] == [0, LEFT_OUT]


def test_codes_are_int64():
    codes = encode_labels(table([0, 1]), [], DatasetConfig(name="test")).codes[0]
    assert codes.dtype == np.int64
