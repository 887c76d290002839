"""Several labels per text, from any kind of file: read alike, refused in one line, in each split in their shares."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from search.config.dataset import DatasetConfig
from search.datasets import load_splits
from search.datasets.folds import assign_folds
from search.datasets.stratification import drawn
from search.datasets.whole import load_whole
from search.errors import InputError

NAMES = ["bad", "good", "long"]


def table(rows=200, seed=0) -> pd.DataFrame:
    """Texts with columns of 0 and 1: two labels that exclude each other, and a rare one; some rows have none."""
    random = np.random.default_rng(seed)
    kind = random.choice(3, rows, p=[0.3, 0.5, 0.2])
    found = {"text": [f"text {row}" for row in range(rows)], "bad": kind == 0, "good": kind == 1}
    return pd.DataFrame(found | {"long": random.random(rows) < 0.12}).astype(dict.fromkeys(NAMES, int))


def names_of(frame: pd.DataFrame) -> list[list[str]]:
    return [[name for name in NAMES if row[name]] for _, row in frame.iterrows()]


def config(path, **values) -> DatasetConfig:
    return DatasetConfig(name="test", path=str(path), **values)


def load(path, seed=0, **values):
    return load_splits(config(path, **values), path.parent / "data", seed)


def write(path, frame: pd.DataFrame):
    """Writes it in the format of the path's ending; labels in one column are in lists where there are any."""
    if path.suffix == ".csv":
        frame.to_csv(path, index=False)
    elif path.suffix == ".parquet":
        frame.to_parquet(path)
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in frame.to_dict("records")))
    return path


def test_columns_and_names_in_any_format_are_the_same_splits(tmp_path):
    frame, names = table(), names_of(table())
    listed = pd.DataFrame({"text": frame["text"], "label": names})
    joined = listed.assign(label=[" ; ".join(one) for one in names])
    found = [load(write(tmp_path / "a.csv", frame), labels=NAMES)]
    for ending in ("jsonl", "parquet"):
        found.append(load(write(tmp_path / f"columns.{ending}", frame), labels=NAMES))
        found.append(load(write(tmp_path / f"lists.{ending}", listed), label_separator=","))
    found.append(load(write(tmp_path / "joined.csv", joined), label_separator=";"))
    written = frame.assign(bad=frame["bad"].map({0: "False", 1: "True"}))
    found.append(load(write(tmp_path / "booleans.csv", written), labels=NAMES))
    first = found[0]
    assert first.classes == ("bad", "good", "long") and first.target.several
    rows = np.concatenate([part.rows for part in first.parts.values()])
    labels = np.concatenate([part.labels for part in first.parts.values()])
    assert (labels == frame[NAMES].to_numpy()[rows - 1]).all() and sorted(rows) == list(range(1, 201))
    for other in found[1:]:
        assert other.classes == first.classes
        for name, part in first.parts.items():
            assert (part.rows == other.parts[name].rows).all() and (part.labels == other.parts[name].labels).all()


def test_columns_keep_their_order_and_labels_can_be_chosen(tmp_path):
    path = write(tmp_path / "a.csv", table())
    assert load(path, labels=["long", "bad"]).classes == ("long", "bad")
    chosen = load(path, labels=NAMES, classes=["good", "long"])
    assert chosen.classes == ("good", "long") and sum(map(len, chosen.parts.values())) == 200


@pytest.mark.parametrize("folds", [None, 4])
def test_each_split_has_its_share_of_each_label(tmp_path, folds):
    path = write(tmp_path / "a.csv", table(600))
    splits = load(path, labels=NAMES, valid_size=None if folds else 0.2, test_size=0.25, folds=folds)
    shares = table(600)[NAMES].mean().to_numpy()
    assert len(splits.test) == pytest.approx(150, abs=6)
    if folds:
        parts = [splits.train.take(splits.fold == fold) for fold in range(folds)]
        assert {len(part) for part in parts} <= set(range(106, 120))
    else:
        parts = [splits.train, splits.valid]
        assert len(splits.valid) == pytest.approx(120, abs=6)
    for part in (*parts, splits.test):
        assert np.abs(part.labels.mean(axis=0) - shares).max() < 0.02
    assert not {*splits.test.texts} & {*splits.train.texts}
    again, other = (load(path, seed, labels=NAMES, test_size=0.25) for seed in (0, 1))
    assert (again.test.rows == splits.test.rows).all() and set(other.test.rows) != set(splits.test.rows)


def test_limits_and_parts_of_train_are_stratified_by_labels(tmp_path):
    path = write(tmp_path / "a.csv", table(2000))
    shares = table(2000)[NAMES].mean().to_numpy()
    for size in ({"limit": 300}, {"train_size": 240}):
        splits = load(path, labels=NAMES, **size)
        assert len(splits.train) == pytest.approx(240, abs=10)
        assert np.abs(splits.train.labels.mean(axis=0) - shares).max() < 0.03


def test_a_label_with_a_few_rows_is_in_every_part():
    """A shuffle leaves it out of one of five parts four times in five."""
    labels = np.zeros((300, 2), np.int8)
    labels[:150, 0], labels[::60, 1] = 1, 1
    for seed in range(5):
        part = assign_folds(labels, 5, np.random.default_rng(seed))
        assert all(labels[part == one].sum(axis=0).tolist() == [30, 1] for one in range(5))
        taken = drawn(labels, 60, np.random.default_rng(seed))
        assert taken.sum() == pytest.approx(60, abs=2) and labels[taken].sum(axis=0)[1] == 1


