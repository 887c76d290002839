"""Every text is held out once, in a fold that has its share of each class."""

from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reviews import write_reviews

from search.config.dataset import DatasetConfig
from search.datasets import Examples, load_splits
from search.datasets import folds as folds_module
from search.datasets.folds import assign_folds, cross_folds, number_folds, number_of_folds
from search.datasets.split import split
from search.errors import InputError


def make_examples(labels, texts=None):
    rows = len(labels)
    return Examples(
        np.array(texts or [f"text {i}" for i in range(rows)], object),
        np.array(labels, np.int64),
        np.arange(1, rows + 1),
    )


def numbered(examples, folds, stratify=True, seed=0):
    classes = tuple(f"class {i}" for i in range(1 + int(examples.labels.max())))
    return number_folds(examples, folds, classes, stratify, np.random.default_rng(seed))


@given(
    counts=st.lists(st.integers(5, 60), min_size=2, max_size=4), folds=st.integers(2, 5), seed=st.integers(0, 2**32 - 1)
)
def test_each_fold_has_its_share_of_each_class_to_within_a_row(counts, folds, seed):
    labels = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))
    fold = numbered(make_examples(labels), folds, seed=seed)
    for label, count in enumerate(counts):
        held = np.bincount(fold[labels == label], minlength=folds)
        assert held.sum() == count and held.max() - held.min() <= 1
    sizes = np.bincount(fold)
    assert sizes.max() - sizes.min() <= 1


@given(texts=st.lists(st.integers(0, 30), min_size=60, max_size=100), seed=st.integers(0, 100))
@settings(max_examples=30)
def test_rows_of_one_text_stay_in_one_fold(texts, seed):
    labels = np.random.default_rng(seed).integers(0, 2, len(texts))
    try:
        fold = numbered(make_examples(labels, [str(text) for text in texts]), 3, seed=seed)
    except InputError:
        return  # too few texts of a class
    for text in set(texts):
        assert len(set(fold[np.array(texts) == text])) == 1


def test_folds_hold_every_row_once_and_learn_from_all_others():
    train = make_examples([0, 1] * 25)
    folds = cross_folds(train, numbered(train, 4))
    assert sorted(np.concatenate([fold.valid.rows for fold in folds])) == train.rows.tolist()
    for fold in folds:
        assert sorted([*fold.train.rows, *fold.valid.rows]) == train.rows.tolist()
        assert train.texts[fold.at].tolist() == fold.valid.texts.tolist()
        for part in (fold.train, fold.valid):
            assert part.whole is train and train.rows[part.at].tolist() == part.rows.tolist()


def test_the_same_seed_deals_the_same_folds_and_another_others():
    labels = np.arange(40) % 2
    first, again, other = (assign_folds(labels, 5, np.random.default_rng(seed)).tolist() for seed in (0, 0, 1))
    assert first == again != other


def test_a_class_with_fewer_texts_than_folds_is_named():
    with pytest.raises(InputError, match=r"dataset\.folds=5.*'class 1'.*3 of the 23"):
        numbered(make_examples([0] * 20 + [1] * 3), 5)


def test_a_plain_shuffle_that_leaves_a_class_out_says_so():
    with pytest.raises(InputError, match=r"dataset\.stratify=true"):
        numbered(make_examples([0] * 30 + [1] * 3), 3, stratify=False, seed=4)


def reviews(tmp_path, **settings):
    path = tmp_path / "reviews.csv"
    if not path.exists():
        write_reviews(path, 200)
    return DatasetConfig(name="made", path=str(path), text="review", label="stars", **settings)


def test_without_folds_there_is_one_round_of_train_and_valid(tmp_path):
    splits = load_splits(reviews(tmp_path), Path("unused"), 0)
    (only,) = splits.folds
    assert only.train is splits.train and only.valid is splits.valid
    assert only.at.tolist() == list(range(len(splits.valid)))
    assert list(splits.sizes()) == ["train", "valid", "test"]


def test_cross_validation_leaves_the_test_split_as_it_is_and_refits_on_all_the_rest(tmp_path):
    plain = load_splits(reviews(tmp_path), Path("unused"), 0)
    crossed = load_splits(reviews(tmp_path, folds=5), Path("unused"), 0)
    assert crossed.test.rows.tolist() == plain.test.rows.tolist()
    assert sorted(crossed.train.rows) == sorted([*plain.train.rows, *plain.valid.rows])
    assert crossed.valid is crossed.train is crossed.refit
    assert list(crossed.sizes()) == ["train", "test"]
    assert len(crossed.folds) == 5


