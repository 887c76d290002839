"""Splits that come with the data: by files, by a column, by a recipe."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import train_test_split
from sklearn.utils import shuffle
from test_load_splits import REAL, composed, load, needs_real_data, some_rows, write_csv

from search.config.dataset import DatasetConfig
from search.datasets import Cleaning, load_splits
from search.datasets.published import by_recipe
from search.datasets.table import Examples, first_rows, object_array
from search.errors import InputError
from search.evaluation.baseline_models import NAIVE_BAYES
from search.evaluation.baselines import run_baselines

AS_PUBLISHED = {"duplicates": "keep", "conflicts": "keep", "shared": "keep"}
LEAKY = [("a", 0), ("b", 1), ("c", 0), ("d", 1), ("a", 0), ("e", 1), ("f", 0), ("b", 1), ("a", 1), ("g", 0), ("e", 0)]
IN = ["train"] * 5 + ["valid"] * 2 + ["test"] * 4


def rows(splits):
    return [part.rows.tolist() for part in (splits.train, splits.valid, splits.test)]


def with_column(path: Path, splits, data=LEAKY) -> Path:
    return write_csv(path, [(*row, split) for row, split in zip(data, splits, strict=True)], ("text", "label", "split"))


def test_a_column_says_where_each_row_is(tmp_path):
    path = with_column(tmp_path / "a.csv", IN)
    splits = load(path, split_column="split", **AS_PUBLISHED)
    assert rows(splits) == [[1, 2, 3, 4, 5], [6, 7], [8, 9, 10, 11]]
    assert splits.test.labels.tolist() == [1, 1, 0, 0]
    assert splits.cleaning == Cleaning(read=11, shared_test=3)


def test_every_format_can_have_the_column(tmp_path):
    expected = rows(load(with_column(tmp_path / "a.csv", IN), split_column="split", **AS_PUBLISHED))
    texts, labels = zip(*LEAKY, strict=True)
    table = pa.table({"split": IN, "text": texts, "label": labels})
    pyarrow.parquet.write_table(table, tmp_path / "a.parquet")
    coded = table.set_column(0, "split", table["split"].dictionary_encode())
    pyarrow.parquet.write_table(coded, tmp_path / "coded.parquet")
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(record) + "\n" for record in table.to_pylist()))
    for name in ("a.parquet", "coded.parquet", "a.jsonl"):
        assert rows(load(tmp_path / name, split_column="split", **AS_PUBLISHED)) == expected


def test_names_of_splits_may_be_spelled_as_usual(tmp_path):
    spelled = ["Training", "train", " TRAIN", "train", "train", "dev", "validation", "test", "Testing", "test", "test"]
    splits = load(with_column(tmp_path / "a.csv", spelled), split_column="split", **AS_PUBLISHED)
    assert [len(part) for part in rows(splits)] == [5, 2, 4]


def test_a_column_without_test_leaves_it_to_be_cut_from_train(tmp_path):
    data = some_rows(60)
    splits = load(with_column(tmp_path / "a.csv", ["train"] * 50 + ["valid"] * 10, data), split_column="split")
    assert [len(part) for part in rows(splits)] == [45, 10, 5]
    assert rows(splits)[1] == [*range(51, 61)]


@pytest.mark.parametrize(
    ("splits", "values", "says"),
    [
        (["train", "tset", *IN[2:]], {}, r"Row 2 of .*split_column=split\) names the split 'tset', .* 1 such rows"),
        (["", "", *IN[2:]], {}, r"Row 1 .* names no split, the first of 2 such rows"),
        (["test", *["valid"] * 10], {}, "No row .* is in train"),
        (IN, {"split_column": "spilt"}, r"no column 'spilt' \(dataset\.split_column\).*did you mean 'split'"),
        (IN, {"split_column": "label"}, "is also the column of texts or labels"),
        (IN, {"valid_path": "x.csv"}, r"split_column and dataset\.valid_path are both set"),
        (IN, {"recipe": [{"shuffle": 1}]}, r"split_column and dataset\.recipe are both set"),
        (IN, {"shared": "error"}, r"Row 1 of .* \(train\) has a text that is in test too, the first of 2"),
    ],
)
def test_a_column_that_cannot_be_used_is_one_line(tmp_path, splits, values, says):
    path = with_column(tmp_path / "a.csv", splits)
    with pytest.raises(InputError, match=says) as error:
        load(path, **{"split_column": "split", **values})
    assert "\n" not in str(error.value)


def test_a_folder_has_no_column(tmp_path):
    for label in ("neg", "pos"):
        (tmp_path / "reviews" / label).mkdir(parents=True)
        (tmp_path / "reviews" / label / "1.txt").write_text(label)
    with pytest.raises(InputError, match="is a folder, it has no columns"):
        load(tmp_path / "reviews", split_column="split")


def three_files(tmp_path):
    paths = {}
    for name in ("train", "valid", "test"):
        part = [row for row, split in zip(LEAKY, IN, strict=True) if split == name]
        paths[name] = str(write_csv(tmp_path / f"{name}.csv", part))
    return paths


def test_files_of_their_own_are_the_splits(tmp_path):
    paths = three_files(tmp_path)
    splits = load(Path(paths["train"]), valid_path=paths["valid"], test_path=paths["test"], **AS_PUBLISHED)
    assert [list(part.texts) for part in (splits.train, splits.valid, splits.test)] == [
        ["a", "b", "c", "d", "a"],
        ["e", "f"],
        ["b", "a", "g", "e"],
    ]
    assert splits.cleaning == Cleaning(read=11, shared_test=3)


def test_unless_asked_for_no_text_stands_in_two_splits(tmp_path):
    train = write_csv(tmp_path / "train.csv", some_rows(30))
    valid = write_csv(tmp_path / "valid.csv", some_rows(34)[20:])
    test = write_csv(tmp_path / "test.csv", some_rows(40)[30:] + some_rows(10))
    splits = load(train, valid_path=str(valid), test_path=str(test))
    assert rows(splits) == [[*range(11, 21)], [*range(1, 11)], [*range(1, 21)]]
    assert splits.cleaning == Cleaning(read=64, also_in_test=14, also_in_valid=10)
    texts = [set(part.texts) for part in (splits.train, splits.valid, splits.test)]
    assert len(set.union(*texts)) == sum(map(len, texts))


def test_a_valid_file_alone_leaves_test_to_be_cut(tmp_path):
    train = write_csv(tmp_path / "train.csv", some_rows(50))
    valid = write_csv(tmp_path / "valid.csv", [("x", "bad"), ("y", "good")])
    splits = load(train, valid_path=str(valid))
    assert [len(part) for part in rows(splits)] == [45, 2, 5]
    with pytest.raises(InputError, match=r"dataset\.valid_path=.*vlaid\.csv does not exist"):
        load(train, valid_path=str(tmp_path / "vlaid.csv"))


def test_rows_of_classes_that_train_lacks_leave_valid_and_are_errors_in_test(tmp_path):
    train = write_csv(tmp_path / "train.csv", some_rows(50))
    valid = write_csv(tmp_path / "valid.csv", [("x", "bad"), ("y", "good"), ("z", "odd")])
    test = write_csv(tmp_path / "test.csv", [("u", "bad"), ("v", "odd"), ("w", "new")])
    splits = load(train, valid_path=str(valid), test_path=str(test))
    assert splits.classes == ("bad", "good") and splits.unseen == ("new", "odd")
    assert [splits.names[label] for label in splits.test.labels] == ["bad", "odd", "new"]
    assert (splits.cleaning.unseen_valid, splits.cleaning.unseen_test, len(splits.valid)) == (1, 2, 2)
    assert set(splits.labelled.labels) == {0, 1}


def test_a_test_file_without_a_class_of_train_is_one_line(tmp_path):
    train = write_csv(tmp_path / "train.csv", some_rows(50))
    test = write_csv(tmp_path / "test.csv", [("x", "-1"), ("y", "1")])
    with pytest.raises(InputError, match=r"No row of .*test\.csv is of a class of the training rows"):
        load(train, test_path=str(test))


def test_a_valid_file_of_one_class_is_one_line(tmp_path):
    train = write_csv(tmp_path / "train.csv", some_rows(50))
    valid = write_csv(tmp_path / "valid.csv", [("x", "bad"), ("y", "odd")])
    with pytest.raises(InputError, match="must hold two of the classes"):
        load(train, valid_path=str(valid))


def examples(count, seed=0) -> Examples:
    labels = np.random.default_rng(seed).integers(0, 3, count)
    return Examples(object_array([f"text {number}" for number in range(count)]), labels, first_rows(count))


def recipe(*steps) -> DatasetConfig:
    return DatasetConfig(name="test", recipe=list(steps))


@settings(deadline=None, max_examples=30)
@given(count=st.integers(40, 200), seed=st.integers(0, 2**32 - 1), size=st.floats(0.1, 0.4), stratify=st.booleans())
def test_a_recipe_is_what_pandas_and_scikit_learn_do(count, seed, size, stratify):
    given_rows = examples(count)
    frame = pd.DataFrame({"row": given_rows.rows, "label": given_rows.labels}).sample(frac=1, random_state=seed)
    rest, test = train_test_split(
        frame, test_size=size, random_state=seed, stratify=frame["label"] if stratify else None
    )
    train, valid = train_test_split(rest, test_size=20, random_state=7)
    parts = by_recipe(
        given_rows,
        recipe(
            {"shuffle": seed},
            {"take": "test", "test_size": size, "random_state": seed, "stratify": stratify},
            {"take": "valid", "test_size": 20, "random_state": 7},
        ),
    )
    for name, frame in (("train", train), ("valid", valid), ("test", test)):
        assert parts[name].rows.tolist() == sorted(frame["row"])


def test_a_recipe_may_take_small_samples_and_leave_the_rest():
    # As the well-known course on the Quora questions does, at 1 % and 0.1 %.
    frame = pd.DataFrame({"row": first_rows(3000), "label": examples(3000).labels})
    train, rest = train_test_split(frame, train_size=0.1, random_state=42, stratify=frame["label"])
    test, _ = train_test_split(rest, train_size=0.01, random_state=42, stratify=rest["label"])
    step = {"random_state": 42, "stratify": True}
    parts = by_recipe(
        examples(3000),
        recipe({"take": "train", "train_size": 0.1, **step}, {"take": "test", "train_size": 0.01} | step),
    )
    assert parts["train"].rows.tolist() == sorted(train["row"])
    assert parts["test"].rows.tolist() == sorted(test["row"])
    assert set(parts) == {"train", "test"}


def test_a_shuffle_is_that_of_scikit_learn_too():
    rest, _ = train_test_split(shuffle(first_rows(50), random_state=3), test_size=10, random_state=0)
    parts = by_recipe(examples(50), recipe({"shuffle": 3}, {"take": "test", "test_size": 10, "random_state": 0}))
    assert parts["train"].rows.tolist() == sorted(rest)


def test_a_recipe_is_made_on_the_rows_that_cleaning_leaves_and_every_row_is_accounted_for(tmp_path):
    path = write_csv(tmp_path / "a.csv", [*some_rows(60), *some_rows(30)])
    steps = [{"take": "test", "test_size": 0.5, "random_state": 1}]
    splits = load(path, recipe=steps)
    assert splits.cleaning == Cleaning(read=90, duplicates=30)
    kept = load(path, recipe=steps, **AS_PUBLISHED)
    assert sum(map(len, rows(kept))) == 90
    assert kept.cleaning.shared_test > 0
    dropped = load(path, recipe=steps, duplicates="keep")
    assert dropped.test.rows.tolist() == kept.test.rows.tolist()
    assert dropped.cleaning.also_in_test == 90 - sum(map(len, rows(dropped))) > 0
    small = load(path, recipe=[{"take": "train", "train_size": 20, "random_state": 1}])
    assert small.cleaning.unused == 40 and sum(map(len, rows(small))) == 20


@pytest.mark.parametrize(
    ("step", "says"),
    [
        ({"shufle": 1}, r"recipe\[0\]=.*expected \{shuffle: 42\} or \{take"),
        ("shuffle", r"recipe\[0\]=shuffle: expected"),
        ({"shuffle": -1}, "random state -1: expected a whole number"),
        ({"take": "test", "test_size": 0.1}, "expected .*random_state"),
        ({"take": "tset", "test_size": 0.1, "random_state": 1}, r"recipe\[0\]\.take=tset .* mean 'test'"),
        ({"take": "test", "test_size": 0.1, "train_size": 0.1, "random_state": 1}, "in place of test_size"),
        ({"take": "test", "test_size": 1.5, "random_state": 1}, r"recipe\[0\]=1\.5: expected a fraction"),
        ({"take": "test", "test_size": "1", "random_state": 1}, r"recipe\[0\]=1: expected a fraction"),
        ({"take": "test", "test_size": 0.1, "random_state": 1, "stratify": 1}, r"stratify=1: expected true"),
        ({"take": "test", "test_size": 900, "random_state": 1}, r"recipe\[0\] cannot be done with 60 rows"),
    ],
)
def test_a_step_that_is_none_is_one_line(tmp_path, step, says):
    with pytest.raises(InputError, match=says) as error:
        load(write_csv(tmp_path / "a.csv", some_rows(60)), recipe=[step])
    assert "\n" not in str(error.value)


def test_a_split_is_taken_once(tmp_path):
    step = {"take": "test", "test_size": 0.1, "random_state": 1}
    with pytest.raises(InputError, match=r"recipe\[1\]\.take=test is unknown"):
        load(write_csv(tmp_path / "a.csv", some_rows(60)), recipe=[step, step])


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"train_fraction": 0.0}, "train_fraction=0.0: expected a number above 0 and up to 1"),
        ({"train_fraction": 1.01}, "train_fraction=1.01"),
        ({"train_fraction": float("nan")}, "train_fraction=nan"),
        ({"train_fraction": 0.5, "train_size": 10}, "both set"),
        ({"shared": "kepe"}, "shared=kepe is unknown.*mean 'keep'"),
    ],
)
def test_values_are_checked_before_anything_is_read(tmp_path, values, says):
    with pytest.raises(InputError, match=says):
        load(tmp_path / "missing.csv", **values)


@needs_real_data
def test_disaster_tweets_row_for_row_as_published():
    path = REAL / "disaster" / "train.csv"
    steps = [{"shuffle": 42}, {"take": "test", "test_size": 0.1, "random_state": 42}]
    splits = load_splits(composed("disaster", path=str(path), recipe=steps, **AS_PUBLISHED), Path("unused"), 0)
    assert (len(splits.train) + len(splits.valid), len(splits.test)) == (6851, 762)
    assert splits.cleaning == Cleaning(read=7613, conflicting_texts=18, shared_test=12)
    frame = pd.read_csv(path)
    frame["row"] = first_rows(len(frame))
    published = train_test_split(frame.sample(frac=1, random_state=42), test_size=0.1, random_state=42)[1]
    assert splits.test.rows.tolist() == sorted(published["row"])
    assert splits.test.labels.tolist() == published.sort_values("row")["target"].tolist()
    scores = run_baselines(splits, 0.5)[NAIVE_BAYES].test
    assert scores["accuracy"] * 100 == 79.26509186351706
    for metric, value in (
        ("precision", 0.8111390004213173),
        ("recall", 0.7926509186351706),
        ("f1", 0.7862189758049549),
    ):
        assert scores[f"weighted_{metric}"] == pytest.approx(value, rel=1e-12)
