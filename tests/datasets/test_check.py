"""Settings that no data could make right are refused before anything is read."""

from __future__ import annotations

import pytest

from search.config.dataset import DatasetConfig
from search.datasets.check import check_config
from search.errors import InputError


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("format", "cvs", "Did you mean 'csv'"),
        ("missing", "dorp", "Did you mean 'drop'"),
        ("duplicates", "firts", "Did you mean 'first'"),
        ("conflicts", "majorty", "Did you mean 'majority'"),
        ("undecodable", "replcae", "Did you mean 'replace'"),
        ("encoding", "utf9", "did you mean 'utf-8'"),
        ("encoding", "base64", "text encodings"),
        ("separator", ";;", "one character"),
        ("separator", "", "one character"),
        ("separator", '"', "one character"),
        ("quoting", "non", "Did you mean 'none'"),
        ("max_row_mib", 0, "from 0.001 to 1024"),
        ("max_row_mib", float("nan"), "finite"),
        ("max_unpacked_gib", float("inf"), "finite"),
        ("max_unpacked_gib", -1.0, "above 0"),
        ("test_size", 1.5, "fraction between 0 and 1"),
        ("test_size", 1.0, "fraction between 0 and 1"),
        ("test_size", 0, "fraction between 0 and 1"),
        ("valid_size", -0.1, "fraction between 0 and 1"),
        ("valid_size", float("nan"), "fraction between 0 and 1"),
        ("train_size", -5, "fraction between 0 and 1"),
        ("train_size", True, "fraction between 0 and 1"),
        ("limit", 0, "at least 1"),
        ("classes", [], "two classes or more"),
        ("classes", ["a"], "two classes or more"),
        ("checksum", "c40f74", "sha256:"),
        ("package", "../etc", "Python package"),
        ("label_ranges", {}, "two classes or more"),
        ("label_ranges", 5, "two classes or more"),
        ("label_ranges", {"a": {"max": 1}}, "two classes or more"),
        ("label_ranges", {"a": {"max": 1}, "b": {"mni": 1}}, "did you mean 'min'"),
        ("label_ranges", {"a": {"max": 1}, "b": {"min": 3, "max": 2}}, "min 3 is above max 2"),
        ("label_ranges", {"a": {"max": "x"}, "b": {"min": 3}}, "expected a number"),
        ("label_ranges", {"a": 1, "b": {"min": 3}}, "expected min, max or both"),
        ("label_ranges", {"a": {}, "b": {"min": 3}}, "expected min, max or both"),
    ],
)
def test_impossible_values_are_one_line_with_their_key(key, value, says):
    with pytest.raises(InputError) as error:
        check_config(DatasetConfig(**{"name": "test", key: value}))
    message = str(error.value)
    assert message.startswith(f"dataset.{key}")
    assert says in message
    assert "\n" not in message


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"test_size": 1, "valid_size": 0.001, "train_size": 5, "limit": 1},
        {"encoding": "LATIN-1", "separator": r"\t"},
        {"label_ranges": {"a": {"max": 1}, "b": {"min": 1.5, "max": 1.5}}, "classes": ["a", "b"]},
        {"max_row_mib": 100, "max_unpacked_gib": None, "quoting": "none", "header": False},
        {"checksum": "md5:7c2ac02c", "package": "some.package"},
    ],
)
def test_possible_values_pass(values):
    check_config(DatasetConfig(name="test", **values))
