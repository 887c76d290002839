"""Learning on less: the parts of a training split lie within each other, and valid and test stay as they are."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_split import cut, examples

from search.errors import InputError

fractions = st.floats(0.001, 1, exclude_min=True)


def rows(part) -> list[int]:
    return part.rows.tolist()


@settings(deadline=None)
@given(
    counts=st.lists(st.integers(3, 80), min_size=2, max_size=4),
    repeats=st.lists(st.integers(1, 3), min_size=1, max_size=3),
    two=st.tuples(fractions, fractions).map(sorted),
    limit=st.none() | st.integers(12, 100),
    own_test=st.booleans(),
    stratify=st.booleans(),
    seed=st.integers(0, 2**32),
)
def test_a_part_changes_train_alone_and_lies_within_every_larger_one(
    counts, repeats, two, limit, own_test, stratify, seed
):
    pool = examples(counts, repeats)
    test = examples([4] * len(counts), prefix="test ") if own_test else None
    given_values = {"seed": seed, "valid_size": len(counts), "test_size": len(counts)}
    given_values |= {"limit": limit, "stratify": stratify}
    try:
        whole = cut(pool, test, **given_values)
        smaller, larger = (cut(pool, test, **given_values, train_fraction=fraction) for fraction in two)
    except InputError:
        texts = min(sum(counts), limit or sum(counts)) - len(counts) * (1 if own_test else 2)
        assert not stratify or round(two[0] * texts) < len(counts)
        return
    for part in (smaller, larger):
        assert rows(part.valid) == rows(whole.valid)
        assert rows(part.test) == rows(whole.test)
        assert part.cleaning.unused == len(whole.train) - len(part.train)
        assert all(count > 0 for count in part.sizes()["train"].values())
    assert set(rows(smaller.train)) <= set(rows(larger.train)) <= set(rows(whole.train))
    texts = len(set(whole.train.texts))
    assert [len(set(part.train.texts)) for part in (smaller, larger)] == [round(one * texts) for one in two]


@settings(deadline=None)
@given(
    counts=st.lists(st.integers(40, 200), min_size=2, max_size=4), fraction=st.floats(0.2, 1), seed=st.integers(0, 99)
)
def test_each_class_has_its_share_of_a_part(counts, fraction, seed):
    whole, part = (cut(examples(counts), seed=seed, train_fraction=one) for one in (1.0, fraction))
    for label in range(len(counts)):
        share = (whole.train.labels == label).sum() * len(part.train) / len(whole.train)
        assert abs((part.train.labels == label).sum() - share) <= 1.5


def test_a_rare_class_is_in_the_smallest_part():
    part = cut(examples([1000, 3]), valid_size=0.1, test_size=0.1, train_fraction=0.0025)
    assert part.sizes()["train"] == {"c0": 1, "c1": 1}


def test_the_parts_of_train_size_lie_within_each_other_too():
    pool = examples([30, 300, 70])
    sizes = [set(rows(cut(pool, train_size=size).train)) for size in range(3, 320)]
    assert all(smaller < larger for smaller, larger in pairwise(sizes))


def test_what_was_learned_from_less_is_not_refitted_on_valid():
    pool = examples([100, 100])
    whole, part = cut(pool), cut(pool, train_fraction=0.1)
    assert rows(whole.refit) == [*rows(whole.train), *rows(whole.valid)]
    assert rows(part.refit) == rows(part.train)
    assert part.refit_on == ("train",)
    assert len(part.train) < len(part.valid)


def test_another_seed_is_another_part():
    pool = examples([200, 200])
    own = examples([5, 5], prefix="test ")
    assert len({tuple(cut(pool, own, seed=seed, train_fraction=0.1).train.rows) for seed in range(10)}) == 10


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"train_fraction": 0.005}, r"train_fraction=0\.005 .* 1 of 160 texts.* 2 classes"),
        ({"train_size": 1}, r"train_size=1 .* 2 classes"),
    ],
)
def test_a_part_too_small_for_each_class_is_one_line(values, says):
    with pytest.raises(InputError, match=says) as error:
        cut(examples([100, 100]), **values)
    assert "\n" not in str(error.value)


def test_a_plain_shuffle_is_not_stratified():
    pool = examples([300, 100])
    plain = [cut(pool, seed=seed, stratify=False) for seed in range(20)]
    assert {len(part.test) for part in plain} == {40}
    assert len({int((part.test.labels == 0).sum()) for part in plain}) > 1
    assert np.mean([(part.test.labels == 0).mean() for part in plain]) == pytest.approx(0.75, abs=0.05)


def test_a_plain_shuffle_that_leaves_a_class_out_says_so():
    with pytest.raises(InputError, match=r"stratify=false\) put no text of class 'c1' into .*another seed"):
        for seed in range(20):
            cut(examples([300, 3]), seed=seed, stratify=False)