def test_a_label_with_three_rows_is_in_every_split(tmp_path):
    for seed in range(5):
        frame = table(400, seed).assign(long=0)
        frame.loc[[5, 100, 333], "long"] = 1
        splits = load(write(tmp_path / "a.csv", frame), seed, labels=NAMES, limit=120)
        assert [int(part.labels[:, 2].sum()) for part in splits.parts.values()] == [1, 1, 1]
        assert len(splits.train) == pytest.approx(96, abs=6)


def test_a_small_part_has_each_label_and_is_part_of_larger_ones(tmp_path):
    frame = table(400).assign(long=[1, *[0] * 49] * 8)
    path = write(tmp_path / "a.csv", frame)
    small, larger = (load(path, labels=NAMES, train_size=size).train for size in (20, 90))
    assert small.labels.any(axis=0).all() and len(small) <= 21
    assert {*small.rows} < {*larger.rows}


def test_rare_labels_are_left_out_and_their_rows_stay(tmp_path):
    frame = table().assign(long=[1, *[0] * 199])
    with pytest.raises(InputError, match="long"):
        load(write(tmp_path / "a.csv", frame), labels=NAMES)
    splits = load(tmp_path / "a.csv", labels=NAMES, rare="drop")
    assert splits.classes == ("bad", "good") and sum(map(len, splits.parts.values())) == 200


def test_rows_without_any_label_are_kept_and_those_without_a_value_are_not(tmp_path):
    frame = table().astype({"long": object})
    frame.loc[:4, "long"] = ""
    splits = load(write(tmp_path / "a.csv", frame), labels=NAMES)
    assert splits.cleaning.missing_label == 5
    assert any((part.labels == 0).all(axis=1).any() for part in splits.parts.values())


def test_the_same_text_with_other_labels_is_a_conflict(tmp_path):
    frame = table()
    twins = frame.head(10).assign(good=1 - frame["good"])
    splits = load(write(tmp_path / "a.csv", pd.concat([frame, twins, frame.tail(7)])), labels=NAMES)
    assert (splits.cleaning.conflicts, splits.cleaning.duplicates) == (20, 7)


LISTS = pd.DataFrame({"text": ["a", "b"], "label": [["x", "y"], ["x"]]})


@pytest.mark.parametrize(
    ("frame", "values", "says"),
    [
        (table().assign(good=2), {"labels": NAMES}, ["Row 1 ", "'2'", "'good'", "0 or 1", "label_separator"]),
        (table(), {"labels": ["bad", "gold"]}, ["'gold'", "did you mean 'good'"]),
        (table(), {"labels": ["bad"]}, ["two columns or more", "dataset.label"]),
        (table(), {"labels": ["bad", "bad"]}, ["each once"]),
        (table(), {"labels": "bad"}, ["two columns or more"]),
        (table(), {"labels": ["bad", "text"]}, ["'text'", "dataset.text"]),
        (table(), {"labels": NAMES, "label_separator": ","}, ["both"]),
        (table(), {"label": "good", "label_separator": ","}, ["No row", "two labels", "dataset.labels=["]),
        (table(), {"label": "good", "label_separator": ""}, ["label_separator", "empty"]),
        (table().assign(long=0), {"labels": NAMES}, ["No row", "'long'", "leave it out"]),
        (table().assign(long=1), {"labels": NAMES}, ["Every row", "'long'"]),
        (table().assign(bad=0, good=0, long=0), {"labels": NAMES}, ["No row"]),
        (table().assign(label=""), {"label_separator": ","}, ["No row", "two labels"]),
        (table().assign(bad="", good="", long=""), {"labels": NAMES}, ["label"]),
        (table(), {"labels": NAMES, "ordered": True}, ["dataset.ordered", "dataset.labels"]),
        (table(), {"labels": NAMES, "positive": "good"}, ["dataset.positive"]),
        (table(), {"labels": NAMES, "classes": ["good", "lon"]}, ["=lon ", "did you mean 'long'"]),
        (table(), {"labels": NAMES, "test_size": 5000}, ["dataset.test_size=5000", "200 texts"]),
        (LISTS, {}, ["Row 1 ", "list", "label_separator"]),
    ],
)
def test_bad_input_is_one_line_that_says_what_to_do(tmp_path, frame, values, says):
    path = write(tmp_path / ("a.parquet" if frame is LISTS else "a.csv"), frame)
    with pytest.raises(InputError) as error:
        load(path, **values)
    message = str(error.value)
    assert "\n" not in message
    for part in says:
        assert part in message, message


def test_labels_of_other_data_are_those_of_the_model(tmp_path):
    write(tmp_path / "a.csv", pd.DataFrame({"text": ["a", "b", "c"], "label": ["x,y", "", "z"]}))
    values = {"label_separator": ","}
    whole = load_whole(config(tmp_path / "a.csv", **values), tmp_path, ("z", "y", "x"))
    assert whole.examples.labels.tolist() == [[0, 1, 1], [0, 0, 0], [1, 0, 0]]
    with pytest.raises(InputError, match=r"Row 3 .*'z', which the model does not know"):
        load_whole(config(tmp_path / "a.csv", **values), tmp_path, ("y", "x"))
    chosen = load_whole(config(tmp_path / "a.csv", classes=["x", "y"], **values), tmp_path, ("y", "x"))
    assert chosen.examples.labels.tolist() == [[1, 1], [0, 0], [0, 0]]
    write(tmp_path / "b.csv", table(20))
    with pytest.raises(InputError, match=r"lacks 'long', which the model predicts"):
        load_whole(config(tmp_path / "b.csv", labels=NAMES[:2]), tmp_path, NAMES)
