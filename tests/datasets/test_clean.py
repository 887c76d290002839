"""Missing values, duplicates and conflicting labels: counted, and handled by the rules."""

from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.config.dataset import DatasetConfig
from search.datasets.clean import Cleaning, drop_missing, resolve_repeats
from search.datasets.table import Examples, Table, first_rows, object_array
from search.errors import InputError


def table(*rows) -> Table:
    texts, labels = zip(*rows, strict=True)
    return Table(object_array(list(texts)), object_array(list(labels)), first_rows(len(rows)), "reviews.csv")


def examples(*rows) -> Examples:
    texts, labels = zip(*rows, strict=True)
    return Examples(object_array(list(texts)), np.array(labels, dtype=np.int64), first_rows(len(rows)))


def config(**values) -> DatasetConfig:
    return DatasetConfig(name="test", **values)


def test_white_space_around_texts_and_labels_is_stripped():
    kept, counts = drop_missing(table(("  a b\n", " x "), (" c", 1)), config())
    assert (list(kept.texts), list(kept.labels)) == (["a b", "c"], ["x", 1])
    assert counts == Cleaning(read=2)


def test_rows_without_a_text_or_a_label_are_dropped_and_counted_once():
    rows = [("a", 1), (None, 1), ("", 0), (" \n", None), ("b", None), ("c", " "), ("d", float("nan")), ("e", 0)]
    kept, counts = drop_missing(table(*rows), config())
    assert list(kept.rows) == [1, 8]
    assert counts == Cleaning(read=8, missing_text=1, empty_text=2, missing_label=3)


@pytest.mark.parametrize(("row", "lacks"), [((None, 1), "text"), (("", 1), "text"), (("b", None), "label")])
def test_missing_values_are_an_error_where_asked(row, lacks):
    with pytest.raises(InputError, match=rf"Row 2 of reviews\.csv has no {lacks}.*dataset\.missing=drop"):
        drop_missing(table(("a", 1), row, ("c", 0)), config(missing="error"))
    assert len(drop_missing(table(("a", 1)), config(missing="error"))[0]) == 1


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([(None, 1), ("", 0), (" ", 1)], "All 3 texts .* are empty"),
        ([("a", None), ("b", ""), (None, 1)], "No row .* has a label"),
        ([("1", 1), ("2.5", 0), (" -3e4 ", 1)], "holds numbers, such as 1"),
    ],
)
def test_tables_with_nothing_to_learn_from_are_refused(rows, says):
    with pytest.raises(InputError, match=says):
        drop_missing(table(*rows), config())


@pytest.mark.parametrize("label", ["\ud800", "caf\udce9"])
def test_a_label_that_no_file_could_hold_is_named(label):
    with pytest.raises(InputError, match=r"Row 2 of .* has the label"):
        drop_missing(table(("a", "é"), ("b", label), ("c", label)), config())


def test_a_few_texts_may_be_numbers():
    assert len(drop_missing(table(("1", 1), ("two", 0), ("nan", 0)), config())[0]) == 3


def test_of_duplicates_the_first_is_kept():
    given_rows = examples(("a", 0), ("b", 1), ("a", 0), ("c", 1), ("a", 0))
    kept, counts = resolve_repeats(given_rows, config(), "reviews.csv")
    assert list(kept.rows) == [1, 2, 4]
    assert counts == Cleaning(duplicates=2)
    kept, counts = resolve_repeats(given_rows, config(duplicates="keep"), "reviews.csv")
    assert list(kept.rows) == [1, 2, 3, 4, 5]
    assert counts == Cleaning()
    with pytest.raises(InputError, match=r"Rows 1 and 3 of reviews\.csv .* one of 1 .*dataset\.duplicates=first"):
        resolve_repeats(given_rows, config(duplicates="error"), "reviews.csv")


def test_of_conflicting_labels_the_most_frequent_wins_and_a_tie_drops_the_text():
    given_rows = examples(("a", 0), ("a", 1), ("a", 1), ("b", 0), ("b", 1), ("c", 2), ("A", 0))
    kept, counts = resolve_repeats(given_rows, config(), "reviews.csv")
    assert list(zip(kept.texts, kept.labels, kept.rows, strict=True)) == [("a", 1, 2), ("c", 2, 6), ("A", 0, 7)]
    assert counts == Cleaning(conflicting_texts=2, conflicts=3, duplicates=1)
    kept, counts = resolve_repeats(given_rows, config(conflicts="drop"), "reviews.csv")
    assert list(kept.texts) == ["c", "A"]
    assert counts == Cleaning(conflicting_texts=2, conflicts=5)
    with pytest.raises(InputError, match=r"Rows 1 and 2 of .* one of 2 .*dataset\.conflicts=majority"):
        resolve_repeats(given_rows, config(conflicts="error"), "reviews.csv")


@given(
    rows=st.lists(st.tuples(st.sampled_from("abcde"), st.integers(0, 3)), min_size=1, max_size=40),
    duplicates=st.sampled_from(["first", "keep"]),
    conflicts=st.sampled_from(["majority", "drop", "keep"]),
)
def test_repeats_are_resolved_as_the_rules_say(rows, duplicates, conflicts):
    labels_of = defaultdict(Counter)
    for text, label in rows:
        labels_of[text][label] += 1
    winners = {}
    for text, counts in labels_of.items():
        (label, most), *others = counts.most_common()
        if not others or (conflicts == "majority" and others[0][1] < most):
            winners[text] = label
    expected, seen = [], set()
    for number, (text, label) in enumerate(rows, 1):
        stays = conflicts == "keep" or winners.get(text) == label
        if stays and (duplicates == "keep" or (text, label) not in seen):
            expected.append((text, label, number))
            seen.add((text, label))
    rule = config(duplicates=duplicates, conflicts=conflicts)
    kept, counts = resolve_repeats(examples(*rows), rule, "reviews.csv")
    assert list(zip(kept.texts, kept.labels, kept.rows, strict=True)) == expected
    assert counts.conflicting_texts == sum(len(counts) > 1 for counts in labels_of.values())
    assert len(rows) == len(kept) + counts.conflicts + counts.duplicates
