"""The splits: each class in its share, no text on two sides, the seed alone decides."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search.config.dataset import DatasetConfig
from search.datasets.split import split
from search.datasets.table import Examples, first_rows, object_array
from search.errors import InputError

sizes = st.floats(0.05, 0.45) | st.integers(4, 60)


def examples(counts, repeats=(1,), prefix="") -> Examples:
    """Makes `counts[label]` texts of each label, repeated in turn as `repeats` says, the classes mixed."""
    rows = []
    for label, count in enumerate(counts):
        for number in range(count):
            rows += [(f"{prefix}text {label} {number}", label)] * repeats[number % len(repeats)]
    rows.sort(key=lambda row: row[0][::-1])
    texts, labels = zip(*rows, strict=True)
    return Examples(object_array(list(texts)), np.array(labels, dtype=np.int64), first_rows(len(rows)))


def cut(pool, test=None, seed=0, classes=None, **values):
    names = classes or tuple(f"c{label}" for label in range(int(pool.labels.max()) + 1))
    parts = {"train": pool} if test is None else {"train": pool, "test": test}
    return split(parts, names, DatasetConfig(name="test", **values), seed)


def parts(splits):
    return [splits.train, splits.valid, splits.test]


def texts_of(part) -> set[str]:
    return set(part.texts)


def as_lists(splits):
    return [part.rows.tolist() for part in parts(splits)]


def wanted_count(size, texts):
    return size if isinstance(size, int) else round(size * texts)


@settings(deadline=None)
@given(
    counts=st.lists(st.integers(3, 60), min_size=2, max_size=4),
    repeats=st.lists(st.integers(1, 4), min_size=1, max_size=3),
    train_size=st.none() | sizes,
    valid_size=sizes,
    test_size=sizes,
    limit=st.none() | st.integers(12, 200),
    seed=st.integers(0, 2**32),
)
def test_splits_keep_what_they_promise(counts, repeats, train_size, valid_size, test_size, limit, seed):
    pool = examples(counts, repeats)
    given_sizes = {"train_size": train_size, "valid_size": valid_size, "test_size": test_size, "limit": limit}
    texts = min(sum(counts), limit or sum(counts))
    wanted = [None if size is None else wanted_count(size, texts) for size in (train_size, valid_size, test_size)]
    try:
        splits = cut(pool, seed=seed, **given_sizes)
    except InputError:
        # Refused are only sizes that leave a class out of a split, or too little for the splits to come.
        classes, (for_train, for_valid, for_test) = len(counts), wanted
        too_small = min(size for size in wanted if size is not None) < classes
        too_large = for_test > texts - 2 * classes or for_test + for_valid > texts - classes
        assert too_small or too_large or for_test + for_valid + (for_train or 0) > texts
        return
    train, valid, test = parts(splits)
    # No text in two splits, all rows of a text in one.
    assert not texts_of(train) & texts_of(valid) | texts_of(train) & texts_of(test) | texts_of(valid) & texts_of(test)
    rows_of_text = Counter(pool.texts)
    for part in parts(splits):
        assert Counter(part.texts) == {text: rows_of_text[text] for text in texts_of(part)}
        # The rows are those of the pool, in its order.
        assert list(part.texts) == [pool.texts[row - 1] for row in part.rows]
        assert list(part.labels) == [pool.labels[row - 1] for row in part.rows]
        assert list(part.rows) == sorted(part.rows)
    # Sizes are met to the text.
    assert [len(texts_of(valid)), len(texts_of(test))] == wanted[1:]
    if wanted[0] is None:
        assert len(texts_of(train)) == texts - wanted[1] - wanted[2]
    else:
        assert abs(len(texts_of(train)) - wanted[0]) <= isinstance(train_size, float)
    # Each class is in each split.
    assert all(count > 0 for of_class in splits.sizes().values() for count in of_class.values())
    assert len(pool) == sum(map(len, parts(splits))) + splits.cleaning.over_limit + splits.cleaning.unused
    # The same again, and the test split whatever the training side is.
    assert as_lists(cut(pool, seed=seed, **given_sizes)) == as_lists(splits)
    other = cut(pool, seed=seed, **given_sizes | {"train_size": None, "valid_size": len(counts)})
    assert other.test.rows.tolist() == test.rows.tolist()


@settings(deadline=None)
@given(
    counts=st.lists(st.integers(40, 200), min_size=2, max_size=5),
    valid_size=st.floats(0.05, 0.3),
    test_size=st.floats(0.05, 0.3),
    seed=st.integers(0, 1000),
)
def test_each_class_has_its_share_to_within_a_row(counts, valid_size, test_size, seed):
    splits = cut(examples(counts), seed=seed, valid_size=valid_size, test_size=test_size)
    for part in parts(splits):
        for label, count in enumerate(counts):
            share = len(part) * count / sum(counts)
            # valid and train are cut from what test leaves, which is off by its own rounding already
            assert abs(int((part.labels == label).sum()) - share) < (1 if part is splits.test else 2)


@settings(deadline=None)
@given(
    counts=st.lists(st.integers(6, 50), min_size=2, max_size=4),
    test_counts=st.lists(st.integers(1, 30), min_size=4, max_size=4),
    valid_size=st.floats(0.2, 0.5),
    limit=st.none() | st.integers(20, 100),  # a fifth of fewer cannot hold four classes
    seed=st.integers(0, 1000),
)
def test_a_test_file_of_its_own_stays_whole(counts, test_counts, valid_size, limit, seed):
    pool, own = examples(counts), examples(test_counts[: len(counts)], prefix="test ")
    splits = cut(pool, own, seed=seed, valid_size=valid_size, limit=limit)
    assert len(splits.test) == min(len(own), limit or len(own))
    assert len(splits.train) + len(splits.valid) == min(len(pool), limit or len(pool))
    assert texts_of(splits.test) <= texts_of(own)
    assert splits.cleaning.over_limit == len(pool) + len(own) - sum(map(len, parts(splits)))
    assert splits.cleaning.unused == 0
    if limit is None:
        assert splits.test.rows.tolist() == own.rows.tolist()


def test_another_seed_is_another_split():
    pool = examples([100, 100])
    assert len({tuple(cut(pool, seed=seed).test.rows) for seed in range(20)}) == 20


def test_the_global_random_state_plays_no_part():
    pool = examples([100, 100])
    np.random.seed(1)
    one = as_lists(cut(pool))
    np.random.seed(2)
    assert as_lists(cut(pool)) == one


def test_a_rare_class_is_in_every_split():
    splits = cut(examples([1000, 3]), valid_size=0.1, test_size=0.1)
    assert splits.sizes() == {
        "train": {"c0": 802, "c1": 1},
        "valid": {"c0": 99, "c1": 1},
        "test": {"c0": 99, "c1": 1},
    }


def test_fractions_may_add_up_to_one():
    for count in range(20, 60):
        splits = cut(examples([count, count]), train_size=0.8, valid_size=0.1, test_size=0.1)
        assert splits.cleaning.unused <= 1


def test_a_small_training_split_leaves_the_rest_unused():
    splits = cut(examples([500, 500]), train_size=0.01, valid_size=0.1, test_size=100)
    assert [len(part) for part in parts(splits)] == [10, 100, 100]
    assert splits.cleaning.unused == 790


@pytest.mark.parametrize(
    ("counts", "values", "says"),
    [
        ([50, 50, 4], {"test_size": 2}, r"test_size=2 .* 2 of 104 texts.* 3 classes.*'c2' with 4"),
        ([50, 50], {"valid_size": 0.01}, r"valid_size=0\.01 .* 1 of 100 texts.* 2 classes"),
        ([50, 50], {"train_size": 1}, r"train_size=1 .* 2 classes"),
        ([50, 50], {"test_size": 100}, r"test_size=100 asks for 100 texts, but of 100 only 96"),
        ([50, 50], {"test_size": 0.6, "valid_size": 0.5}, r"valid_size=0\.5 asks for 50"),
        ([50, 50], {"train_size": 0.9, "test_size": 20}, r"train_size=0\.9 asks for 90"),
        ([50, 50], {"limit": 5}, r"limit=5 .* 2 classes.* expected 6"),
    ],
)
def test_sizes_that_do_not_fit_are_one_line(counts, values, says):
    with pytest.raises(InputError, match=says) as error:
        cut(examples(counts), **values)
    assert "\n" not in str(error.value)


def test_a_test_file_may_lack_a_class():
    splits = cut(examples([50, 50]), examples([5], prefix="test "), classes=("c0", "c1"))
    assert splits.sizes()["test"] == {"c0": 5, "c1": 0}


def test_train_and_valid_are_put_together_for_the_refit():
    splits = cut(examples([20, 20]))
    both = splits.train + splits.valid
    assert len(both) == len(splits.train) + len(splits.valid)
    assert both.rows.tolist() == [*splits.train.rows, *splits.valid.rows]
    assert both.labels.dtype == both.rows.dtype == np.int64


def test_all_labelled_rows_are_those_of_the_refit_and_of_test():
    splits = cut(examples([20, 20]))
    assert sorted(splits.labelled.rows) == sorted(row for part in parts(splits) for row in part.rows)
    less = cut(examples([20, 20]), train_fraction=0.5)
    assert less.labelled.rows.tolist() == [*less.train.rows, *less.test.rows]