def test_no_text_of_test_is_in_a_fold_also_where_files_share_texts(tmp_path):
    write_reviews(tmp_path / "test.csv", 60, seed=1)
    both = pd.concat([pd.read_csv(tmp_path / "test.csv").head(20), pd.read_csv(reviews(tmp_path).path)])
    both.to_csv(tmp_path / "reviews.csv", index=False)
    config = reviews(tmp_path, folds=3, test_path=str(tmp_path / "test.csv"))
    splits = load_splits(config, Path("unused"), 0)
    for fold in splits.folds:
        assert not set(splits.test.texts) & {*fold.train.texts, *fold.valid.texts}
        assert not set(fold.train.texts) & set(fold.valid.texts)
    config.shared = "keep"
    kept = load_splits(config, Path("unused"), 0).cleaning
    assert kept.shared_test > 0 and kept.shared_valid == 0


def test_data_that_come_with_a_validation_split_are_refused(tmp_path):
    write_reviews(tmp_path / "valid.csv", 60, seed=1)
    with pytest.raises(InputError, match=r"dataset\.folds=5"):
        load_splits(reviews(tmp_path, folds=5, valid_path=str(tmp_path / "valid.csv")), Path("unused"), 0)


@pytest.mark.parametrize("folds", [1, 0, -3])
def test_a_number_of_folds_that_holds_nothing_out_is_refused(tmp_path, folds):
    with pytest.raises(InputError, match=r"dataset\.folds.*2 or more"):
        load_splits(reviews(tmp_path, folds=folds), Path("unused"), 0)


def automatic(counts, **given):
    labels = np.repeat(np.arange(len(counts)), counts)
    return number_of_folds({"train": make_examples(labels)}, len(counts), DatasetConfig(name="made", **given))


@pytest.fixture
def few(monkeypatch):
    monkeypatch.setattr(folds_module, "FEW", 90)
    monkeypatch.setattr(folds_module, "FEW_OF_A_CLASS", 20)


@pytest.mark.parametrize(
    ("counts", "given", "expected"),
    [
        ([49, 50], {}, 5),
        ([50, 50], {}, None),  # 90 are left by the test split
        ([49, 50], {"test_size": 9}, None),
        ([80, 6], {}, 4),
        ([80, 4], {}, None),
        ([49, 50], {"folds": None}, None),
        ([500, 500], {"folds": 3}, 3),
        ([49, 50], {"valid_size": 0.1}, None),
        ([49, 50], {"train_size": 20}, None),
        ([49, 50], {"train_fraction": 0.5}, None),
        ([49, 50], {"stratify": False}, None),
        ([500, 500], {"limit": 50}, None),
        ([130, 22], {}, 5),  # 19 are left of the second class
        ([130, 23], {}, None),
        ([180, 22], {}, None),
        ([49, 50], {"limit": 50}, 5),
    ],
)
def test_few_rows_are_cross_validated_unless_something_else_is_asked_for(few, counts, given, expected):
    assert automatic(counts, **given) == expected


def test_a_validation_split_that_came_with_the_data_stays(few):
    made = make_examples([0, 1] * 20)
    assert number_of_folds({"train": made, "valid": made}, 2, DatasetConfig(name="made")) is None


@given(counts=st.lists(st.integers(1, 30), min_size=2, max_size=4), limit=st.integers(20, 60) | st.none())
@settings(max_examples=50)
def test_what_could_be_split_can_be_cross_validated(counts, limit):
    labels = np.repeat(np.arange(len(counts)), counts)
    classes = tuple(map(str, range(len(counts))))
    config = DatasetConfig(name="made", limit=limit)
    examples = {"train": make_examples(labels)}
    try:
        split(examples, classes, config, 0)  # FEW is 0 in tests: one validation split
    except InputError:
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(folds_module, "FEW", 2000)
        found = split(examples, classes, config, 0)
    assert (found.fold is None) == (not found.few)
    assert min(Counter(found.train.labels.tolist()).values()) >= (found.few and len(found.folds))


def test_the_test_split_is_the_same_with_folds_and_without(few):
    labels = np.arange(80) % 2
    config = DatasetConfig(name="made")
    crossed = split({"train": make_examples(labels)}, ("a", "b"), config, 0)
    config.folds = None
    plain = split({"train": make_examples(labels)}, ("a", "b"), config, 0)
    assert len(crossed.folds) == 5 and len(plain.folds) == 1
    assert crossed.test.rows.tolist() == plain.test.rows.tolist()
